import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acceptFingerprint } from '../../../src/procedures/pbs-accept-fingerprint.ts';
import { fullRuns } from '../../../src/procedures/pbs-clients.ts';
import { remount } from '../../../src/procedures/pbs-remount.ts';
import { restartStale } from '../../../src/procedures/pbs-restart-stale.ts';
import { retireGroups } from '../../../src/procedures/pbs-retire-groups.ts';
import type { ProcedureGuest, StorageWish } from '../../../src/procedures/site.ts';
import { answersOf, planned, siteOf } from './world.ts';

const from = { file: 'inventory/hosts/pve2.yaml', line: 12, column: 5 };
const mount = { path: '/mnt/pbs', source: '10.10.0.103:/mnt/Taupo/pbs', type: 'nfs' };
const old = Array.from({ length: 32 }, () => 'ab').join(':');
const fresh = Array.from({ length: 32 }, () => 'cd').join(':');
const storage: StorageWish = {
  id: 'backups',
  type: 'pbs',
  server: '10.10.0.151',
  datastore: 'store',
  fingerprint: old,
  from,
};
const site = siteOf(
  {
    name: 'pbs',
    platform: 'pbs',
    address: '10.10.0.151',
    datastores: [{ name: 'store', path: '/mnt/pbs', mount, from }],
    values: new Map([
      [
        'pbs',
        {
          decommissioned: [
            { group: 'vm/330', reason: 'gone' },
            { group: 'ct/105', reason: 'gone' },
          ],
        },
      ],
    ]),
  },
  { name: 'pve2', storages: [storage] },
  { name: 'pihanga', storages: [storage, { ...storage, id: 'other', server: '10.9.9.9' }] },
);

const daemons = ['proxmox-backup.service', 'proxmox-backup-proxy.service'].flatMap((unit, index) => [
  `daemon:${unit} | state | active`,
  `daemon:${unit} | pid | ${100 + index}`,
]);
const healthy = ['store:store | mounted | nfs4 10.10.0.103:/mnt/Taupo/pbs', 'store:store | probe | ok'];
const api = ['api | tasks | []', 'api | usage | [{"store":"store","error":"unable to open chunk store"}]'];
const nodeSays = ['clock | now | 1000', 'guests | looked | yes'];
const nodes = {
  pve2: [...nodeSays, 'guest:vm/200 | line | scsi0: local:200,size=2G', 'guest:vm/200 | line | name: small'],
  pihanga: [
    ...nodeSays,
    'guest:ct/300 | line | rootfs: local:300,size=1G',
    'guest:ct/300 | line | mp0: /srv,mp=/srv,size=900G',
    'guest:ct/301 | line | rootfs: local:301,size=512M',
    'guest:ct/301 | line | lock: backup',
    'guest:vm/101 | line | name: pbs',
    'guest:vm/101 | line | scsi0: local:1,size=1M',
  ],
};

describe('pbs/restart-stale', () => {
  const plan = (pbs: readonly string[], parameters = {}) =>
    planned(restartStale, site, 'pbs', parameters, { pbs, ...nodes });

  it('restarts, and tests with the smallest guest that may be used: no locked one, not the server itself', () => {
    const { abouts, refused } = plan([...daemons, ...healthy, ...api]);
    expect(refused).toBeUndefined();
    expect(abouts).toEqual([
      'restart both services, until the API answers for every datastore',
      'back up ct 300 of pihanga to backups, and see that it is there',
    ]);
    expect(plan([...daemons, ...healthy, ...api], { guest: 'vm/200' }).abouts[1]).toContain('vm 200 of pve2');
    expect(plan([...daemons, ...healthy, ...api], { guest: 'ct/301' }).refused?.why).toContain(
      'cannot be used',
    );
    expect(plan([...daemons, ...healthy, ...api], { all: true }).steps.map(({ host }) => host)).toEqual([
      'pbs',
      'pihanga',
      'pve2',
      'pihanga',
    ]);
  });

  it.each([
    [
      'nothing is mounted',
      [...daemons, ...api, 'store:store | probe | ok'],
      'nothing is mounted at /mnt/pbs',
    ],
    [
      'another export',
      [...daemons, ...api, 'store:store | mounted | nfs4 10.10.0.103:/mnt/x', 'store:store | probe | ok'],
      'and not 10.10.0.103:/mnt/Taupo/pbs',
    ],
    ['it hangs', [...daemons, ...api, healthy[0] ?? '', 'store:store | probe | hangs'], 'it hangs'],
    [
      'no .chunks',
      [...daemons, ...api, healthy[0] ?? '', 'store:store | probe | it has no .chunks'],
      'no .chunks',
    ],
    [
      'a task',
      [...daemons, ...healthy, 'api | tasks | [{"upid":"UPID:x"}]', api[1] ?? ''],
      'a task runs on pbs: UPID:x',
    ],
    ['unknown tasks', [...daemons, ...healthy, 'api | unknown | no answer'], 'is not known'],
  ])('is refused: %s', (_, said, why) => {
    expect(plan(said)).toMatchObject({ steps: [], refused: { why: expect.stringContaining(why) } });
  });

  it('asks the same again right before, and is done only with new processes that serve the store', () => {
    const [restart] = plan([...daemons, ...healthy, ...api]).steps;
    const now = (...pbs: readonly string[]) => answersOf({ pbs });
    const served = 'api | usage | [{"store":"store"}]';
    expect(
      restart?.guard(now(...daemons, ...healthy, 'api | tasks | [{"upid":"UPID:x"}]', served))?.why,
    ).toContain('a task runs');
    expect(restart?.verify(now(...daemons, ...healthy, 'api | tasks | []', served))?.why).toContain(
      'is still process 100',
    );
    const anew = daemons.map((line) => line.replace('pid | 1', 'pid | 2'));
    expect(restart?.verify(now(...anew, ...healthy, ...api))?.why).toContain('unable to open chunk store');
    expect(restart?.verify(now(...anew, ...healthy, 'api | tasks | []', served))).toBeNull();
  });

  it('believes a backup by its log and by the snapshot, not by an exit code', () => {
    const test = plan([...daemons, ...healthy, ...api], { guest: 'vm/200' }).steps[1];
    // Nor does it prune: a test would push a real backup out.
    expect(test?.run.text).toContain("--prune-backups 'keep-all=1'");
    const upid = 'UPID:pve2:00001234:00002345:00000400:vzdump:200:root@pam:';
    const snapshot = 'snapshots | list | [{"backup-time":1010,"size":1}]';
    const now = (last: string, pbs = snapshot, state = 'active') =>
      answersOf({
        pbs: [pbs],
        pve2: [
          'unit | since | 1001',
          `unit | state | ${state}`,
          ...(last ? [`task:${upid} | last | ${last}`] : []),
        ],
      });
    expect(test?.verify(now('TASK OK'))).toBeNull();
    expect(test?.verify(now('TASK OK', 'snapshots | list | [{"backup-time":990,"size":1}]'))?.why).toContain(
      'no new snapshot',
    );
    expect(test?.verify(now('TASK OK', 'snapshots | list | [{"backup-time":1010}]'))?.why).toContain(
      'no new snapshot',
    );
    expect(test?.verify(now('TASK ERROR: job errors'))).toMatchObject({ final: true });
    expect(test?.verify(now('INFO: 42%'))?.final).toBeUndefined();
    expect(test?.verify(now('', snapshot, 'inactive'))).toMatchObject({
      final: true,
      why: 'vzdump ended without a task',
    });
  });

  it('of a whole node does what its jobs say, each in its own mode', () => {
    const client = { host: 'pve2', storage: 'backups', datastore: 'store', namespace: '' };
    const [host] = siteOf({
      name: 'pve2',
      jobs: [
        { id: 'media', vmid: [1031], mode: 'stop', storage: 'backups', options: ['--bwlimit', '1000'] },
        { id: 'rest', all: true, exclude: [1031, 5], mode: 'snapshot', storage: 'backups' },
        { id: 'off', vmid: [7], storage: 'backups', enabled: false },
        { id: 'elsewhere', vmid: [8], storage: 'local' },
        { id: 'other', vmid: [9], storage: 'backups', node: 'pve9' },
      ],
    }).hosts;
    expect(fullRuns(client, host).map((argv) => argv.join(' '))).toEqual([
      '1031 --mode stop --bwlimit 1000 --storage backups --prune-backups keep-all=1 --quiet 1',
      '--all 1 --exclude 1031,5 --mode snapshot --storage backups --prune-backups keep-all=1 --quiet 1',
    ]);
    expect(fullRuns(client, undefined)).toEqual([
      [
        '--all',
        '1',
        '--mode',
        'snapshot',
        '--storage',
        'backups',
        '--prune-backups',
        'keep-all=1',
        '--quiet',
        '1',
      ],
    ]);
  });
});

describe('pbs/remount', () => {
  it('does not begin while a task runs or may run, unless it is forced', () => {
    const plan = (pbs: readonly string[], force: boolean) =>
      planned(remount, site, 'pbs', { force }, { pbs });
    const busy = [...daemons, ...healthy, 'api | tasks | [{"upid":"UPID:x"}]', api[1] ?? ''];
    expect(plan(busy, false).refused?.hint).toContain('--set force=true');
    expect(plan([...daemons, 'api | unknown | no answer'], false).refused).toMatchObject({ unknown: true });
    expect(plan(busy, true).steps).toHaveLength(1);
    const [step] = plan([...daemons, ...healthy, ...api], false).steps;
    expect(step?.guard(answersOf({ pbs: busy }))?.why).toContain('a task runs');
    expect(step?.run.text).toContain('trap way_back EXIT');
  });
});

describe('the source of a mount', () => {
  const on = (source: string, path = '/mnt/pbs', type = 'nfs') =>
    siteOf({
      name: 'pbs',
      platform: 'pbs',
      datastores: [{ name: 'store', path, mount: { path, source, type }, from }],
    });
  const ready = [...daemons, ...api, 'store:store | probe | ok'];

  it.each([
    ['10.10.0.103:/mnt/Taupo/pbs/', 'nfs4 10.10.0.103:/mnt/Taupo/pbs', 'nfs'],
    ['10.10.0.103:/mnt/Taupo/pbs', 'nfs4 10.10.0.103:/mnt/Taupo/pbs/', 'nfs'],
    ['/dev/sdb1[/pbs]', 'btrfs /dev/sdb1[/pbs]', 'btrfs'],
  ])('%s is what is mounted as %s', (source, mounted, type) => {
    const said = [...ready, `store:store | mounted | ${mounted}`];
    const plan = planned(restartStale, on(source, '/mnt/pbs', type), 'pbs', { test: false }, { pbs: said });
    expect(plan.refused).toBeUndefined();
  });

  // Else the services would stay stopped on a mount that is as it should be.
  it.each([
    ['nas:/pbs/', 'nfs', '0:50 / POINT rw - nfs4 nas:/pbs rw', 0],
    ['nas:/pbs', 'nfs', '0:50 / POINT rw - nfs4 nas:/pbs/ rw', 0],
    ['/dev/sdb1[/pbs]', 'btrfs', '0:50 /pbs POINT rw shared:1 - btrfs /dev/sdb1 rw', 0],
    ['/dev/sdb1', 'btrfs', '0:50 /pbs POINT rw shared:1 - btrfs /dev/sdb1 rw', 1],
    ['nas:/pbs', 'nfs', '0:50 / POINT rw - nfs4 nas:/other rw', 1],
  ])('pbs/remount: %s of the type %s, by "%s"', (source, type, row, code) => {
    const dir = mkdtempSync(join(tmpdir(), 'provision-remount-'));
    mkdirSync(join(dir, '.chunks'));
    writeFileSync(join(dir, 'mountinfo'), `36 1 ${row.replace('POINT', dir)}\n`);
    const [step] = planned(remount, on(source, dir, type), 'pbs', { force: true }, { pbs: ready }).steps;
    const text = step?.run.text
      .split('way_back() {')[0]
      ?.replaceAll('/proc/self/mountinfo', `${dir}/mountinfo`);
    expect(spawnSync('/bin/sh', ['-c', `${text}\nas_it_should_be`]).status).toBe(code);
  });
});

describe('pbs/accept-fingerprint', () => {
  const node = (fingerprint: string) => [
    'storage:backups | there | yes',
    `storage:backups | fingerprint | ${fingerprint}`,
    'storage:backups | read | 0',
  ];
  const said = {
    pbs: [`certificate | sha256 | sha256 Fingerprint=${fresh.toUpperCase()}`],
    pve2: node(old),
    pihanga: node(old),
  };
  const plan = (fingerprint?: string, more = {}) =>
    planned(acceptFingerprint, site, 'pbs', { fingerprint }, { ...said, ...more });

  it('needs the very fingerprint from a person; then tells every node that stores there', () => {
    expect(plan()).toMatchObject({
      steps: [],
      refused: { why: expect.stringContaining('confirmed by a person') },
    });
    expect(plan(old)).toMatchObject({
      steps: [],
      refused: { why: expect.stringContaining('is not the fingerprint') },
    });
    const { steps, found } = plan(fresh.toUpperCase());
    expect(steps.map(({ host, run }) => `${host}: ${run.text}`)).toEqual([
      `pve2: pvesm set backups --fingerprint ${fresh}`,
      `pihanga: pvesm set backups --fingerprint ${fresh}`,
    ]);
    expect(found).toContain(
      `to be changed in the inventory, inventory/hosts/pve2.yaml:12:5: fingerprint of backups for pve2: ${fresh}`,
    );
    const now = answersOf({ ...said, pbs: [`certificate | sha256 | ${old}`] });
    expect(steps[0]?.guard(now)?.why).toContain('changed once more');
  });

  it('names the line of the server too: half of the change would be no site', () => {
    const declares = (fingerprint: string) => ({
      hosts: site.hosts.map((host) =>
        host.name === 'pbs' ? { ...host, values: new Map([['pbs', { fingerprint }]]) } : host,
      ),
    });
    const found = (fingerprint: string) =>
      planned(acceptFingerprint, declares(fingerprint), 'pbs', { fingerprint: fresh }, said).found.join('\n');
    expect(found(old)).toContain('pbs.fingerprint of pbs, on the line that `provision explain');
    expect(found(fresh)).not.toContain('pbs.fingerprint');
  });

  it('does not write a file of which Proxmox would drop a storage', () => {
    const torn = [
      ...node(old),
      ...['pbs: backups', '\tdatastore store', '\tserver 10.10.0.151', 'nfs: other', '\texport /x'].map(
        (line) => `storage:backups | file | ${line}`,
      ),
    ];
    expect(plan(fresh, { pve2: torn })).toMatchObject({
      steps: [],
      refused: { why: expect.stringMatching(/^on pve2 .*storage.cfg line 4: "nfs: other"/) },
    });
    const [step] = plan(fresh).steps;
    expect(step?.guard(answersOf(said))).toBeNull();
    expect(step?.guard(answersOf({ ...said, pve2: torn }))?.why).toContain('nfs: other');
    const shell = acceptFingerprint.questions(site, 'pbs', {}).find(({ host }) => host === 'pve2');
    expect(shell?.look.text).toContain('password -');
  });

  it('may start from a node, and does nothing while a node could not be asked', () => {
    expect(acceptFingerprint.hosts(site, {})).toEqual(['pbs', 'pve2', 'pihanga']);
    expect(plan(fresh, { pihanga: null }).refused).toMatchObject({ unknown: true });
  });
});

describe('pbs/retire-groups', () => {
  const day = 86_400;
  const now = 100 * day;
  const snapshot = (group: string, age: number, more = {}) => {
    const [type, id] = group.split('/');
    return { 'backup-type': type, 'backup-id': id, 'backup-time': now - age * day, size: 2 ** 30, ...more };
  };
  const plan = (
    snapshots: readonly object[],
    confirm?: readonly string[],
    more: Record<string, readonly string[] | null> = {},
  ) =>
    planned(
      retireGroups,
      site,
      'pbs',
      { confirm },
      {
        pbs: [`clock | now | ${now}`, `group:store  | list0 | ${JSON.stringify(snapshots)}`],
        pve2: nodeSays,
        pihanga: nodeSays,
        ...more,
      },
    );
  const aged = [snapshot('vm/330', 40), snapshot('vm/330', 90)];

  it('removes nothing that was not typed, and each group by itself', () => {
    expect(plan(aged)).toMatchObject({
      steps: [],
      refused: { hint: expect.stringContaining('--set confirm=vm/330. ') },
    });
    expect(plan(aged, ['vm/33']).refused?.why).toContain('vm/33 is not a declared group');
    const { steps } = plan([...aged, snapshot('ct/105', 50)], ['vm/330', 'ct/105']);
    expect(steps.map(({ run }) => run.text)).toEqual([
      'proxmox-backup-debug api delete /admin/datastore/store/groups --backup-type vm --backup-id 330 ',
      'proxmox-backup-debug api delete /admin/datastore/store/groups --backup-type ct --backup-id 105 ',
    ]);
  });

  it('what nobody has declared is named, and not removed', () => {
    const undeclared = [snapshot('vm/451', 90)];
    expect(plan(undeclared)).toMatchObject({
      found: expect.arrayContaining(['of no guest of the inventory, and not declared: vm/451']),
      steps: [],
      refused: { hint: expect.stringContaining('declare what is to be removed') },
    });
    expect(plan(undeclared, ['vm/451']).refused?.why).toContain('vm/451 is not a declared group');
    expect(plan([])).not.toHaveProperty('refused');
    // Removed already: the same words once more do nothing.
    expect(plan([], ['vm/330'])).not.toHaveProperty('refused');
  });

  it.each([
    [
      'its guest is there',
      aged,
      { pihanga: [...nodeSays, 'guest:vm/330 | is | there'] },
      'vm 330 is on pihanga',
    ],
    ['a node could not be asked', aged, { pihanga: null }, 'not known'],
    ['it is young', [...aged, snapshot('vm/330', 29)], {}, 'less than 30 days'],
    [
      'a clock that is not known',
      aged,
      { pbs: [`group:store  | list0 | ${JSON.stringify(aged)}`] },
      'less than 30 days',
    ],
    [
      'a time that is not known',
      [...aged, snapshot('vm/330', 50, { 'backup-time': 'x' })],
      {},
      'less than 30 days',
    ],
    ['a snapshot is protected', [...aged, snapshot('vm/330', 50, { protected: true })], {}, 'is protected'],
    ['protected as a number', [...aged, snapshot('vm/330', 50, { protected: 1 })], {}, 'is protected'],
    [
      'it is not known what there is',
      aged,
      { pbs: [`clock | now | ${now}`, 'group:store  | list255 | Error'] },
      'does not say',
    ],
  ])('is refused: %s', (_, snapshots, more, why) => {
    expect(plan(snapshots, ['vm/330'], more)).toMatchObject({
      steps: [],
      refused: { why: expect.stringContaining(why) },
    });
  });

  it('is refused where the inventory still has the guest, or no node that could tell', () => {
    const says = { pbs: [`clock | now | ${now}`, `group:store  | list0 | ${JSON.stringify(aged)}`] };
    const on = (...guests: readonly ProcedureGuest[][]) =>
      planned(
        retireGroups,
        siteOf(
          ...site.hosts.filter(({ platform }) => platform === 'pbs'),
          ...guests.map((own) => ({ name: 'pve2', guests: own })),
        ),
        'pbs',
        { confirm: ['vm/330'] },
        { ...says, pve2: nodeSays },
      );
    expect(on([]).steps).toHaveLength(1);
    expect(on([{ vmid: 330, type: 'vm' }]).refused?.why).toContain('the inventory has that guest on pve2');
    expect(on([{ vmid: 330, type: 'ct' }]).steps).toHaveLength(1);
    expect(on().refused).toMatchObject({ unknown: true });
  });

  it('looks again right before it removes', () => {
    const [step] = plan(aged, ['vm/330']).steps;
    const young = JSON.stringify([...aged, snapshot('vm/330', 0)]);
    const again = answersOf({
      pve2: nodeSays,
      pihanga: nodeSays,
      pbs: [`clock | now | ${now}`, `group:store  | list0 | ${young}`],
    });
    expect(step?.guard(again)?.why).toContain('less than 30 days');
  });
});
