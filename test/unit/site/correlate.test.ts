import { describe, expect, it } from 'vitest';
import type { Symptom } from '../../../src/model/finding.ts';
import type { HostRun } from '../../../src/model/run.ts';
import { correlate } from '../../../src/site/correlate.ts';
import type { Fleet } from '../../../src/site/fleet.ts';
import { checked, run } from '../report/runs.ts';

const clients = ['ruapehu', 'pihanga', 'hikurangi'];
const store = '/mnt/pbs-datastore';

const fleet: Fleet = {
  storages: [
    ...clients.map((host) => ({ host, id: 'pbs-pihanga', server: 'pbs', datastore: 'pbs-datastore' })),
    { host: 'pve2', id: 'truenas-bu', server: 'truenas-bu' },
    { host: 'ruapehu', id: 'truenas-bu', server: 'truenas-bu' },
  ],
  datastores: [{ host: 'pbs', name: 'pbs-datastore', path: store, mount: store, nas: 'truenas-hdd' }],
  mounts: [
    { host: 'pbs', path: store, server: 'truenas-hdd' },
    { host: 'pve2', path: '/mnt/pve/truenas-bu', server: 'truenas-bu' },
    { host: 'ruapehu', path: '/mnt/pve/truenas-bu', server: 'truenas-bu' },
  ],
};

const shows = (
  host: string,
  ...symptoms: [code: string, of: string, data?: Record<string, string>][]
): HostRun =>
  run(host, {
    symptoms: symptoms.map(
      ([code, of, data]): Symptom => ({ code, of, says: `${host} says ${code}`, ...(data ? { data } : {}) }),
    ),
  });
const chunks = (host: string) => shows(host, ['chunk-store', 'storage:pbs-pihanga']);
const fine = (host: string) => run(host);
const dead = (host: string) =>
  run(host, { error: { code: 'unreachable', message: `${host} did not answer` } });

function found(...runs: HostRun[]) {
  return correlate(fleet, runs).map(({ rule, hosts, suspect, procedure }) => [
    rule,
    hosts.join(' '),
    suspect,
    procedure,
  ]);
}

/** The first columns of it. */
function short(columns: number, ...runs: HostRun[]) {
  return found(...runs).map((row) => row.slice(0, columns));
}

describe('the same on several hosts is told once, with what they share', () => {
  it('all have chunk store errors and the server holds stale handles: it is restarted', () => {
    expect(found(...clients.map(chunks), shows('pbs', ['stale-handles', `datastore:${store}`]))).toEqual([
      [
        ...['stale-nfs-handles', 'pbs ruapehu pihanga hikurangi', 'pbs:pbs'],
        'provision run pbs/restart-stale --host pbs',
      ],
    ]);
  });

  it('a server older than its mount is evidence beside such errors, and no trouble alone', () => {
    const older = shows('pbs', ['older-than-mount', `datastore:${store}`]);
    expect(short(2, chunks('ruapehu'), chunks('pihanga'), older)).toEqual([
      ['stale-nfs-handles', 'pbs ruapehu pihanga'],
    ]);
    expect(found(fine('ruapehu'), older)).toEqual([]);
  });

  it.each(['mount-hangs', 'mount-absent', 'store-absent'])(
    '%s on the server: the mount is the cause',
    (code) => {
      const runs = [
        ...clients.map(chunks),
        shows('pbs', [code, `mount:${store}`], ['stale-handles', `datastore:${store}`]),
      ];
      expect(found(...runs, fine('truenas-hdd'))).toEqual([
        [
          'datastore-mount',
          'pbs ruapehu pihanga hikurangi',
          `mount:${store}`,
          'provision run pbs/remount --host pbs',
        ],
      ]);
      expect(short(3, ...runs, dead('truenas-hdd'))).toEqual([
        ['datastore-mount', expect.anything(), 'host:truenas-hdd'],
      ]);
    },
  );

  it('a certificate that changed', () => {
    const refused = (host: string) => shows(host, ['fingerprint', 'storage:pbs-pihanga']);
    const changed = shows('pbs', ['certificate-changed', 'pbs:pbs']);
    const told = [
      'certificate-changed',
      'pbs ruapehu pihanga',
      'pbs:pbs',
      'provision run pbs/accept-fingerprint --host pbs',
    ];
    expect(found(refused('ruapehu'), refused('pihanga'), changed)).toEqual([told]);
    expect(
      found(refused('ruapehu'), shows('pihanga', ['storage-inactive', 'storage:pbs-pihanga']), changed),
    ).toEqual([told]);
    expect(short(2, changed)).toEqual([['certificate-changed', 'pbs']]);
    expect(short(2, refused('ruapehu'), fine('pbs'))).toEqual([['certificate-changed', 'pbs ruapehu']]);
  });

  it('a certificate and a mount on one server are two troubles', () => {
    const runs = [
      shows('ruapehu', ['fingerprint', 'storage:pbs-pihanga']),
      shows('pbs', ['mount-hangs', `mount:${store}`], ['certificate-changed', 'pbs:pbs']),
    ];
    expect(found(...runs).map(([rule]) => rule)).toEqual(['certificate-changed', 'datastore-mount']);
  });

  it('a silent server is suspected, and it is said that it was not seen', () => {
    const inactive = clients.map((host) => shows(host, ['storage-inactive', 'storage:pbs-pihanga']));
    expect(short(3, ...inactive, dead('pbs'))).toEqual([
      ['backup-server', 'pbs ruapehu pihanga hikurangi', 'pbs:pbs'],
    ]);
    expect(correlate(fleet, [...inactive, dead('pbs')])[0]?.message).toContain(
      'pbs could not be looked at (pbs did not answer)',
    );
    expect(correlate(fleet, inactive)[0]?.message).toContain('pbs was not asked');
    expect(correlate(fleet, [...inactive, fine('pbs')])[0]?.message).toContain('pbs itself shows nothing');
  });

  it('old backups beside it follow from it', () => {
    const old = shows(
      'pbs',
      ['stale-handles', `datastore:${store}`],
      ['backup-old', 'datastore:pbs-datastore'],
    );
    const runs = [
      shows('ruapehu', ['chunk-store', 'storage:pbs-pihanga'], ['backup-old', 'guest:200']),
      chunks('pihanga'),
      old,
    ];
    expect(short(2, ...runs)).toEqual([['stale-nfs-handles', 'pbs ruapehu pihanga']]);
  });

  it('several hosts that cannot use one NAS', () => {
    const hangs = (host: string) => shows(host, ['mount-hangs', 'mount:/mnt/pve/truenas-bu']);
    const dumps = shows('ruapehu', ['mount-hangs', 'dumps:/mnt/pve/truenas-bu/dump']);
    expect(short(3, hangs('pve2'), dumps, fine('truenas-bu'))).toEqual([
      ['nas-unreachable', 'truenas-bu pve2 ruapehu', 'host:truenas-bu'],
    ]);
    expect(short(2, hangs('pve2'), fine('ruapehu'), fine('truenas-bu'))).toEqual([['one-host-only', 'pve2']]);
    expect(short(2, hangs('pve2'), dead('truenas-bu'))).toEqual([['nas-unreachable', 'truenas-bu pve2']]);
  });
});

describe('on one host', () => {
  it('is its own trouble while others are well, and not known to be while they were not seen', () => {
    const only = correlate(fleet, [chunks('ruapehu'), fine('pihanga'), dead('hikurangi'), fine('pbs')]);
    expect(only).toMatchObject([
      { rule: 'one-host-only', hosts: ['ruapehu'], suspect: 'storage:pbs-pihanga' },
    ]);
    expect(only[0]?.message).toContain('hikurangi could not be looked at');
    expect(short(2, chunks('ruapehu'), dead('pihanga'), dead('hikurangi'), dead('pbs'))).toEqual([
      ['backup-server', 'pbs ruapehu'],
    ]);
  });

  it('a guest that is locked, and a worker that hangs', () => {
    const unstick = 'provision run vzdump/unstick 1034 --host pve2';
    expect(found(shows('pve2', ['guest-locked', 'guest:1034']))).toEqual([
      ['backup-stuck', 'pve2', 'guest:1034', unstick],
    ]);
    const hanging = shows(
      'pve2',
      ['worker-hanging', 'guest:1034'],
      ['guest-locked', 'guest:1034'],
      ['lock-timeout', 'node:vzdump'],
    );
    expect(found(hanging)).toEqual([['backup-stuck', 'pve2', 'guest:1034', unstick]]);
    expect(short(4, shows('pve2', ['lock-timeout', 'node:vzdump', { guest: 'ct/1031' }]))).toEqual([
      ['backup-stuck', 'pve2', 'node:vzdump', 'provision run vzdump/unstick 1031 --host pve2'],
    ]);
  });

  it('a guest is locked while its backup runs: no trouble, and nothing that ends it', () => {
    const locked = (lock: string): [string, string, Record<string, string>] => [
      'guest-locked',
      'guest:1034',
      { lock },
    ];
    const running: [string, string] = ['backup-running', 'guest:1034'];
    expect(found(shows('pve2', locked('backup'), running))).toEqual([]);
    expect(short(1, shows('pve2', locked('backup')), shows('ruapehu', running))).toEqual([['backup-stuck']]);
    // Another one than that of the backup that runs.
    const [other] = found(shows('pve2', locked('migrate'), running));
    expect(other).toEqual(['backup-stuck', 'pve2', 'guest:1034', undefined]);
  });

  it('modes that may not be set: the ACL mode of the NAS, when that is seen', () => {
    const denied = shows('pve2', ['not-permitted', 'storage:truenas-bu']);
    const repair = 'provision run nfs/repair-permissions --host truenas-bu';
    const acl = shows('truenas-bu', ['acl-restricted', 'dataset:main_pool/bu']);
    expect(found(denied, acl)).toEqual([
      ['nas-permissions', 'truenas-bu pve2', 'dataset:main_pool/bu', repair],
    ]);
    expect(found(denied, fine('truenas-bu'))).toEqual([
      ['nas-permissions', 'truenas-bu pve2', 'host:truenas-bu', repair],
    ]);
  });

  it('an NFS server that does not run: it alone, with all that waits for it', () => {
    const down = shows('truenas-hdd', ['nfs-down', 'service:nfs']);
    const start = 'provision apply --host truenas-hdd';
    const waits = shows('pbs', ['mount-hangs', `mount:${store}`], ['pbs-hangs', 'datastore:pbs-datastore']);
    expect(
      found(down, waits, ...clients.map((host) => shows(host, ['storage-inactive', 'storage:pbs-pihanga']))),
    ).toEqual([['nfs-server-down', 'truenas-hdd pbs ruapehu pihanga hikurangi', 'host:truenas-hdd', start]]);
    expect(found(down, fine('pbs'))).toEqual([['nfs-server-down', 'truenas-hdd', 'host:truenas-hdd', start]]);
    // Served again they would be stale still, and the other NAS has its own troubles.
    expect(
      short(
        1,
        down,
        shows('pbs', ['stale-handles', `datastore:${store}`]),
        shows('pve2', ['mount-hangs', 'mount:/mnt/pve/truenas-bu']),
      ),
    ).toEqual([['nfs-server-down'], ['stale-nfs-handles'], ['one-host-only']]);
  });

  it('groups of guests that are gone', () => {
    const gone = shows('pbs', ['group-undeclared', 'datastore:pbs-datastore', { groups: 'vm/330 ct/7' }]);
    expect(found(gone)).toEqual([
      ['groups-of-no-guest', 'pbs', 'datastore:pbs-datastore', 'provision run pbs/retire-groups --host pbs'],
    ]);
    // What gets backups is not to be removed.
    const back = shows('pbs', ['group-revived', 'datastore:pbs-datastore']);
    expect(found(back)).toEqual([['groups-of-no-guest', 'pbs', 'datastore:pbs-datastore', undefined]]);
  });

  it('damage in a pool makes the backups since then suspect', () => {
    const data = { guests: '1008, 1034', since: '1795168800' };
    const runs = [
      shows('pve2', ['zfs-damage', 'pool:rpool', data], ['backup-suspect', 'dumps:/mnt/pve/truenas-bu/dump']),
    ];
    expect(short(3, ...runs)).toEqual([['damaged-pool', 'pve2', 'pool:rpool']]);
    expect(correlate(fleet, runs)[0]?.message).toContain(
      'backups of the guests 1008, 1034 made since 2026-11-20 10:00 UTC may',
    );
  });

  it('symptoms of checks count like those of resources, each once', () => {
    const symptoms = [{ code: 'guest-locked', of: 'guest:1034', says: 'locked' }];
    const both = run('pve2', { symptoms, checks: [{ ...checked('backup-jobs/log', 'fail'), symptoms }] });
    expect(found(both)).toHaveLength(1);
  });
});

/** Small, fixed generator: a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return Math.floor((state / 0x7fffffff) * below);
  };
}

describe('whatever the hosts show', () => {
  const client: [string, string][] = [
    ...['chunk-store', 'fingerprint', 'storage-inactive', 'storage-unreachable', 'denied', 'no-space'].map(
      (code): [string, string] => [code, 'storage:pbs-pihanga'],
    ),
    ...['not-permitted', 'storage-inactive'].map((code): [string, string] => [code, 'storage:truenas-bu']),
    ...['guest-locked', 'worker-hanging', 'backup-old', 'other', 'no-backup'].map(
      (code): [string, string] => [code, 'guest:200'],
    ),
    ...([
      ['lock-timeout', 'node:vzdump'],
      ['mount-hangs', 'mount:/mnt/pve/truenas-bu'],
      ['mount-hangs', 'dumps:/mnt/pve/truenas-bu/dump'],
      ['zfs-damage', 'pool:rpool'],
      ['backup-suspect', 'dumps:/x'],
      ['no-quorum', 'cluster:node'],
      ['chunk-store', 'storage:unheard-of'],
    ] as [string, string][]),
  ];
  const server: [string, string][] = [
    ...['mount-hangs', 'mount-absent'].map((code): [string, string] => [code, `mount:${store}`]),
    ...['stale-handles', 'older-than-mount', 'store-absent', 'pbs-down', 'mount-hangs'].map(
      (code): [string, string] => [code, `datastore:${store}`],
    ),
    ...['chunk-store', 'pbs-hangs', 'backup-old', 'group-undeclared'].map((code): [string, string] => [
      code,
      'datastore:pbs-datastore',
    ]),
    ['certificate-changed', 'pbs:pbs'],
    ['acl-restricted', 'dataset:tank/x'],
  ];

  it('every host that fails is in a finding, in each only once, and no trouble is told twice', () => {
    const next = random(20261120);
    const some = (host: string, from: readonly [string, string][]): HostRun => {
      const kind = next(6);
      if (kind === 0) return dead(host);
      if (kind === 1) return fine(host);
      return shows(
        host,
        ...Array.from({ length: 1 + next(3) }, () => from[next(from.length)] as [string, string]),
      );
    };
    for (let round = 0; round < 3000; round += 1) {
      const runs = [...clients, 'pve2'].map((host) => some(host, client));
      if (next(4) > 0) runs.push(some('pbs', server));
      if (next(4) > 0) runs.push(some('truenas-bu', [['acl-restricted', 'dataset:tank/bu']]));
      const findings = correlate(fleet, runs);
      const label = JSON.stringify({
        runs: runs.map(({ host, symptoms, error }) => [
          host,
          error?.code,
          symptoms?.map(({ code, of }) => `${code} ${of}`),
        ]),
        findings,
      });
      const failing = runs.filter(({ symptoms }) =>
        symptoms?.some(({ code }) => code !== 'older-than-mount'),
      );
      for (const { host } of failing)
        expect(
          findings.some(({ hosts }) => hosts.includes(host)),
          `${host} ${label}`,
        ).toBe(true);
      for (const { hosts } of findings) expect(hosts, label).toEqual([...new Set(hosts)]);
      const told = findings.map(({ rule, suspect, hosts }) => `${rule} ${suspect} ${hosts[0]}`);
      expect(told, label).toEqual([...new Set(told)]);
      const well = runs.filter(({ symptoms, error }) => error === undefined && (symptoms ?? []).length === 0);
      // A server is named first as the one to look at; no other host is accused that shows nothing.
      for (const { host } of well)
        for (const { hosts } of findings) expect(hosts.slice(1), label).not.toContain(host);
    }
  });
});
