import { describe, expect, test } from 'vitest';
import { allRules, judge, unknownNames } from '../../../src/site/judge.ts';
import { fleet } from './cases.ts';
import { edit, pictureOf, type World } from './world.ts';

/** The guest 102 of pve1 is in no job, and the container 101 is backed up in snapshot mode. */
const wrong = edit(
  edit(fleet, [101, 102, 103], 'hosts', 'pve1', 'has', 'pve_backup_job nightly', 'exclude'),
  'snapshot',
  'hosts',
  'pve1',
  'has',
  'pve_backup_job media',
  'mode',
);

const silenced = (...silence: readonly object[]): World => edit(wrong, silence, 'site', 'silence');
const told = (world: World) =>
  judge(pictureOf(world)).flatMap(({ findings }) =>
    findings.map(({ rule, about }) => `${rule} ${about ?? ''}`.trim()),
  );
const kept = (world: World) =>
  judge(pictureOf(world)).flatMap(({ silenced: all }) =>
    all.map(({ finding, reason }) => `${finding.rule}: ${reason}`),
  );

const all = ['guest-in-job guest:102', 'busy-media-mode guest:101', 'tmpdir-room guest:101'];

describe('silence', () => {
  test('without any, everything is told', () => {
    expect(told(wrong)).toEqual(all);
    expect(judge(pictureOf(wrong)).map(({ rule }) => rule)).toEqual(allRules);
  });

  test('a rule, a rule for one host, a rule for one component', () => {
    const reason = 'it is known';
    for (const silence of [
      { rule: 'guest-in-job', reason },
      { rule: 'guest-in-job', host: 'pve1', reason },
      { rule: 'guest-in-job', about: 'guest:102', reason },
      { rule: 'guest-in-job', host: 'pve1', about: 'guest:102', reason },
    ]) {
      expect(told(silenced(silence))).toEqual(all.slice(1));
      expect(kept(silenced(silence))).toEqual(['guest-in-job: it is known']);
    }
  });

  test('another rule, host or component is not meant, and the silence is told to be idle', () => {
    for (const silence of [
      { rule: 'mirror-disks-match', reason: 'x' },
      { rule: 'guest-in-job', host: 'pve2', reason: 'x' },
      { rule: 'guest-in-job', about: 'guest:10', reason: 'x' },
    ]) {
      expect(told(silenced(silence))).toEqual([...all, 'silence-matches']);
      expect(kept(silenced(silence))).toEqual([]);
    }
    const [idle] = judge(pictureOf(silenced({ rule: 'guest-in-job', host: 'pve2', reason: 'x' })))
      .filter(({ rule }) => rule.code === 'silence-matches')
      .flatMap(({ findings }) => findings);
    expect(idle).toMatchObject({ level: 'warning', hosts: ['pve2'], where: { file: 'site.yaml' } });
    expect(idle?.message).toContain('silence of guest-in-job (pve2)');
  });
});

test('names that are not there are mistakes, with the nearest one', () => {
  const world = edit(
    silenced({ rule: 'guest-in-jobs', host: 'pve3', reason: 'x' }),
    ['pve4'],
    'site',
    'data_sets',
    0,
    'hosts',
  );
  expect(
    unknownNames(pictureOf(world)).map(({ code, message, hint }) => [code, message.slice(0, 28), hint]),
  ).toEqual([
    ['input', 'unknown rule "guest-in-jobs"', 'did you mean "guest-in-job"?'],
    ['input', 'unknown host "pve3"; allowed', 'did you mean "pve1"?'],
    ['input', 'unknown host "pve4"; allowed', 'did you mean "pve1"?'],
  ]);
  expect(unknownNames(pictureOf(fleet))).toEqual([]);
});
