import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const role = 'synology-backup-target';
const world = '/var/lib/synology-stand-ins';
const rule = { client: '10.10.0.0/24', root_squash: 'root' };
const backup = {
  name: 'Backup',
  volume: '/volume1',
  description: 'Third copy',
  rw: ['provision', '@administrators'],
  deny: ['guest'],
  nfs: [rule, { client: '10.10.0.151', root_squash: 'all_admin', privilege: 'ro' }],
};
const vars = {
  services: ['sftp', 'rsync', 'nfs', 'home'],
  shares: [backup, { name: 'site', volume: '/volume1' }],
};

describeLab('the role synology-backup-target', () => {
  let nas: LabHost;
  let watched: Watched;
  let site: string;
  const write = (more = {}, others: Readonly<Record<string, object>> = {}) =>
    inventoryFor(
      [nas],
      { roles: [role, ...Object.keys(others)], vars: { [role]: { ...vars, ...more }, ...others } },
      site,
    );
  /** What DSM was told to change since the last time this was asked. */
  const told = async () => {
    const calls = await nas.sh(`cat ${world}/calls; : >${world}/calls`);
    return calls.split('\n').filter((line) => /<--(add|set)|method=save/.test(line));
  };

  beforeAll(async () => {
    // A file system of its own: a volume that is not mounted is not written to.
    nas = await startHost({ image: 'nas-flock', name: 'nas1', tmpfs: { '/volume1': 'size=1m' } });
    await nas.sh(`mkdir -p ${world}/shares; : >${world}/calls`);
    watched = { host: nas, dirs: ['/volume1', '/etc', world], ignore: [`${world}/calls`] };
    site = write();
  });
  afterAll(stopAll);

  test('converges: shares, their lists and their NFS rules', async () => {
    const { diff } = await converges(site, watched);
    expect(ids(diff)).toEqual(['synology_share:Backup', 'synology_share:site', 'synology_nfs_rule:Backup']);
    expect(await nas.readFile('/etc/exports')).toContain(
      '/volume1/Backup\t10.10.0.0/24(rw,sync,no_wdelay,no_root_squash,',
    );
    await checks(site);
    expect(await told()).toHaveLength(3);
  });

  test.each([
    ['synology_share:Backup', 'synoshare --setdesc Backup other'],
    ['synology_share:Backup', 'synoshare --setuser Backup RW - provision'],
    ['synology_share:Backup', 'synoshare --setuser Backup RW = provision,guest'],
    ['synology_share:Backup', 'synoshare --setuser Backup NA + provision'],
    ['synology_nfs_rule:Backup', `sed -i '1s/"root"/"admin"/' ${world}/shares/Backup/rules`],
    ['synology_nfs_rule:Backup', `sed -i 1d ${world}/shares/Backup/rules`],
    ['synology_nfs_rule:Backup', `sed -i '1{p;s/"rw"/"ro"/}' ${world}/shares/Backup/rules`],
    ['synology_nfs_rule:Backup', `sed -i '1{p;s/10.10.0.0.24/*/}' ${world}/shares/Backup/rules`],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, nas, `PATH=$PATH:/usr/syno/sbin\n${edit}`, id);
    expect(await nas.readFile(`${world}/shares/Backup/NA`)).toBe('guest\n');
  });

  test('what DSM rewrote by itself in the same words is no drift', async () => {
    await nas.sh(
      `sed -n '2p;1p' ${world}/shares/Backup/rules >/tmp/rules; cat /tmp/rules >${world}/shares/Backup/rules`,
    );
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(0);
  });

  test('directories below the share, by the role backup-target, come after it and keep its ACL', async () => {
    write(
      { shares: [backup, { name: 'site', volume: '/volume1' }, { name: 'new', volume: '/volume1' }] },
      { 'backup-target': { directories: [{ path: '/volume1/new/pve', user: 'ops', mounted: '/volume1' }] } },
    );
    const diff = await tell(site, 'diff');
    expect(ids(diff), diff.said).toEqual(['synology_share:new', 'directory:/volume1/new/pve']);
    const apply = await tell(site, 'apply', '--yes');
    expect(
      apply.changes.map(({ outcome }) => outcome),
      apply.said,
    ).toEqual(['done', 'done']);
    expect((await nas.sh('stat -c %a /volume1/new')).trim()).toBe('0');
    write();
  });

  test('a plain directory in the way is told and left alone; a share of an earlier installation is taken back', async () => {
    await nas.sh('mkdir /volume1/old; echo data >/volume1/old/kept; chmod 0 /volume1/old');
    write({ shares: [backup, { name: 'old', volume: '/volume1' }] });
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(5);
      expect(apply.changes.map(({ id, outcome }) => `${outcome} ${id}`)).toEqual([
        'refused synology_share:old',
      ]);
      expect(apply.changes[0]?.message).toContain('0xE700');
    });
    expect(touched).toEqual([]);
    await nas.sh(`echo /volume1/old >>${world}/subvolumes`);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(await nas.readFile('/volume1/old/kept')).toBe('data\n');
    write();
  });

  test('a write that DSM says was done and was not is a failure, and the next apply does it', async () => {
    write({ shares: [{ ...backup, nfs: [rule] }] });
    await nas.sh(`: >${world}/deaf`);
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes[0]?.message).toContain('DSM reported success, but');
    await nas.sh(`rm ${world}/deaf`);
    const again = await tell(site, 'apply', '--yes');
    expect(again.exit, again.said).toBe(0);
  });

  test('a DSM of another version is asked anew: what it does not know is unknown, and nothing is written', async () => {
    await nas.sh(
      `echo SYNO.Core.FileServ.NFS.SharePrivilege >${world}/older; sed -i s/69057/70000/ /etc.defaults/VERSION; : >${world}/calls`,
    );
    write({ shares: [backup] });
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(8);
    expect(apply.said).toContain('DSM 7.2.1-70000 answered with error 102: this DSM has no such API');
    expect(await told()).toEqual([]);
    await nas.sh(`rm ${world}/older; echo nfs_audit >${world}/extra`);
    const newer = await tell(site, 'apply', '--yes');
    expect(newer.exit, newer.said).toBe(5);
    expect(newer.changes[0]?.message).toContain('nfs_audit');
    expect(await told()).toEqual([]);
    await nas.sh(`rm ${world}/extra`);
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('a web API that hangs makes what it stands for unknown, once for all', async () => {
    await nas.sh(`: >${world}/hang; : >${world}/calls`);
    const started = Date.now();
    const diff = await tell(site, 'diff');
    expect(Date.now() - started).toBeLessThan(40_000);
    expect(diff.exit, diff.said).toBe(8);
    expect(diff.hosts[0]?.unknown.map(({ id }) => id).sort()).toEqual([
      'synology_nfs_rule:Backup',
      'synology_share:Backup',
    ]);
    expect((await nas.readFile(`${world}/calls`)).trim().split('\n')).toHaveLength(1);
    await nas.sh(`rm ${world}/hang`);
  });

  test('services that are off, an ACL that is gone and a lack of room are found by the checks', async () => {
    write({ shares: [{ ...backup, free_gib: 99999999 }] });
    await nas.sh(
      `mkdir -p ${world}/services; echo false >${world}/services/rsync; echo false >${world}/services/home; chmod 0755 /volume1/Backup; : >/etc/exports`,
    );
    const names = ['service-home', 'service-rsync', 'share-acl', 'share-exported', 'share-space'];
    const failed = await checks(site, { exit: 4, notPassed: names.map((name) => `${role}/${name}`) });
    expect(failed.said).toContain('rsync is off; turn it on in DSM');
    expect(failed.said).toContain('has lost its ACL');
    await nas.sh(
      `rm -r ${world}/services; chmod 0 /volume1/Backup; mv /usr/syno/bin/synowebapi /tmp/; printf '#!/bin/sh\\necho no' >/usr/syno/bin/synowebapi; chmod 755 /usr/syno/bin/synowebapi`,
    );
    const unknown = await tell(site, 'check');
    expect(unknown.checks.filter(({ id }) => id.includes('service-')).map(({ outcome }) => outcome)).toEqual(
      Array(4).fill('unknown'),
    );
  });
});
