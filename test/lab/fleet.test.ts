import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOfRoot } from './example-guests.ts';
import { chosenFingerprint, emptyPackage, exampleSite } from './example-site.ts';
import { changes, type LabHost, startHost, stopAll } from './lab.ts';
import { fingerprint, pbsHost } from './pbs-host.ts';
import { startPmxcfs } from './pmxcfs.ts';
import { type Told, tell } from './story.ts';
import { describeLab } from './suite.ts';

const world = '/var/lib/proxmox-stand-ins';
const member = (name: string) => ({ path: `/dev/disk/by-id/${name}`, state: 'ONLINE' });
/** The mirror of pve2, healthy. */
const pool = {
  state: 'ONLINE',
  vdevs: [
    {
      name: 'mirror-0',
      state: 'ONLINE',
      vdevs: [
        member('ata-TEAM_T253256GB_TPBF2212130080607072-part3'),
        member('ata-TEAM_T2531TB_TPBG2212130010401358-part3'),
      ],
    },
  ],
  scan: {
    function: 'SCRUB',
    state: 'FINISHED',
    start: Math.floor(Date.now() / 1000) - 86_400,
    end: Math.floor(Date.now() / 1000) - 86_000,
    errors: 0,
  },
  errors: [],
};

/** What the hosts of the site have before anybody provisions them, as far as a container can have it. */
const before: Readonly<Record<string, string>> = {
  pve2: `mkdir -p /var/lib/vz /mnt/pve/truenas-bu; cd ${world}
mkdir -p guests/111/services guests/111/faults guests/111/root/var/lib/influxdb3/data/node0/wal
cd guests/111; mkdir root/var/lib/influxdb3/data/node0/catalog
echo running >status; printf active >services/influxdb3-core
mkdir -p /var/lib/zfs-stand-ins/pools /etc/zfs/zed.d /dev/disk
printf '%s' '${JSON.stringify(pool)}' >/var/lib/zfs-stand-ins/pools/rpool.json
echo 'ZED_EMAIL_ADDR="root"' >/etc/zfs/zed.d/zed.rc
printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/zfs-zed.service
systemctl daemon-reload; systemctl --quiet enable --now zfs-zed
${addressOfRoot}
cd /etc/pve/nodes/pve2
printf 'hostname: ct1008\nrootfs: local:1008,size=8G\n' >lxc/1008.conf
printf 'hostname: ct10006\nrootfs: local:10006,size=8G\n' >lxc/10006.conf
printf 'agent: 1\nname: influxdb\nscsi0: local:111,size=8G\n' >qemu-server/111.conf
printf 'hostname: docker\nmp0: /mnt/Main,mp=/mnt/Main\nrootfs: local:1031,size=64G\n' >lxc/1031.conf
printf 'hostname: plex\nrootfs: local:1034,size=64G\n' >lxc/1034.conf`,
  pbs: ':',
  synology: `mkdir -p /var/lib/synology-stand-ins/shares
echo 'provision:x:1030:100:provision:/home/provision:/bin/sh' >>/etc/passwd
mkdir -p -m 0711 /home/provision; chown 1030:100 /home/provision
printf '#!/bin/sh\n' >/usr/bin/rsync; chmod 0755 /usr/bin/rsync`,
  'truenas-bu': `mkdir -p /mnt/main_pool/bu; mount -t tmpfs -o size=1m main_pool/bu /mnt/main_pool/bu
mkdir -p /mnt/main_pool/bu/dump /var/lib/truenas-stand-ins; cd /var/lib/truenas-stand-ins
printf 25.04 >version; echo '[]' >shares.json; printf /etc/exports >exports-path; rm -rf /etc/exports.d
echo '{"main_pool": {}, "main_pool/bu": {"props": {"acltype": "nfsv4", "aclmode": "restricted"}}}' >datasets.json
echo '{"nfs": {"id": 11, "enable": false, "state": "STOPPED"}}' >services.json`,
};

describeLab('the example fleet', () => {
  let hosts: LabHost[];
  let site: string;
  const only = ['--host', 'pve2,pbs,synology,truenas-bu'];
  const named = (name: string): LabHost => {
    const host = hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  };
  const told = (report: Told) =>
    Object.fromEntries(
      report.hosts.map((one) => [
        one.host,
        one.checks.flatMap(({ id, outcome }) => (outcome === 'pass' ? [] : `${outcome} ${id}`)),
      ]),
    );
  // No NFS in the kernel and so no datastore, no clock to set, no pools, no NAS of a real size, and the small one has no sudo to try
  // another account with.
  const pbs = [
    'fail base/clock-synchronised',
    'fail nfs-client/mounted',
    'fail pbs/stores-present',
    'fail pbs/store-pbs-datastore',
    'fail pbs/store-usable-pbs-datastore',
    'fail pbs/handles-pbs-datastore',
    'fail pbs-health/healthy',
  ];
  const pve2 = ['fail base/clock-synchronised', 'fail vzdump/backup-mount'];
  const synology = [
    ...['', '-2', '-3', '-4'].map((number) => `unknown backup-target/directory-writable${number}`),
    'fail synology-backup-target/share-space',
  ];
  const truenas = ['fail truenas-backup-target/listens', 'fail truenas-backup-target/write'];
  // What only a night of backups leaves behind.
  const nights = {
    pbs: ['unknown pbs/backups-pbs-datastore'],
    pve2: [
      ...[1031, 1034, 111].map((vmid) => `fail backup-jobs/log-${vmid}`),
      'fail backup-jobs/archives-truenas-bu',
      'fail backup-jobs/archives-local',
    ],
  };
  const unmounted = [
    'mount:/mnt/pbs-datastore',
    'pbs_datastore:pbs-datastore',
    'pbs_job:gc/pbs-datastore',
    'pbs_job:prune/pbs-prune',
    'pbs_job:verify/pbs-verify',
    'pbs_user:backup@pbs',
  ];

  beforeAll(async () => {
    hosts = await Promise.all([
      startHost({ image: 'debian', name: 'pve2' }),
      pbsHost({ mounted: false }),
      startHost({ image: 'nas-flock', name: 'synology', tmpfs: { '/volume1': 'size=1m' } }),
      startHost({ image: 'debian', name: 'truenas-bu', platform: 'truenas' }),
    ]);
    await startPmxcfs(named('pve2'));
    await Promise.all(hosts.map((host) => host.sh(before[host.name] ?? 'false')));
    await Promise.all(['pve2', 'pbs'].map((name) => emptyPackage(named(name), 'smartmontools')));
    site = exampleSite(hosts, {
      texts: { [chosenFingerprint]: await fingerprint(named('pbs')) },
      // There is nobody to push metrics to.
      edits: {
        'inventory/hosts/pbs.yaml': [['    push_url: http://pushgateway.lan:30091 # name (chosen)\n', '']],
      },
    });
  }, 120_000);
  afterAll(stopAll);

  test('diff on all of them at once, then apply: what a container can have is as wanted', async () => {
    const diff = await tell(site, 'diff', ...only);
    expect(diff.exit, diff.said).toBe(2);
    expect(new Set(diff.changes.map(({ host }) => host))).toEqual(
      new Set(['pve2', 'pbs', 'synology', 'truenas-bu']),
    );
    const apply = await tell(site, 'apply', '--yes', ...only);
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes.map(({ host, id }) => [host, id])).toEqual(
      diff.changes.map(({ host, id }) => [host, id]),
    );
    expect(
      apply.changes.filter(({ outcome }) => outcome !== 'done').map(({ id }) => id),
      apply.said,
    ).toEqual(unmounted);
    expect(told(apply), apply.said).toEqual({ pbs, pve2, synology, 'truenas-bu': truenas });
    expect(await named('pve2').readFile('/etc/hosts')).toContain(
      `\n${named('synology').address} synology.lan synology\n`,
    );
  });

  test('nothing is left to do but the mount and what lies on it, and a second apply touches no file', async () => {
    const left = await tell(site, 'diff', ...only);
    expect(left.exit, left.said).toBe(2);
    expect(
      left.changes.map(({ id }) => id),
      left.said,
    ).toEqual(unmounted);
    const watched: Readonly<Record<string, readonly string[]>> = {
      pve2: ['/etc', '/root', '/usr/local', '/var/lib/vz'],
      pbs: ['/etc', '/root', '/mnt'],
      synology: ['/etc', '/home', '/root', '/volume1'],
      'truenas-bu': ['/etc', '/root', '/mnt', '/home'],
    };
    const look = () => Promise.all(hosts.map((host) => host.snapshot(watched[host.name] ?? [])));
    const then = await look();
    const again = await tell(site, 'apply', '--yes', ...only);
    expect(
      again.changes.map(({ id }) => id),
      again.said,
    ).toEqual(unmounted);
    const now = await look();
    expect(then.map((snapshot, at) => changes(snapshot, now[at] ?? new Map()))).toEqual([[], [], [], []]);
  });

  test('a hand edit on one of them is drift there, and is mended there alone', async () => {
    await named('pve2').sh("echo 'remove: 0' >>/etc/vzdump.conf");
    const apply = await tell(site, 'apply', '--yes', '--host', 'pve2,synology,truenas-bu');
    expect(
      apply.changes.map(({ host, id, cause, outcome }) => `${host} ${cause} ${outcome} ${id}`),
      apply.said,
    ).toEqual(['pve2 drift done file:/etc/vzdump.conf']);
  });

  test('check on all of them at once', async () => {
    const check = await tell(site, 'check', ...only);
    expect(told(check), check.said).toEqual({
      pbs: [...pbs, ...nights.pbs],
      pve2: [...pve2, ...nights.pve2],
      synology,
      'truenas-bu': truenas,
    });
    expect(check.exit).toBe(4);
    expect((await tell(site, 'check', '--host', 'truenas-bu')).exit).toBe(4);
    expect((await tell(site, 'check', '--host', 'synology', '--role', 'backup-target')).exit).toBe(8);
  });
});
