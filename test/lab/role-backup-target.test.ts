import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import {
  changedBy,
  checks,
  converges,
  ids,
  mends,
  notPassed,
  outcomes,
  tell,
  type Watched,
} from './story.ts';
import { describeLab } from './suite.ts';

const ours = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
const key = (user: string) => `ssh_key:${user}:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA`;
const foreign =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/ foreign@else.lan';
const keys = [{ name: 'offsite', key: ours, options: 'restrict' }];

describeLab('the role backup-target on Debian', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const vars = {
    user: 'backup-in',
    ssh_keys: keys,
    directories: [
      { path: '/srv/backup/site', user: 'backup-in' },
      { path: '/srv/disk/in', user: 'backup-in', mode: '0700', mounted: '/srv/disk' },
    ],
  };
  const write = (more = {}) =>
    inventoryFor([host], { roles: ['backup-target'], vars: { 'backup-target': { ...vars, ...more } } }, site);

  beforeAll(async () => {
    host = await startHost({
      image: 'debian',
      name: 'box1',
      platform: 'linux',
      tmpfs: { '/srv/disk': 'size=1m' },
    });
    watched = { host, dirs: ['/etc', '/srv/backup', '/srv/disk', '/home', '/root'] };
    await host.sh('mkdir -p /srv/backup');
    site = write();
  });
  afterAll(stopAll);

  test('converges: account, key, directories on the disk that is meant', async () => {
    const { diff } = await converges(site, watched);
    expect(ids(diff)).toEqual([
      'user:backup-in',
      key('backup-in'),
      'directory:/srv/backup/site',
      'directory:/srv/disk/in',
    ]);
    await checks(site);
  });

  test.each([
    ['directory:/srv/backup/site', 'chmod 0777 /srv/backup/site'],
    ['directory:/srv/backup/site', 'chown root /srv/backup/site'],
    ['directory:/srv/disk/in', 'rmdir /srv/disk/in'],
    [key('backup-in'), ': >/home/backup-in/.ssh/authorized_keys'],
    [key('backup-in'), 'chmod 0777 /home/backup-in/.ssh'],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('a disk that is not mounted: nothing is made below, the checks fail', async () => {
    await host.sh('umount /srv/disk');
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(5);
      expect(apply.changes[0]?.message).toContain('nothing is mounted at /srv/disk');
    });
    expect(touched).toEqual([]);
    const below = ['there-2', 'writable-2', 'space-2'].map((name) => `backup-target/directory-${name}`);
    await checks(site, { exit: 4, notPassed: below });
    await host.sh('mount -t tmpfs -o size=1m disk /srv/disk');
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('room, and an account that cannot write, are checked', async () => {
    write({ directories: [{ path: '/srv/backup/site', user: 'nosudo', mode: '0700', free_gib: 99999999 }] });
    await host.sh('chown root /srv/backup/site');
    const told = await checks(site, {
      exit: 4,
      notPassed: ['backup-target/directory-space', 'backup-target/directory-writable'],
    });
    expect(told.said).toMatch(/\d GiB are free/);
    write();
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('a key with state absent goes, keys of others stay', async () => {
    const file = '/home/backup-in/.ssh/authorized_keys';
    await host.sh(`echo '${foreign}' >>${file}`);
    write({ ssh_keys: [{ ...keys[0], state: 'absent' }] });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(await host.readFile(file)).toBe(`${foreign}\n`);
  });
});

describeLab('the role backup-target on a Synology', () => {
  let nas: LabHost;
  let bare: LabHost;
  let site: string;
  const share = '/volume1/Backup';
  // A file system of its own: in that of the image, the first write below a directory gives it another time.
  const volume = { '/volume1': 'size=1m' };
  const vars = {
    user: 'ops',
    ssh_keys: keys,
    directories: [
      { path: `${share}/site`, user: 'ops', mode: '0700', mounted: '/volume1' },
      { path: `${share}/site/pve`, user: 'ops', mounted: '/volume1' },
    ],
  };
  const write = (more = {}) =>
    inventoryFor(
      [nas, bare],
      { roles: ['backup-target'], vars: { 'backup-target': { ...vars, ...more } } },
      site,
    );

  beforeAll(async () => {
    [nas, bare] = await Promise.all([
      startHost({ image: 'nas-flock', name: 'nas1', tmpfs: volume }),
      startHost({ image: 'nas', name: 'nas2', tmpfs: volume }),
    ]);
    site = write();
    for (const host of [nas, bare]) {
      await host.sh(
        `mkdir -p -m 0777 ${share}/there; mkdir -m 0700 ${share}/@eaDir; mkdir -p /home/ops/.ssh; chmod 0700 /home/ops/.ssh; chown 1026:100 /home/ops/.ssh`,
      );
      await host.writeFile('/home/ops/.ssh/authorized_keys', `${foreign}\n`, '0600', '1026:100');
    }
  });
  afterAll(stopAll);

  /** Path, mode, owner and time of the last change of either: a chmod or chown that changes nothing shows up as well. */
  const inShare = async (host: LabHost) =>
    (await host.sh(`find /volume1 -exec stat -c '%n %a %u:%g %Z' {} +`)).trim().split('\n').sort();
  const made = [`directory:${share}/site`, `directory:${share}/site/pve`];
  // The image has neither rsync nor sudo.
  const bareNas = ['rsync-there', 'directory-writable', 'directory-writable-2'].map(
    (id) => `backup-target/${id}`,
  );

  test('directories are made in the share, and nothing that is there gets another mode, owner or time', async () => {
    const before = await inShare(nas);
    await nas.sh('sleep 1.1');
    const diff = await tell(site, 'diff', '--host', 'nas1');
    expect(diff.exit, diff.said).toBe(2);
    expect(ids(diff)).toEqual([key('ops'), ...made]);
    expect(await inShare(nas)).toEqual(before);
    const apply = await tell(site, 'apply', '--yes', '--host', 'nas1');
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
    expect(notPassed(apply), apply.said).toEqual([...bareNas].sort());
    expect(outcomes(apply)['backup-target/rsync-there']).toBe('fail');
    const after = await inShare(nas);
    // The share got an entry, that is all.
    const parent = (line: string) => line.startsWith(`${share} `);
    expect(before.filter((line) => !after.includes(line)).every(parent)).toBe(true);
    expect(
      after.filter((line) => !before.includes(line) && !parent(line)).map((line) => line.split(' ')[0]),
    ).toEqual([`${share}/site`, `${share}/site/pve`]);
    expect(await nas.readFile('/home/ops/.ssh/authorized_keys')).toBe(
      `${foreign}\nrestrict ${ours} offsite\n`,
    );
  });

  test('what somebody set in the share stays as it is: no drift, and a second apply touches nothing', async () => {
    await nas.sh(`chmod 0777 ${share}/site; chown 1024:100 ${share}/site/pve`);
    const before = await inShare(nas);
    await nas.sh('sleep 1.1');
    const diff = await tell(site, 'diff', '--host', 'nas1');
    expect(diff.exit, diff.said).toBe(0);
    const apply = await tell(site, 'apply', '--yes', '--host', 'nas1');
    expect(apply.changes, apply.said).toEqual([]);
    expect(await inShare(nas)).toEqual(before);
  });

  test.each([
    [made[1], `rmdir ${share}/site/pve`],
    [key('ops'), `sed -i /offsite/d /home/ops/.ssh/authorized_keys`],
    [key('ops'), 'chmod 0666 /home/ops/.ssh/authorized_keys'],
  ])('%s is drift after: %s', async (id = '', edit = '') => {
    await nas.sh(edit);
    const diff = await tell(site, 'diff', '--host', 'nas1');
    expect(
      diff.changes.map(({ id, cause }) => `${cause} ${id}`),
      diff.said,
    ).toEqual([`drift ${id}`]);
    const apply = await tell(site, 'apply', '--yes', '--host', 'nas1');
    expect(
      apply.changes.map(({ id, outcome }) => `${outcome} ${id}`),
      apply.said,
    ).toEqual([`done ${id}`]);
    expect(await nas.readFile('/home/ops/.ssh/authorized_keys')).toContain(foreign);
  });

  test('without flock: diff works, apply is refused and touches nothing', async () => {
    const diff = await tell(site, 'diff', '--host', 'nas2');
    expect(diff.exit, diff.said).toBe(2);
    expect(ids(diff)).toEqual([key('ops'), ...made]);
    const touched = await changedBy({ host: bare, dirs: ['/volume1', '/home', '/etc', '/var'] }, async () => {
      const apply = await tell(site, 'apply', '--yes', '--host', 'nas2');
      expect(apply.exit, apply.said).toBe(5);
      expect(apply.hosts[0]?.error?.message).toContain('flock is not installed');
    });
    expect(touched).toEqual([]);
  });
});
