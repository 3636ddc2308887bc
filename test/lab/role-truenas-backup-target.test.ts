import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, type Told, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const world = '/var/lib/truenas-stand-ins';
const path = '/mnt/main_pool/bu';
const id = `truenas_share:${path}`;

/** The role as it is, except that a file system in memory may play a dataset. */
const role = readFileSync(
  new URL('../../roles/truenas-backup-target/role.yaml', import.meta.url),
  'utf8',
).replace('    type: zfs\n', '    type: tmpfs\n');

describeLab('the role truenas-backup-target on a TrueNAS', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const share = { path, hosts: ['10.10.0.30'], maproot_user: 'root', maproot_group: 'root' };
  const vars = {
    datasets: [{ name: 'main_pool/bu', acltype: 'NFSV4', aclmode: 'PASSTHROUGH', compression: 'LZ4' }],
    shares: [share],
  };
  const write = (more = {}) =>
    inventoryFor(
      [host],
      {
        roles: ['truenas-backup-target'],
        vars: { 'truenas-backup-target': { ...vars, ...more } },
        files: { 'roles/truenas-backup-target/role.yaml': role },
      },
      site,
    );
  const put = (name: string, value: unknown) =>
    host.writeFile(`${world}/${name}`, typeof value === 'string' ? value : JSON.stringify(value));
  const changes = () =>
    host.sh(`grep -vE ' [a-z.]+(query|getacl) ?' ${world}/calls || true; rm ${world}/calls`);
  const failing = (...names: string[]) => ({
    exit: 4,
    notPassed: ['listens', ...names].map((name) => `truenas-backup-target/${name}`),
  });
  // No NFS server runs in the lab: nothing listens.
  const silent = failing();

  beforeAll(async () => {
    expect(role).toContain('type: tmpfs');
    host = await startHost({ image: 'debian', name: 'nas1', platform: 'truenas' });
    watched = { host, dirs: ['/etc', '/root', path, `${world}/shares.json`, `${world}/datasets.json`] };
    await host.sh(`mkdir -p ${path} ${world}; mount -t tmpfs -o size=1m main_pool/bu ${path}; rm -rf /etc/exports.d
      printf /etc/exports >${world}/exports-path; : >/etc/exports; printf 25.04 >${world}/version; echo '[]' >${world}/shares.json`);
    await put('datasets.json', {
      main_pool: {},
      'main_pool/bu': { props: { acltype: 'nfsv4', aclmode: 'restricted' } },
    });
    await put('services.json', { nfs: { id: 11, enable: false, state: 'STOPPED' } });
    site = write();
  });
  afterAll(stopAll);

  test('converges; root stays root, in the table that the server reads; the probe leaves nothing', async () => {
    const { diff } = await converges(site, watched, silent);
    expect(ids(diff).sort()).toEqual(['truenas_dataset:main_pool/bu', 'truenas_service:nfs', id].sort());
    expect(await host.readFile('/etc/exports')).toBe(
      `"${path}"\\\n\t10.10.0.30(sec=sys,rw,no_root_squash,no_subtree_check)\n`,
    );
    await checks(site, silent);
    expect(await host.sh(`ls -A ${path}`)).toBe('');
  });

  test.each([
    [
      'truenas_dataset:main_pool/bu',
      `midclt call pool.dataset.update main_pool/bu '{"aclmode": "RESTRICTED"}'`,
    ],
    ['truenas_dataset:main_pool/bu', `midclt call pool.dataset.update main_pool/bu '{"compression": "OFF"}'`],
    [id, `midclt call sharing.nfs.update 1 '{"hosts": ["10.10.0.30", "10.10.0.9"]}'`],
    [id, `midclt call sharing.nfs.update 1 '{"hosts": [], "networks": []}'`],
    [id, `midclt call sharing.nfs.update 1 '{"maproot_group": null}'`],
    [
      id,
      `midclt call sharing.nfs.update 1 '{"maproot_user": null, "maproot_group": null, "mapall_user": "backup"}'`,
    ],
    [id, `midclt call sharing.nfs.update 1 '{"ro": true}'`],
    [id, `midclt call sharing.nfs.update 1 '{"enabled": false}'`],
    [id, `midclt call sharing.nfs.update 1 '{"comment": "by hand"}'`],
    [id, `midclt call sharing.nfs.delete 1`],
    ['truenas_service:nfs', `midclt call service.update nfs '{"enable": false}'`],
    ['truenas_service:nfs', `sed -i s/RUNNING/STOPPED/ ${world}/services.json`],
  ])('%s is drift after: %s', async (drifted, edit) => {
    await mends(site, host, edit, drifted);
    await checks(site, silent);
  });

  test('clients in another order and case are no drift', async () => {
    const two = { ...share, hosts: ['b.lan', 'a.lan'], networks: ['10.10.2.0/24', '10.10.1.0/24'] };
    write({ shares: [two] });
    expect((await tell(site, 'apply', '--yes')).changes).toHaveLength(1);
    write({ shares: [{ ...two, hosts: ['A.lan', 'b.lan'], networks: ['10.10.1.0/24', '10.10.2.0/24'] }] });
    expect((await tell(site, 'diff')).exit).toBe(0);
    write();
    expect((await tell(site, 'apply', '--yes')).changes).toHaveLength(1);
  });

  test('everybody as root: as the server reads it', async () => {
    const { path, hosts } = share;
    write({ shares: [{ path, hosts, mapall_user: 'root', mapall_group: 'root' }] });
    await tell(site, 'apply', '--yes');
    expect(await host.readFile('/etc/exports')).toContain('anonuid=0,anongid=0,all_squash');
    await checks(site, silent);
    write();
    await tell(site, 'apply', '--yes');
    await checks(site, silent);
  });

  test.each([
    ['hosts of nobody', { hosts: [] }, 'which is everybody to TrueNAS'],
    ['root without its group', { maproot_group: undefined }, 'is root without maproot_group'],
    ['overlapping networks', { networks: ['10.10.0.0/16', '10.10.3.0/24'] }, 'which overlap'],
    ['root for everybody', { hosts: ['*'] }, 'any machine would own every file in it'],
  ])('%s is refused before the host is asked', async (_, more, said) => {
    write({ shares: [{ ...share, ...more }] });
    await changes();
    const { stdout, stderr, code } = await import('./cli.ts').then(({ runProvision }) =>
      runProvision(['diff'], { cwd: site }),
    );
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(said)]);
    expect(await host.sh(`ls ${world}`)).not.toContain('calls');
    write();
    await checks(site, silent);
  });

  test('other kinds of ACLs are refused with the procedure that does it on purpose, the share is kept all the same', async () => {
    write({ datasets: [{ name: 'main_pool/bu', acltype: 'POSIX', aclmode: 'DISCARD' }] });
    await changes();
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(5);
    expect(apply.said).toContain('nfs/repair-permissions');
    expect(await changes()).toBe('');
    write();
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test.each([
    [
      'acl-mode',
      `midclt call pool.dataset.update main_pool/bu '{"aclmode": "RESTRICTED"}'`,
      '',
      'RESTRICTED',
    ],
    [
      'acl-trivial',
      `printf '{"${path}": true}' >${world}/acls.json`,
      `midclt call --job filesystem.setperm '{"path": "${path}", "options": {"stripacl": true}}'`,
      'trivial: want true, have false',
    ],
    ['write', `mount -o remount,ro ${path}`, `mount -o remount,rw ${path}`, 'Read-only file system'],
    [
      'no-foreign-exports',
      'mkdir /etc/exports.d; : >/etc/exports.d/ours.exports',
      'rm -r /etc/exports.d',
      'ours.exports',
    ],
    ['root-stays-root', `sed -i s/no_root_squash/anonuid=0/ /etc/exports`, '', 'anonuid=0'],
  ])('the check %s fails after: %s', async (check, edit, undo, message) => {
    await host.sh(edit);
    const told = await checks(site, failing(...[check].sort()));
    expect(told.said).toContain(message);
    if (undo) await host.sh(undo);
    else
      await host.sh(
        `midclt call pool.dataset.update main_pool/bu '{"aclmode": "PASSTHROUGH"}'; midclt call nfs.update '{}'`,
      );
    await checks(site, silent);
  });

  test('a locked share, and one whose directory is gone, are told: TrueNAS leaves them out without a word', async () => {
    await host.sh(`sed -i 's/"id"/"locked": true, "id"/' ${world}/shares.json; midclt call nfs.update '{}'`);
    expect(await host.readFile('/etc/exports')).toBe('');
    await checks(site, failing('exported', 'root-stays-root'));
    const locked = await tell(site, 'diff');
    expect(locked.said).toContain('is locked, so it is not exported');
    await host.sh(`sed -i 's/"locked": true, *//' ${world}/shares.json; umount ${path}; rmdir ${path}`);
    const gone = await tell(site, 'apply', '--yes');
    expect(gone.exit, gone.said).toBe(5);
    expect(gone.said).toContain(`there is no directory ${path}`);
    await host.sh(
      `mkdir ${path}; mount -t tmpfs -o size=1m main_pool/bu ${path}; midclt call nfs.update '{}'`,
    );
    await checks(site, silent);
  });

  test('a middleware that does not answer costs one limit, and nothing is taken for fine', {
    timeout: 120_000,
  }, async () => {
    await put('hang', '');
    const started = Date.now();
    const told = await changedBy(watched, async () => {
      const diff: Told = await tell(site, 'diff');
      expect(diff.exit, diff.said).toBe(8);
      expect(diff.hosts[0]?.unknown).toHaveLength(3);
    });
    expect(told).toEqual([]);
    expect(Date.now() - started).toBeLessThan(40_000);
    await host.sh(`rm ${world}/hang; : >${world}/down`);
    expect((await tell(site, 'diff')).said).toContain('Failed to run middleware call');
    await host.sh(`rm ${world}/down`);
  });

  test.each(['22.02', '26.04'])('the API of %s', async (version) => {
    await put('version', version);
    await host.sh(`echo '[]' >${world}/shares.json`);
    await put('services.json', { nfs: { id: 11, enable: true, state: 'STOPPED' } });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(4);
    expect(new Set(apply.changes.map(({ outcome }) => outcome)), apply.said).toEqual(new Set(['done']));
    expect((await tell(site, 'diff')).exit).toBe(0);
    await checks(site, silent);
  });

  test('a share with state absent leaves the configuration, and its data stays', async () => {
    await host.sh(`echo dump >${path}/dump`);
    write({ shares: [{ ...share, state: 'absent' }] });
    const apply = await tell(site, 'apply', '--yes');
    expect(ids(apply), apply.said).toEqual([id]);
    expect(await host.readFile('/etc/exports')).toBe('');
    expect(await host.sh(`cat ${path}/dump`)).toBe('dump\n');
    expect((await tell(site, 'diff')).exit).toBe(0);
  });
});
