import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, ids, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

// The kernel of a container has no NFS client. What can be shown: what is written and enabled, how a mount that fails is told,
// that nothing of it is lost or left, and what is refused.
describeLab('the role nfs-client on Debian', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const point = '/mnt/pbs-datastore';
  const unit = 'mnt-pbs\\x2ddatastore.mount';
  const unitFile = `/etc/systemd/system/${unit}`;
  const id = `mount:${point}`;
  const mount = {
    path: point,
    what: '127.0.0.1:/srv/pbs',
    type: 'nfs',
    options: ['vers=4.2', 'hard'],
    expect_entry: '.chunks',
  };
  const write = (...mounts: object[]) =>
    inventoryFor([host], { roles: ['nfs-client'], vars: { 'nfs-client': { mounts } } }, site);

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'nfs2', platform: 'linux' });
    watched = { host, dirs: ['/etc', '/mnt', '/root', '/srv'] };
    site = write(mount);
  });
  afterAll(stopAll);

  test('a mount that fails is told with the reason, and the next diff says exactly what is missing', async () => {
    const touched = await changedBy(watched, async () => {
      const diff = await tell(site, 'diff');
      expect(diff.exit, diff.said).toBe(2);
      expect(ids(diff)).toEqual([id]);
    });
    expect(touched).toEqual([]);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes.map(({ outcome }) => outcome)).toEqual(['failed']);
    expect(apply.changes[0]?.message).toContain('mount.nfs: No such device');
    const text = await host.readFile(unitFile);
    expect(text).toMatch(/^What=127\.0\.0\.1:\/srv\/pbs$/m);
    expect(text).toMatch(/^Options=vers=4\.2,hard$/m);
    expect((await host.exec(['systemctl', 'is-enabled', unit])).stdout).toBe('enabled\n');
    const left = await tell(site, 'diff');
    expect(
      left.changes[0]?.properties.map(({ name }) => name),
      left.said,
    ).toEqual(['mounted', 'source', 'type', 'runs']);
    const told = await checks(site, { exit: 4, notPassed: ['nfs-client/mounted'] });
    expect(told.said).toMatch(/mounted: want true, have false$/m);
  });

  test('a second apply tries the mount again and touches no file', async () => {
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(4);
      expect(apply.changes[0]?.message).toContain('mount.nfs: No such device');
    });
    expect(touched).toEqual([]);
  });

  test.each([
    ['soft', { options: ['soft'] }],
    ['softerr', { options: ['vers=4.2', 'softerr'] }],
    ['below /mnt/pve, where Proxmox VE mounts itself', { path: '/mnt/pve/nas' }],
    ['a way out of the path', { path: '/mnt/../etc/x' }],
    ['a source without a host', { what: '/srv/pbs' }],
  ])('%s is refused before any host is asked', async (_name, wrong) => {
    write({ ...mount, ...wrong });
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(1);
    expect(diff.said).toMatch(/inventory\/groups\/all\.yaml:\d+:\d+: error: /);
    write(mount);
  });

  test('a mount point with files in it is refused: they would be hidden', async () => {
    await host.sh('mkdir /mnt/full; touch /mnt/full/data');
    write({ ...mount, path: '/mnt/full' });
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(5);
    expect(diff.changes[0]?.message).toContain('/mnt/full is not empty: what is in it would be hidden');
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(5);
    });
    expect(touched).toEqual([]);
    write(mount);
  });

  test('state absent takes the unit away with all its traces', async () => {
    write({ ...mount, state: 'absent' });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(apply.checks).toEqual([]);
    expect((await tell(site, 'diff')).exit).toBe(0);
    expect(
      await host.sh("find /etc/systemd -name 'mnt*'; systemctl list-units --all --no-legend 'mnt*'"),
    ).toBe('');
    // The empty directory may have been there before: it stays.
    expect(await host.sh(`ls -A ${point}`)).toBe('');
  });
});
