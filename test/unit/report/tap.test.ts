import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { Command, HostRun } from '../../../src/model/run.ts';
import { tapErrors, tapReport } from '../../../src/report/tap.ts';
import { applyRuns, change, checkRuns, diffRuns, procedureRuns, run } from './runs.ts';

/** Test points of a TAP document, each with its YAML block read. */
function points(tap: string) {
  const found = [...tap.matchAll(/^(not )?ok (\d+) - (.*)\n(?: {2}---\n((?: {2}.*\n)*?) {2}\.\.\.\n)?/gm)];
  return found.map(([, not, number, description, block]) => ({
    ok: not === undefined,
    number: Number(number),
    description,
    block: block === undefined ? undefined : parse(block.replace(/^ {2}/gm, '')),
  }));
}

describe('the TAP report', () => {
  const cases: [Command, readonly HostRun[]][] = [
    ['diff', diffRuns],
    ['apply', applyRuns],
    ['check', checkRuns],
    ['run', procedureRuns],
  ];
  for (const [command, runs] of cases) {
    test(`${command} is as kept, and its plan counts its points`, async () => {
      const tap = tapReport(command, runs);
      const [version, plan] = tap.split('\n');
      expect(version).toBe('TAP version 14');
      const all = points(tap);
      expect(plan).toBe(`1..${all.length}`);
      expect(all.map((point) => point.number)).toEqual(all.map((_, index) => index + 1));
      await expect(tap).toMatchFileSnapshot(`../../golden/report/${command}.tap`);
    });
  }

  test('a point that is not ok carries want and have as YAML that reads back', () => {
    const evil = 'a: "b"\n  ...\nok 2 - forged # SKIP\\';
    const properties = [{ name: 'x: y', have: evil, want: 3 }];
    const tap = tapReport('diff', [run('pve2', { total: 1, changes: [change('file:/a', { properties })] })]);
    const [point, ...more] = points(tap);
    expect(more).toEqual([]);
    expect(point?.block).toMatchObject({ severity: 'fail', have: { 'x: y': evil }, want: { 'x: y': 3 } });
  });

  test('# and \\ in a name are no directive', () => {
    const tap = tapReport('diff', [run('pve2', { total: 1, changes: [change('file:/a # SKIP \\ x')] })]);
    expect(tap).toContain('not ok 1 - pve2 file:/a \\# SKIP \\\\ x\n');
  });

  test('"could not look" is not ok', () => {
    const unknown = [{ id: 'mount:/x', from: { file: 'a', line: 1, column: 1 }, reason: 'no answer' }];
    const [point] = points(tapReport('diff', [run('pve2', { total: 1, unknown })]));
    expect(point).toMatchObject({ ok: false, block: { severity: 'unknown', message: 'no answer' } });
  });

  test('a mistake in the input is called by its place', () => {
    const where = { file: 'inventory/hosts/pve2.yaml', line: 3, column: 1 };
    const tap = tapErrors([new ProvisionError('input', 'no', { where }), new ProvisionError('input', 'no')]);
    expect(points(tap).map(({ ok }) => ok)).toEqual([false, false]);
    expect(tap).toContain('not ok 1 - input inventory/hosts/pve2.yaml:3:1\n');
  });
});
