import { describe, expect, it } from 'vitest';
import { backupNow } from '../../../src/procedures/vzdump-backup.ts';
import { answersOf, planned, siteOf } from './world.ts';

const jobs = [
  {
    id: 'pve2-truenas-bu-busy-media',
    vmid: [1031, 1034],
    storage: 'truenas-bu',
    mode: 'stop',
    node: 'pve2',
    options: ['--compress', 'zstd', '--notes-template', '{{guestname}} for 5$'],
  },
  { id: 'off', vmid: [1031], storage: 'nowhere', mode: 'suspend', enabled: false },
  { id: 'elsewhere', vmid: [1031], storage: 'far', mode: 'suspend', node: 'pve9' },
  { id: 'rest', all: true, exclude: [1031, 1034, 300, 301], storage: 'local', mode: 'snapshot' },
  { id: 'twice', vmid: [111], storage: 'pbs', mode: 'snapshot' },
];
const site = siteOf({
  name: 'pve2',
  guests: [
    { vmid: 1031, type: 'ct', class: 'busy-media' },
    { vmid: 111, type: 'vm', class: 'static' },
    { vmid: 300, type: 'ct', class: 'busy-media' },
    { vmid: 301, type: 'ct', class: 'unheard-of' },
  ],
  jobs,
  values: new Map([['backup-jobs', { policy: { 'busy-media': { mode: 'stop' } } }]]),
});

const old = 'truenas-bu:backup/vzdump-lxc-1031-2026_11_19-03_30_00.tar.zst';
const fresh = 'truenas-bu:backup/vzdump-lxc-1031-2026_11_20-12_00_00.tar.zst';
const guest = ['guest | type | ct', 'guest | looked | yes'];
const listing = ['clock | now | 1000', `list | has | ${old}`, 'list | looked | yes'];
const quiet = [...guest, ...listing];
const plan = (parameters = {}, said: readonly string[] | null = quiet) =>
  planned(backupNow, site, 'pve2', { guest: 1031, ...parameters }, { pve2: said });

describe('how it backs up', () => {
  it('as its job says: storage, mode and options, and prunes nothing', () => {
    const { refused, steps, found, abouts } = plan();
    expect(refused).toBeUndefined();
    expect(abouts).toEqual([
      'back up guest 1031 of pve2 to truenas-bu in mode stop (it is shut down meanwhile, if it runs), and see that the backup is there',
    ]);
    // What follows a dollar sign would be a variable of systemd.
    expect(steps[0]?.run.text).toContain(
      "systemd-run --quiet --collect '--unit=provision-backup-1031-1000' vzdump 1031 --storage truenas-bu --mode stop --compress zstd --notes-template '{{guestname}} for 5$$' --prune-backups 'keep-all=1'",
    );
    expect(found.join('\n')).not.toContain('contradicts');
  });

  it('with another storage and mode where they are given; a mode that its policy excludes is told', () => {
    const { steps, found } = plan({ storage: 'local', mode: 'snapshot' });
    expect(steps[0]?.run.text).toContain('--storage local --mode snapshot --compress zstd');
    expect(found).toContain(
      'mode snapshot contradicts its policy, which is stop: it writes all the time, and what it writes may be halfway in this backup',
    );
    expect(plan({ guest: 300, storage: 'local', mode: 'snapshot' }).found.join('\n')).toContain(
      'contradicts',
    );
  });

  it('by the class of the guest where it is in no job', () => {
    const { steps, found } = plan({ guest: 300, storage: 'local' });
    expect(steps[0]?.run.text).toContain(
      "vzdump 300 --storage local --mode stop --prune-backups 'keep-all=1'",
    );
    expect(found).toContain('no job of the inventory backs up guest 300: this backup is the only one');
  });

  it.each([
    [{ guest: 300 }, 'no job of the inventory backs up guest 300'],
    [{ guest: 301, storage: 'local' }, 'no job of the inventory backs up guest 301'],
    [{ guest: 111 }, 'back up guest 111 to local and pbs'],
  ])('does not guess: %j', (parameters, why) => {
    expect(plan(parameters)).toMatchObject({ steps: [], refused: { why: expect.stringContaining(why) } });
    expect(plan({ ...parameters, storage: 'pbs', mode: 'snapshot' }).steps).toHaveLength(1);
  });
});

const upid = (id: string) => `UPID:pve2:00001234:00002345:00000400:vzdump:${id}:root@pam:`;
const worker = (id: string) => [
  `worker:4660 | upid | ${upid(id)}`,
  'worker:4660 | start | 9029',
  'worker:4660 | state | S',
];
const blocked: [string, readonly string[], string][] = [
  ['a backup of it runs', [...worker('1031'), ...quiet], 'a backup runs on pve2, at guest 1031'],
  ['a backup of another runs', [...worker('1034'), ...quiet], 'a backup runs on pve2, at guest 1034'],
  ['somebody holds the lock', ['lock | holder | 77 1 S flock', ...quiet], 'holds the vzdump lock of pve2'],
  ['it is locked', ['guest | lock | backup', ...quiet], 'guest 1031 is locked (backup)'],
  ['it is gone', ['guest | looked | yes', ...listing], 'pve2 has no guest 1031'],
];

it.each(blocked)('is refused, and not begun: %s', (_, said, why) => {
  expect(plan({}, said)).toMatchObject({ steps: [], refused: { why: expect.stringContaining(why) } });
  expect(plan().steps[0]?.guard(answersOf({ pve2: said }))?.why).toContain(why);
});

it.each([
  ['the host', null],
  ['the locks', listing],
  ['the storage', [...guest, 'clock | now | 1000', 'list | unknown | pvesm list ended with 255']],
])('is unknown where %s could not be looked at', (_, said) => {
  expect(plan({}, said)).toMatchObject({ steps: [], refused: { unknown: true } });
  expect(plan().steps[0]?.guard(answersOf({ pve2: said }))?.unknown).toBe(true);
});

it('is done only with a task that ended well and a backup that was not there before', () => {
  const [step] = plan().steps;
  expect(step?.guard(answersOf({ pve2: quiet }))).toBeNull();
  const now = (last: string, more: readonly string[], state = 'inactive') =>
    step?.verify(
      answersOf({
        pve2: [
          'unit | since | 1001',
          `unit | state | ${state}`,
          ...(last ? [`task:${upid('1031')} | last | ${last}`] : []),
          ...more,
        ],
      }),
    );
  const seen = [...listing, `list | has | ${fresh}`];
  expect(now('TASK OK', seen)).toBeNull();
  expect(now('TASK WARNINGS: 1', seen)).toBeNull();
  expect(now('TASK OK', listing)).toMatchObject({
    final: true,
    why: expect.stringContaining('truenas-bu has no new backup of guest 1031'),
  });
  expect(now('TASK OK', ['list | waits | yes'], 'active')).toEqual({
    why: 'its task has ended, its unit is about to',
  });
  expect(now('TASK OK', ['list | unknown | no answer in 30 s'])).toMatchObject({ unknown: true });
  expect(now('TASK ERROR: job errors', seen)).toMatchObject({ final: true });
  expect(now('', seen)).toMatchObject({ final: true, why: 'vzdump ended without a task' });
  expect(now('INFO: 42%', seen, 'active')).toEqual({ why: expect.stringContaining('INFO: 42%') });
  expect(step?.verify(answersOf({ pve2: quiet }))?.why).toBe('it was not begun');
});
