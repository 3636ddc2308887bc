import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newWorld, type World } from './world.ts';

/** A snapshot as the API lists it, with the nested parts that have a `size` of their own. */
const snapshot = (group: string, time: number, more: object = { size: 9 }) => {
  const [type, id] = group.split('/');
  return {
    'backup-id': id,
    'backup-time': time,
    'backup-type': type,
    comment: 'web, "the old one" \\ {}[]:,',
    files: [{ 'crypt-mode': 'none', filename: 'drive-scsi0.img.fidx', size: 7 }],
    owner: 'backup@pbs!pve',
    protected: false,
    verification: { state: 'ok', upid: 'UPID:pbs:1', size: 3 },
    ...more,
  };
};
const running = { size: undefined, verification: undefined };
const list = (...all: object[]) => `${JSON.stringify(all)}\n`;
const lines = (world: World) =>
  readFileSync(join(world.dir, 'metrics/pbs-health.prom'), 'utf8')
    .split('\n')
    .filter((line) => /^pbs_health_group/.test(line));
const asked = (world: World) =>
  existsSync(join(world.dir, 'asked-api'))
    ? readFileSync(join(world.dir, 'asked-api'), 'utf8').trim().split('\n')
    : [];
const age = (group: string, time: number, ns = '') =>
  `pbs_health_group_last_backup_timestamp_seconds{store="main",ns="${ns}",group="${group}"} ${time}`;
const unknown = ['pbs_health_groups_known{store="main"} 0'];
/** The next look asks again. */
const later = (world: World) => world.write('state/groups.main', '1');

/** The program with the awk of that name: Debian's, and that of busybox. */
async function worldWith(awk: string, more = {}): Promise<World> {
  const world = await newWorld(more);
  const path = execFileSync('sh', ['-c', `command -v ${awk}`], { encoding: 'utf8' }).trim();
  symlinkSync(path, join(world.dir, 'bin/awk'));
  return world;
}

describe.each(['mawk', 'busybox'])('the ages of backups, with %s', (awk) => {
  test('the newest finished one of each group, and how many groups there are', async () => {
    const world = await worldWith(awk);
    world.write(
      'snapshots.json',
      list(
        snapshot('vm/109', 1700000000),
        snapshot('vm/109', 1700086400),
        // It runs; and one that was broken off, newer than all.
        snapshot('vm/109', 1700172800, running),
        snapshot('ct/200', 1700000500, { size: 0 }),
        snapshot('ct/103', 1700000600, running),
        snapshot('ct/104', 1700000700, { size: null }),
      ),
    );
    expect(world.run('watch')).toEqual({ code: 0, said: '' });
    expect(lines(world)).toEqual([
      'pbs_health_groups_known{store="main"} 1',
      'pbs_health_groups{store="main"} 4',
      age('vm/109', 1700086400),
      age('ct/200', 1700000500),
      age('ct/103', 0),
      age('ct/104', 0),
    ]);
  });

  test('each namespace by itself, with one question', async () => {
    const world = await worldWith(awk);
    world.write('namespace.json', list({ ns: '' }, { ns: 'site', comment: 'of "us"' }, { ns: 'site' }));
    world.write('snapshots.json', list(snapshot('vm/101', 5)));
    world.write('snapshots@site.json', list(snapshot('vm/101', 7)));
    world.run('watch');
    expect(lines(world).slice(1)).toEqual([
      'pbs_health_groups{store="main"} 2',
      age('vm/101', 5),
      age('vm/101', 7, 'site'),
    ]);
    expect(asked(world)).toEqual([
      'api get /admin/datastore/main/namespace --output-format json',
      'api get /admin/datastore/main/snapshots --output-format json',
      'api get /admin/datastore/main/snapshots --ns site --output-format json',
    ]);
  });

  test('what JSON escapes is escaped as a label needs it', async () => {
    const world = await worldWith(awk);
    world.write(
      'snapshots.json',
      '[ {"backup-type" : "vm", "backup-id":"a\\"b\\\\c\\/d\\u00e9\\n\\\\", "backup-time":5, "size":1 } ]',
    );
    world.run('watch');
    expect(lines(world)[2]).toBe(age(String.raw`vm/a\"b\\c/d\\u00e9\n\\`, 5));
  });

  test.each([
    ['', 'nothing'],
    ['null\n', 'not a list'],
    ['{"data":[]}', 'of another form'],
    ['Error: no connection\n', 'no JSON'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1}', 'cut off after an object'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":5,"si', 'cut off in a text'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1},]', 'a comma too many'],
    ['[{"backup-type":"vm","backup-id":"109","size":1}]', 'without a time'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":"x 1","size":1}]', 'a time that is no number'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":5e3,"size":1}]', 'a time that is not whole'],
    ['[{"backup-type":"vm","backup-time":5,"size":1}]', 'without an id'],
    ['[{"backup-type":"vm","backup-id":"1\t9","backup-time":5}]', 'a tab in a text'],
    ['[[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1}]]', 'a list in a list'],
    ['[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1}] []', 'something behind it'],
  ])('an answer that is not understood leaves nothing: %j (%s)', async (text) => {
    const world = await worldWith(awk);
    world.write('snapshots.json', text);
    expect(world.run('watch')).toEqual({
      code: 0,
      said: 'main: the backups could not be listed: an answer that is not understood\n',
    });
    expect(lines(world)).toEqual(unknown);
  });
});

test('a namespace that could be anything else is no word for a command', async () => {
  const world = await newWorld();
  world.write('namespace.json', list({ ns: '--output-format' }));
  expect(world.run('watch').said).toContain('not understood');
  expect(asked(world)).toHaveLength(1);
  expect(lines(world)).toEqual(unknown);
});

test('it asks only now and then, and tells in between what it was told', async () => {
  const world = await newWorld();
  world.write('snapshots.json', list(snapshot('vm/109', 5)));
  world.run('watch');
  const before = lines(world);
  world.write('snapshots.json', list(snapshot('vm/109', 6)));
  world.run('watch');
  expect(lines(world)).toEqual(before);
  expect(asked(world)).toHaveLength(2);
  later(world);
  world.run('watch');
  expect(lines(world)).toContain(age('vm/109', 6));
});

test.each([
  ['the API says no', 'snapshots.json', 'no such thing snapshots'],
  ['the API says no to one namespace', 'snapshots@site.json', 'no such thing snapshots@site'],
])('%s: the last figures are left out', async (_, name, said) => {
  const world = await newWorld();
  world.write('namespace.json', list({ ns: '' }, { ns: 'site' }));
  for (const one of ['snapshots.json', 'snapshots@site.json']) world.write(one, list(snapshot('vm/109', 5)));
  world.run('watch');
  expect(lines(world)).toHaveLength(4);
  execFileSync('rm', [join(world.dir, name)]);
  later(world);
  expect(world.run('watch')).toMatchObject({ code: 0, said: expect.stringContaining(said) });
  expect(lines(world)).toEqual(unknown);
});

test('no answer in time: it is given up, and the rest is told all the same', async () => {
  const world = await newWorld();
  world.write('slow-api', '');
  const started = Date.now();
  expect(world.run('watch')).toEqual({
    code: 0,
    said: 'main: the backups could not be listed: no answer in 2 s\n',
  });
  expect(Date.now() - started).toBeLessThan(10_000);
  expect(lines(world)).toEqual(unknown);
  expect(world.metric('result')).toBe('0');
});

test('nobody is asked about a store whose mount is not healthy', async () => {
  const world = await newWorld();
  world.write('mountinfo', '20 1 0:1 / / rw - ext4 /dev/sda1 rw\n');
  expect(world.run('watch').code).toBe(3);
  expect(asked(world)).toEqual([]);
  expect(lines(world)).toEqual(unknown);
});

test('nobody is asked when nothing is told: --dry-run, or no metrics at all', async () => {
  const [dry, silent] = [await newWorld(), await newWorld({ textfile_dir: '' })];
  dry.run('watch', '--dry-run');
  silent.run('watch');
  expect([asked(dry), asked(silent)]).toEqual([[], []]);
});

test('what cannot be kept is told nevertheless', async () => {
  const world = await newWorld();
  world.write('snapshots.json', list(snapshot('vm/109', 5)));
  world.write('bin/mv', '#!/bin/sh\ncase $* in *groups.main*) exit 1 ;; esac\nexec /bin/mv "$@"\n', 0o755);
  expect(world.run('watch').said).toContain('could not write');
  expect(lines(world)).toContain(age('vm/109', 5));
});

test('the name of the datastore can be another one than that in the metrics', async () => {
  const world = await newWorld();
  const text = readFileSync(join(world.dir, 'program'), 'utf8');
  world.write('program', text.replace(' nfs main\n', ' nfs pbs.2\n'), 0o755);
  world.run('watch');
  expect(asked(world)[0]).toContain('/admin/datastore/pbs.2/');
  expect(lines(world)).toContain('pbs_health_groups{store="main"} 0');
});

test('a restart that did not help is a figure of its own, one that only waits is not', async () => {
  const world = await newWorld();
  world.replace();
  world.write('tasks', '[{"upid":"UPID:pbs:1","starttime":1}]');
  world.run('watch');
  expect(world.metric('restart_failed')).toBe('0');
  world.write('tasks', '[]');
  world.write('lame', '');
  for (const _ of [1, 2]) {
    expect(world.run('watch').code).toBe(1);
    expect(world.metric('restart_failed')).toBe('1');
  }
});
