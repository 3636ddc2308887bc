import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { changes, type LabHost, startHost, stopAll } from './lab.ts';
import { scratch } from './machine.ts';
import { type Told, tell } from './story.ts';
import { describeLab } from './suite.ts';

const project = new URL('../../', import.meta.url).pathname;
const world = '/var/lib/proxmox-stand-ins';

/** The example site as it is shipped; only how these hosts are reached is another. */
function exampleSite(hosts: readonly LabHost[]): string {
  const dir = scratch('fleet');
  for (const part of ['inventory', 'roles', 'templates'])
    cpSync(join(project, part), join(dir, part), { recursive: true });
  for (const host of hosts) {
    const file = join(dir, `inventory/hosts/${host.name}.yaml`);
    const data = parse(readFileSync(file, 'utf8'));
    data.connection = {
      session: 'ssh',
      address: host.address,
      user: 'root',
      identity_file: host.identityFile,
      machine_id: host.machineId,
    };
    writeFileSync(file, stringify(data, { aliasDuplicateObjects: false }));
  }
  writeFileSync(
    join(dir, 'inventory/known_hosts'),
    hosts.flatMap((host) => host.hostKeys.map((line) => `${line}\n`)).join(''),
  );
  return dir;
}

/** What the hosts of the site have before anybody provisions them, as far as a container can have it. */
const before: Readonly<Record<string, string>> = {
  pve2: `mkdir -p /var/lib/vz /mnt/pve/truenas-bu; cd ${world}
echo 'pbs-pihanga pbs active 1000000 1000 999000' >storages
mkdir -p guests/111/services guests/111/faults guests/111/root/var/lib/influxdb3/data/node0/wal
cd guests/111; mkdir root/var/lib/influxdb3/data/node0/catalog
echo qemu >type; echo running >status; echo 'agent: 1' >config; printf active >services/influxdb3-core`,
  pbs: ':',
  synology: `mkdir -p -m 0777 /volume1/Backup
echo 'provision:x:1030:100:provision:/home/provision:/bin/sh' >>/etc/passwd
mkdir -p -m 0711 /home/provision; chown 1030:100 /home/provision
printf '#!/bin/sh\n' >/usr/bin/rsync; chmod 0755 /usr/bin/rsync`,
  'truenas-bu': 'mkdir -p /mnt/main_pool/bu/dump',
};

/** A package that every host of the site asks for, empty: the lab has no network. */
const smartmontools = `mkdir -p /tmp/p/DEBIAN
printf 'Package: smartmontools\nVersion: 7.3\nArchitecture: all\nMaintainer: Lab <lab@lab.lan>\nDescription: empty\n' >/tmp/p/DEBIAN/control
dpkg-deb --root-owner-group --build /tmp/p /tmp/p.deb >/dev/null; dpkg -i /tmp/p.deb >/dev/null; rm -r /tmp/p /tmp/p.deb`;

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
  // No NFS client in the kernel, no clock to set, and the small NAS has no sudo to try another account with.
  const pbs = ['fail base/clock-synchronised', 'fail nfs-client/mounted'];
  const pve2 = ['fail base/clock-synchronised', 'fail vzdump/backup-mount'];
  const synology = ['', '-2', '-3', '-4'].map(
    (number) => `unknown backup-target/directory-writable${number}`,
  );
  const unmounted = 'mount:/mnt/pbs-datastore';

  beforeAll(async () => {
    hosts = await Promise.all([
      startHost({ image: 'debian', name: 'pve2' }),
      startHost({ image: 'debian', name: 'pbs', platform: 'pbs' }),
      startHost({ image: 'nas-flock', name: 'synology', tmpfs: { '/volume1': 'size=1m' } }),
      startHost({
        image: 'debian',
        name: 'truenas-bu',
        platform: 'truenas',
        tmpfs: { '/mnt/main_pool/bu': 'size=1m' },
      }),
    ]);
    await Promise.all(hosts.map((host) => host.sh(before[host.name] ?? 'false')));
    await Promise.all(['pve2', 'pbs'].map((name) => named(name).sh(smartmontools)));
    site = exampleSite(hosts);
  });
  afterAll(stopAll);

  test('diff on all of them at once, then apply: what a container can have is as wanted', async () => {
    const diff = await tell(site, 'diff', ...only);
    expect(diff.exit, diff.said).toBe(2);
    expect(new Set(diff.changes.map(({ host }) => host))).toEqual(new Set(['pve2', 'pbs', 'synology']));
    const apply = await tell(site, 'apply', '--yes', ...only);
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes.map(({ host, id }) => [host, id])).toEqual(
      diff.changes.map(({ host, id }) => [host, id]),
    );
    expect(
      apply.changes.filter(({ outcome }) => outcome !== 'done').map(({ id }) => id),
      apply.said,
    ).toEqual([unmounted]);
    // On truenas-bu there was nothing to do, so nothing to prove.
    expect(told(apply)).toEqual({ pbs, pve2, synology, 'truenas-bu': [] });
    expect(await named('pve2').readFile('/etc/hosts')).toContain(
      `\n${named('synology').address} synology.lan synology\n`,
    );
  });

  test('nothing is left to do but the mount, and a second apply touches no file', async () => {
    const left = await tell(site, 'diff', ...only);
    expect(left.exit, left.said).toBe(2);
    expect(
      left.changes.map(({ id }) => id),
      left.said,
    ).toEqual([unmounted]);
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
    ).toEqual([unmounted]);
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
    expect(told(check), check.said).toEqual({ pbs, pve2, synology, 'truenas-bu': [] });
    expect(check.exit).toBe(4);
    expect((await tell(site, 'check', '--host', 'truenas-bu')).exit).toBe(0);
    expect((await tell(site, 'check', '--host', 'synology')).exit).toBe(8);
  });
});
