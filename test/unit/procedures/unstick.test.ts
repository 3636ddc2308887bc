import { describe, expect, it } from 'vitest';
import { parseUpid } from '../../../src/procedures/upid.ts';
import { unstick } from '../../../src/procedures/vzdump-unstick.ts';
import { answersOf, planned, siteOf } from './world.ts';

const site = siteOf(
  { name: 'pve2', guests: [{ vmid: 1031, type: 'ct' }] },
  { name: 'ruapehu', guests: [{ vmid: 200, type: 'ct' }] },
  { name: 'pihanga', guests: [{ vmid: 200, type: 'vm' }] },
  { name: 'truenas-bu', platform: 'truenas', address: '10.10.0.104' },
);

/** Process 4660 that began at 9029: UPID and process agree. */
const upid = (id: string) => `UPID:pve2:00001234:00002345:67000000:vzdump:${id}:root@pam:`;
const worker = (id: string, ...more: readonly string[]) => [
  `worker:4660 | upid | ${upid(id)}`,
  'worker:4660 | start | 9029',
  'worker:4660 | state | S',
  'lock | file | yes',
  'lock | holder | 4660 9029 S vzdump',
  ...more,
];
const guest = (lock: string) => [
  'guest | type | ct',
  ...(lock ? [`guest | lock | ${lock}`] : []),
  'guest | looked | yes',
];
const plan = (lines: readonly string[] | null) =>
  planned(unstick, site, 'pve2', { guest: 1031 }, { pve2: lines });

it('a UPID: numbers in hexadecimal; anything else is none', () => {
  expect(parseUpid(upid('1031'))).toMatchObject({
    pid: 4660,
    start: 9029,
    began: 0x67000000,
    type: 'vzdump',
    id: '1031',
  });
  expect(parseUpid(upid(''))).toMatchObject({ id: '' });
  for (const bad of [
    '',
    'UPID:',
    `${upid('1')}x`,
    upid('../../etc'),
    upid('1 2'),
    upid('1').replace('00001234', '1234'),
  ])
    expect(parseUpid(bad)).toBeNull();
});

it('finds the host by the guest; where two have it, both are named', () => {
  expect(unstick.hosts(site, { guest: 1031 })).toEqual(['pve2']);
  expect(unstick.hosts(site, { guest: 200 })).toEqual(['ruapehu', 'pihanga']);
  expect(unstick.hosts(site, { guest: 999 })).toEqual([]);
  expect(unstick.hosts(site, {})).toEqual(['pve2', 'ruapehu', 'pihanga']);
});

describe('what it would do', () => {
  it('TERM, KILL, unlock, where the UPID names the guest', () => {
    const { abouts, steps, refused } = plan([
      ...worker('1031', 'worker:4660 | member | 4661 9030 T rsync'),
      ...guest('backup'),
    ]);
    expect(refused).toBeUndefined();
    expect(abouts.map((about) => about.replace(/ .*/, ''))).toEqual(['ask', 'end', 'unlock']);
    // The number is never used without the start time, and right before each signal on the same line.
    for (const line of steps
      .flatMap(({ run }) => run.text.split('\n'))
      .filter((text) => text.includes('kill -')))
      expect(line).toMatch(
        /^ *is (4660 9029|"\$\{one%:\*\}" "\$\{one#\*:\}") && kill -(TERM|KILL) (4660|"\$\{one%:\*\}") \|\| /,
      );
    expect(steps.map(({ run }) => run.text).join('\n')).not.toMatch(/pkill|killall|rm .*vzdump.lock/);
    expect(steps[2]?.run.text).toMatch(/flock -n -o -E 75 .*exec "\$2" unlock/);
  });

  it('the same where the log of a job over several says that it is at this guest', () => {
    const at = (line: string) =>
      plan([...worker('', `worker:4660 | log-guest | ${line}`), ...guest('backup')]);
    expect(at('INFO: Starting Backup of VM 1031 (lxc)').abouts).toHaveLength(3);
    expect(at('INFO: Starting Backup of VM 103 (lxc)').refused?.why).toContain('at guest 103');
    expect(at('INFO: Finished Backup of VM 1031 (00:01:00)').refused?.why).toContain(
      'a vzdump worker (process 4660) runs',
    );
  });

  it('nothing but told: a title whose start time is that of another process', () => {
    const alike = worker('1031').map((line) => line.replace('start | 9029', 'start | 9030'));
    const found = plan([...alike.filter((line) => !line.startsWith('lock')), ...guest('')]);
    expect(found).toMatchObject({ steps: [] });
    expect(found.refused).toBeUndefined();
    expect(found.found.join('\n')).toContain('is none: left alone');
    // With the lock held by it, the guest stays locked.
    expect(plan([...alike, ...guest('backup')]).refused?.why).toContain('no worker that could be proven');
  });

  it('unlocks only where nothing runs and nobody holds the lock', () => {
    expect(plan(guest('backup')).abouts).toEqual(['unlock guest 1031: no backup runs on pve2']);
    expect(
      plan(['lock | file | yes', 'lock | holder | 77 5 S flock', ...guest('backup')]).refused?.why,
    ).toContain('process 77 (flock)');
    expect(plan([...worker('1034'), ...guest('backup')]).refused?.why).toContain('at guest 1034');
    expect(plan(guest('snapshot')).refused?.why).toContain('locked by "snapshot"');
    expect(plan(guest(''))).toMatchObject({ steps: [] });
    expect(plan(['guest | looked | yes']).refused?.why).toBe('pve2 has no guest 1031');
  });

  it('leaves alone a guest with the lock of something else, after its backup was ended', () => {
    expect(plan([...worker('1031'), ...guest('migrate')]).abouts).toHaveLength(2);
  });

  it('is refused while something hangs in the kernel, with the server to mend', () => {
    const hanging = [
      'stuck:4661 | start | 9030',
      'stuck:4661 | comm | tar',
      'stuck:4661 | wchan | rpc_wait_bit_killable',
      'stuck:4661 | path | /mnt/pve/bu/dump/vzdump-lxc-1031.tar.zst',
      'mount:/ | is | ext4 /dev/sda1',
      'mount:/mnt/pve/bu | is | nfs4 10.10.0.104:/mnt/main/bu',
    ];
    const { refused, found, steps } = plan([...worker('1031'), ...hanging, ...guest('backup')]);
    expect(steps).toEqual([]);
    expect(refused?.why).toContain('process 4661 (tar) hangs in the kernel');
    expect(refused?.hint).toContain(
      'NFS server 10.10.0.104 (truenas-bu) up, and does it export /mnt/main/bu?',
    );
    expect(found.join('\n')).toContain('most likely on /mnt/pve/bu (nfs4, 10.10.0.104:/mnt/main/bu)');
  });

  it('what could not be seen is unknown, never free', () => {
    expect(plan(null).refused).toMatchObject({ unknown: true });
    expect(plan([]).refused).toMatchObject({ unknown: true });
    expect(plan(['guest | unknown | /etc/pve gave no answer', 'guest | looked | yes']).refused).toMatchObject(
      { unknown: true },
    );
    expect(
      plan(['lock | unknown | /proc/locks could not be read', ...guest('backup')]).refused,
    ).toMatchObject({ unknown: true });
  });
});

describe('as things are by then', () => {
  const { steps } = plan([...worker('1031', 'worker:4660 | member | 4661 9030 T rsync'), ...guest('backup')]);
  const [term, kill, unlock] = steps;
  const now = (...lines: readonly string[]) => answersOf({ pve2: lines });
  const alive = ['watched:4660 | is | 9029 S vzdump', 'watched:4661 | is | 9030 T rsync'];

  it('a number that was given to another process is proof that the worker is gone', () => {
    expect(term?.verify(now(...guest('backup'), ...alive))).not.toBeNull();
    expect(term?.verify(now(...guest('backup'), 'watched:4660 | is | 99999 S sshd'))).toBeNull();
    expect(kill?.verify(now(...guest('backup'), 'watched:4661 | is | 9030 T rsync'))?.why).toContain(
      'process 4661 (rsync',
    );
    expect(kill?.verify(now(...guest('backup'), 'watched:4661 | is | 9030 Z rsync'))).toBeNull();
  });

  it('does not unlock while anything is left, a backup has begun anew, or the lock is another one', () => {
    const guard = (...lines: readonly string[]) => unlock?.guard(now(...lines))?.why;
    expect(guard(...guest('backup'))).toBeUndefined();
    expect(guard(...guest('backup'), ...alive)).toContain('process 4660');
    expect(
      guard(...worker('1034').map((line) => line.replaceAll('4660', '4660')), ...guest('backup')),
    ).toContain('a vzdump worker');
    expect(guard('lock | file | yes', 'lock | holder | 88 1 S perl', ...guest('backup'))).toContain(
      'process 88',
    );
    expect(guard(...guest('migrate'))).toContain('"migrate"');
    expect(unlock?.guard(answersOf({ pve2: null }))).toMatchObject({ unknown: true });
  });

  it('does not end a worker that has gone on to another guest', () => {
    const several = plan([
      ...worker('', 'worker:4660 | log-guest | INFO: Starting Backup of VM 1031 (lxc)'),
      ...guest('backup'),
    ]).steps;
    const gone = now(
      ...worker('', 'worker:4660 | log-guest | INFO: Starting Backup of VM 1034 (lxc)'),
      ...guest(''),
    );
    expect(several[0]?.guard(gone)?.why).toContain('gone on to guest 1034');
    expect(several[1]?.guard(gone)?.why).toContain('gone on to guest 1034');
  });
});
