import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { inventoryFor } from './site.ts';
import { checks, converges, ids, mends, notPassed, outcomes, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const tmpdir = '/var/lib/vz/vzdump-tmp';
const conf = '/etc/vzdump.conf';
const nas = '/mnt/pve/nas';

/** The role as it is, except that a file system in memory may play the mount of a NAS. */
const role = readFileSync(new URL('../../roles/vzdump/role.yaml', import.meta.url), 'utf8').replace(
  'enum: [nfs, ',
  'enum: [tmpfs, nfs, ',
);

const remount = (source: string) =>
  `! findmnt ${nas} >/dev/null || umount ${nas}; mount -t tmpfs -o size=1m ${source} ${nas}; mkdir ${nas}/dump`;

describeLab('the role vzdump on a node of Proxmox VE', () => {
  let host: LabHost;
  let watched: Watched;
  let site: string;
  const vars = {
    compress: 'zstd',
    tmpdir_free_gib: 0,
    prune_backups: { 'keep-last': 3, 'keep-weekly': 4 },
    exclude_path: ['/var/cache/*', '/srv/media library'],
    backup_mounts: [{ path: nas, source: 'lab-nas:/bu', type: 'tmpfs', expect_entry: 'dump' }],
  };
  const write = (more = {}) =>
    inventoryFor(
      [host],
      {
        roles: ['vzdump'],
        vars: { vzdump: { ...vars, ...more } },
        files: { 'roles/vzdump/role.yaml': role },
      },
      site,
    );

  beforeAll(async () => {
    expect(role).toContain('tmpfs');
    host = await startHost({ image: 'debian', name: 'pve1' });
    watched = { host, dirs: ['/etc', '/var/lib/vz', '/root', '/usr/local', nas] };
    await host.sh(`mkdir -p /var/lib/vz ${nas}; ${remount('lab-nas:/bu')}`);
    await host.writeFile(conf, '# by hand\nmode: stop\nremove: 0\n');
    site = write();
  });
  afterAll(stopAll);

  test('converges; a foreign key is shown as a line to be removed; the probe leaves nothing on the NAS', async () => {
    const { diff } = await converges(site, watched);
    // The directory comes before the file that names it: a missing one aborts every backup.
    expect(ids(diff)).toEqual([`directory:${tmpdir}`, `file:${conf}`]);
    expect(diff.changes[1]?.text).toMatch(/^-remove: 0$/m);
    expect(await host.readFile(conf)).toBe(
      [
        '# Kept by provision: edits here are found and taken back. Change the inventory instead.',
        `tmpdir: ${tmpdir}`,
        'mode: snapshot',
        'compress: zstd',
        'prune-backups: keep-last=3,keep-weekly=4',
        "exclude-path: '/var/cache/*'",
        "exclude-path: '/srv/media library'",
        '',
      ].join('\n'),
    );
    const all = await checks(site);
    expect(outcomes(all)['vzdump/tmpdir-effective']).toBe('pass');
    expect(await host.sh(`ls -A ${nas}`)).toBe('dump\n');
  });

  test.each([
    [`file:${conf}`, `sed -i s/snapshot/stop/ ${conf}`],
    [`file:${conf}`, `chmod 0600 ${conf}`],
    [`file:${conf}`, `chown games ${conf}`],
    [`file:${conf}`, `rm ${conf}`],
    [`directory:${tmpdir}`, `chmod 0700 ${tmpdir}`],
    [`directory:${tmpdir}`, `chown games ${tmpdir}`],
    [`directory:${tmpdir}`, `rmdir ${tmpdir}`],
  ])('%s is drift after: %s', async (id, edit) => {
    await mends(site, host, edit, id);
  });

  test('a foreign key is drift, named by its line, until `extra` keeps it', async () => {
    const diff = await mends(site, host, `echo 'remove: 0' >>${conf}`, `file:${conf}`);
    expect(diff.changes[0]?.text).toMatch(/^-remove: 0$/m);
    write({ extra: { remove: false, pigz: 2 } });
    const kept = await tell(site, 'apply', '--yes');
    expect(kept.exit, kept.said).toBe(0);
    expect(await host.readFile(conf)).toMatch(/^remove: false\npigz: 2\n$/m);
    write();
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test.each([
    ['tmpdir-reachable', 'chmod 0700 /var/lib/vz', 'chmod 0755 /var/lib/vz', 'exit: want 0, have 1'],
    [
      'tmpdir-no-leftovers',
      `mkdir ${tmpdir}/vzdumptmp999999_111`,
      `rmdir ${tmpdir}/vzdumptmp*`,
      'vzdumptmp999999_111',
    ],
    // A network file system cannot be had in a container; any that is not a local disk is refused the same way.
    ['tmpdir-local', `mount -t tmpfs -o mode=0755 nas:/tmp ${tmpdir}`, `umount ${tmpdir}`, 'have "tmpfs"'],
    ['conf-understood', `echo 'prune-backups: keep-last=x' >>${conf}`, `sed -i '$d' ${conf}`, 'parse error'],
    [
      'conf-understood',
      `sed -i 's/^mode:/mode =/' ${conf}`,
      `sed -i 's/^mode =/mode:/' ${conf}`,
      'ignore config line',
    ],
    ['tmpdir-effective', `echo 'tmpdir: /tmp' >>${conf}`, `sed -i '$d' ${conf}`, '/tmp'],
    [
      'backup-mount',
      `rmdir ${nas}/dump`,
      `mkdir ${nas}/dump`,
      'entry: want true, have "No such file or directory"',
    ],
    [
      'backup-mount',
      `mount -o remount,ro ${nas}`,
      `mount -o remount,rw ${nas}`,
      'have "no: Read-only file system"',
    ],
    ['backup-mount', `umount ${nas}`, remount('lab-nas:/bu'), 'mounted: want true, have false'],
    [
      'backup-mount',
      remount('other:/bu'),
      remount('lab-nas:/bu'),
      'source: want "lab-nas:/bu", have "other:/bu"',
    ],
  ])('the check %s fails after: %s', async (id, edit, undo, message) => {
    await host.sh(edit);
    const told = await checks(site, { exit: 4, notPassed: [`vzdump/${id}`] });
    expect(told.said).toContain(message);
    await host.sh(undo);
    await checks(site);
    expect(await host.sh(`ls -A ${nas}`)).toBe('dump\n');
  });

  test('a hook script that cannot be run, and too little room', async () => {
    const script = '/usr/local/bin/hook.pl';
    write({ script, tmpdir_free_gib: 99999999 });
    const failing = ['vzdump/script-executable', 'vzdump/tmpdir-space'];
    // A script that is not there would fail every backup: vzdump is not told of it.
    const refused = await tell(site, 'apply', '--yes');
    expect(refused.exit, refused.said).toBe(5);
    expect(refused.said).toContain(`names ${script}, which is not there`);
    expect(await host.readFile(conf)).not.toContain('script');
    await host.writeFile(script, '#!/bin/sh\n', '0644');
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(4);
    expect(notPassed(apply), apply.said).toEqual(failing);
    expect(apply.said).toMatch(/ GiB are free/);
    await checks(site, { exit: 4, notPassed: failing });
    await host.sh(`chmod 0755 ${script}`);
    await checks(site, { exit: 4, notPassed: ['vzdump/tmpdir-space'] });
    write();
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
    expect(await host.readFile(conf)).not.toContain('script');
  });

  test('without Proxmox VE the answer of its programs is not known', async () => {
    await host.sh('mv /usr/bin/pvesh /usr/bin/pvesh.away');
    const told = await checks(site, {
      exit: 8,
      notPassed: ['vzdump/conf-understood', 'vzdump/tmpdir-effective'],
    });
    expect(told.said).toMatch(/^ {2}unknown vzdump\/conf-understood: .*pvesh: not found$/m);
    expect(told.said).toContain('  unknown vzdump/tmpdir-effective: pvesh was not found');
    await host.sh('mv /usr/bin/pvesh.away /usr/bin/pvesh');
  });
});
