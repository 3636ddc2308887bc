import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, type Told, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const ours = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
const key = 'ssh_key:root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA';
const foreign =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/ foreign@else.lan';

const unsynchronised = { exit: 4, notPassed: ['base/clock-synchronised'] };

describeLab('the role base on a node of Proxmox VE', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const vars = {
    time_sync: 'none',
    packages: ['dummy-two'],
    extra_hosts: [{ address: '10.10.0.1', names: ['gateway.lan', 'gateway'] }],
    ssh_keys: [{ name: 'controller', key: `${ours} provision@controller.lan`, options: 'no-pty' }],
  };
  const write = (more = {}) =>
    inventoryFor([host], { roles: ['base'], vars: { base: { ...vars, ...more } } }, site);

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    watched = { host, dirs: ['/etc', '/root', '/var/lib/dpkg', '/var/lib/apt', '/usr/share'] };
    site = inventoryFor([host], { roles: ['base'], vars: { base: vars } });
    await host.sh('mkdir -p /etc/pve/nodes/pve1 /root/.ssh; chmod 0700 /root/.ssh');
    await host.writeFile('/root/.ssh/authorized_keys', `${foreign}\n`, '0600');
  });
  afterAll(stopAll);

  test('converges from a fresh host; keys of others stay', async () => {
    const { diff } = await converges(site, watched);
    expect(ids(diff).sort()).toEqual(['file:/etc/hostname', 'file:/etc/hosts', 'package:dummy-two', key]);
    expect(await host.readFile('/root/.ssh/authorized_keys')).toBe(`${foreign}\nno-pty ${ours} controller\n`);
    expect(await host.sh('cat /usr/share/dummy-one/about /usr/share/dummy-two/about')).toBe(
      'dummy-one\ndummy-two\n',
    );
    expect(await host.readFile('/etc/hosts')).toContain(`\n${host.address} pve1.lan pve1\n`);
    await checks(site);
  });

  test.each([
    ['file:/etc/hostname', 'chmod 0600 /etc/hostname'],
    ['file:/etc/hostname', 'echo other >/etc/hostname'],
    ['file:/etc/hosts', 'echo 10.10.0.9 foreign.lan >>/etc/hosts'],
    ['file:/etc/hosts', 'chown games: /etc/hosts'],
    ['package:dummy-two', 'dpkg --remove dummy-two 2>/dev/null'],
    [key, 'sed -i /controller/d /root/.ssh/authorized_keys'],
    [key, 'sed -i "s/^no-pty //" /root/.ssh/authorized_keys'],
    [key, 'chmod 0666 /root/.ssh/authorized_keys'],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
    expect(await host.readFile('/root/.ssh/authorized_keys')).toContain(foreign);
  });

  test('a host name on a loopback address fails the check', async () => {
    await checks(site);
    await host.sh('cp -a /etc/hosts /run/hosts; sed -i "s/^.* pve1.lan.*/127.0.1.1 pve1/" /etc/hosts');
    await checks(site, { exit: 4, notPassed: ['base/name-resolves'] });
    await host.sh('cat /run/hosts >/etc/hosts');
    await checks(site);
  });

  test('a name that is no node of Proxmox VE is refused, before anything else is touched', async () => {
    await host.sh('mv /etc/pve/nodes/pve1 /etc/pve/nodes/other; echo other >/etc/hostname');
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(5);
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(5);
      expect(apply.changes.map(({ outcome, id }) => `${outcome} ${id}`)).toEqual([
        'refused file:/etc/hostname',
      ]);
      expect(apply.changes[0]?.message).toBe(
        'its validator (sh -c ... sh {file}) rejects the new content (exit 1): there is no /etc/pve/nodes/pve1: a node of Proxmox VE cannot be renamed, its guests would be gone',
      );
    });
    expect(touched).toEqual([]);
    await host.sh('mv /etc/pve/nodes/other /etc/pve/nodes/pve1; echo pve1 >/etc/hostname');
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('a hosts file with which pmxcfs would not start is refused', async () => {
    write({ site_hosts: [{ address: '127.0.1.1', name: 'pve1' }] });
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(5);
    expect(diff.changes[0]?.message).toContain(
      'gives a host name to a loopback address: 127.0.1.1 pve1.lan pve1',
    );
    write();
  });

  test('chrony: servers, running, started at boot; in a container the clock is not synchronised', async () => {
    write({ time_sync: 'chrony', time_servers: ['ntp1.lan'] });
    await converges(site, watched, unsynchronised);
    const sources = '/etc/chrony/sources.d/provision.sources';
    await mends(site, host, 'systemctl stop chrony', 'unit:chrony.service');
    await mends(site, host, 'systemctl disable chrony 2>/dev/null', 'unit:chrony.service');
    // The service runs without it until it is restarted: that is a part of the change.
    await mends(site, host, `echo >${sources}`, `file:${sources}`, 'unit:chrony.service');
    await checks(site, unsynchronised);
  });

  test('timesyncd that cannot be installed: said by its name, chrony stays, nothing half done', async () => {
    write({ time_sync: 'timesyncd', time_servers: ['ntp1.lan'] });
    let apply: Told | undefined;
    const touched = await changedBy({ ...watched, ignore: ['/var/lib/apt', '/var/lib/dpkg'] }, async () => {
      apply = await tell(site, 'apply', '--yes');
    });
    expect(touched).toEqual([]);
    expect(apply?.exit).toBe(4);
    expect(apply?.changes.map(({ outcome, id }) => `${outcome} ${id}`)).toEqual([
      'failed package:systemd-timesyncd',
      'skipped directory:/etc/systemd/timesyncd.conf.d',
      'skipped file:/etc/systemd/timesyncd.conf.d/provision.conf',
      'skipped unit:systemd-timesyncd.service',
    ]);
    // The reason, and no story of how apt came to it.
    expect(apply?.changes[0]?.message).toBe(
      "exit 100: E: Package 'systemd-timesyncd' has no installation candidate",
    );
    expect(await host.sh('systemctl is-active chrony')).toBe('active\n');
    write();
  });

  test('a key with state absent goes, keys of others stay', async () => {
    write({ ssh_keys: [{ name: 'controller', key: ours, state: 'absent' }] });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(ids(apply)).toEqual([key]);
    expect(await host.readFile('/root/.ssh/authorized_keys')).toBe(`${foreign}\n`);
    expect((await tell(site, 'diff')).exit).toBe(0);
  });
});
