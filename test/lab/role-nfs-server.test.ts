import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, type Told, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

describeLab('the role nfs-server on Debian', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const net = { client: '10.10.0.0/24', options: ['rw', 'sync', 'no_subtree_check', 'no_root_squash'] };
  const one = { client: '10.10.0.151', options: ['ro', 'no_subtree_check'] };
  const vars = {
    directories: [{ path: '/srv/nfs' }, { path: '/srv/nfs with blank', mode: '0750' }],
    exports: [
      { path: '/srv/nfs', clients: [net, one] },
      { path: '/srv/nfs with blank', clients: [net] },
    ],
  };
  const write = (more = {}) =>
    inventoryFor([host], { roles: ['nfs-server'], vars: { 'nfs-server': { ...vars, ...more } } }, site);

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'nfs1', platform: 'linux' });
    watched = { host, dirs: ['/etc', '/srv', '/var/lib/nfs', '/root'] };
    site = write();
  });
  afterAll(stopAll);

  // The kernel of a container has no NFS server: nothing listens.
  const silent = { exit: 4, notPassed: ['nfs-server/listens'] };
  const file = '/etc/exports.d/provision-srv-nfs.exports';

  test('converges; the table of the server is what the inventory says', async () => {
    const { diff } = await converges(site, watched, silent);
    expect(ids(diff)).toEqual([
      'directory:/srv/nfs',
      'directory:/srv/nfs with blank',
      'export:/srv/nfs',
      'export:/srv/nfs with blank',
      'unit:nfs-server.service',
    ]);
    const live = (await host.sh('exportfs -s')).trim().split('\n').sort();
    expect(live.map((line) => line.replace(/\(.*/, ''))).toEqual([
      '/srv/nfs  10.10.0.0/24',
      '/srv/nfs  10.10.0.151',
      '/srv/nfs\\040with\\040blank  10.10.0.0/24',
    ]);
    expect((await checks(site, silent)).said).toContain('tcp:2049 is not there');
  });

  test('options in another order are drift of the file, and none of the set', async () => {
    const diff = await mends(
      site,
      host,
      `sed -i s/rw,sync/sync,rw/ ${file}; exportfs -ra`,
      'export:/srv/nfs',
    );
    expect(diff.changes[0]?.properties.map(({ name }) => name)).toEqual(['file']);
  });

  test('a client added to the running server by hand is drift of the set, and none of the file', async () => {
    const edit = 'exportfs -o rw,no_subtree_check 10.10.0.9:/srv/nfs';
    const diff = await mends(site, host, edit, 'export:/srv/nfs');
    expect(diff.changes[0]?.properties).toEqual([
      {
        name: 'clients',
        have: '10.10.0.0/24(rw,no_root_squash) 10.10.0.151(ro) 10.10.0.9(rw,no_root_squash)',
        want: '10.10.0.0/24(rw,no_root_squash) 10.10.0.151(ro)',
      },
    ]);
    expect(await host.sh('exportfs -s')).not.toContain('10.10.0.9(');
  });

  test.each([
    ['export:/srv/nfs', 'exportfs -u 10.10.0.151:/srv/nfs'],
    ['export:/srv/nfs', 'exportfs -o rw,no_subtree_check,no_root_squash,async 10.10.0.0/24:/srv/nfs'],
    ['export:/srv/nfs', `rm ${file}`],
    ['export:/srv/nfs', `chmod 0600 ${file}`],
    ['export:/srv/nfs', `chown games ${file}`],
    ['directory:/srv/nfs', 'chmod 0700 /srv/nfs'],
    ['directory:/srv/nfs with blank', 'chown games "/srv/nfs with blank"'],
    ['directory:/srv/nfs with blank', 'chgrp games "/srv/nfs with blank"'],
    ['unit:nfs-server.service', 'systemctl disable nfs-server 2>/dev/null'],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('a server that was stopped: all is made again, and our own change is not taken for that of somebody else', async () => {
    const both = ['export:/srv/nfs', 'export:/srv/nfs with blank'];
    await mends(site, host, 'systemctl stop nfs-server', ...both, 'unit:nfs-server.service');
    // Each is in the table of the other's change: what the first one reads anew alters the second one.
    await mends(site, host, 'sed -i s/no_root_squash/root_squash/ /etc/exports.d/*', ...both);
    await checks(site, silent);
  });

  test('another file that exports the same directory is refused before the server has read it', async () => {
    await host.writeFile('/etc/exports', '/srv/nfs 10.10.0.77(rw,no_subtree_check)\n');
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(5);
    expect(diff.changes[0]?.message).toContain(
      '/srv/nfs is also exported by /etc/exports; remove it there first',
    );
    // Other directories are not this role's business.
    await host.writeFile('/etc/exports', '/srv/foreign 10.10.0.77(rw,no_subtree_check)\n');
    expect((await tell(site, 'diff')).exit).toBe(0);
    await checks(site, silent);
    await host.writeFile('/etc/exports', '');
  });

  test('a client that does not resolve: said by its name, nobody loses anything', async () => {
    write({ exports: [{ path: '/srv/nfs', clients: [net, { client: 'nosuch.lan', options: ['rw'] }] }] });
    const before = await host.sh('exportfs -s');
    let apply: Told | undefined;
    const touched = await changedBy({ host, dirs: ['/etc', '/srv', '/var/lib/nfs'] }, async () => {
      apply = await tell(site, 'apply', '--yes');
    });
    expect(apply?.exit, apply?.said).toBe(4);
    expect(apply?.changes[0]?.message).toContain(
      'the client nosuch.lan does not resolve; nothing was changed',
    );
    expect(touched).toEqual([]);
    expect(await host.sh('exportfs -s')).toBe(before);
    write();
  });

  test('an export with state absent is taken back, and leaves nothing', async () => {
    write({ exports: vars.exports.map((one) => ({ ...one, state: 'absent' })) });
    const apply = await tell(site, 'apply', '--yes');
    expect(ids(apply), apply.said).toEqual(['export:/srv/nfs', 'export:/srv/nfs with blank']);
    expect(await host.sh('exportfs -s; ls /etc/exports.d')).toBe('');
    expect((await tell(site, 'diff')).exit).toBe(0);
    // The data is not ours to take.
    expect(await host.sh('ls /srv | grep nfs')).toBe('nfs\nnfs with blank\n');
  });
});
