import { afterAll, beforeAll, expect, test } from 'vitest';
import { inventoryFor } from '../site.ts';
import { notPassed, tell } from '../story.ts';
import { describeVm } from './suite.ts';
import { segment, startVm, stopVms, type Vm } from './vm.ts';

const path = '/mnt/pbs-datastore';
const what = '10.99.0.1:/srv/pbs';

/** Minutes, not seconds: the machines run under emulation. */
const limit = 600_000;

/** The NFS server and client of the kernel: what the containers of the lab cannot have. */
describeVm('NFS for real', () => {
  let nas: Vm;
  let pbs: Vm;
  let site: string;

  beforeAll(async () => {
    const lan = segment();
    [nas, pbs] = await Promise.all([
      startVm({ name: 'nas', platform: 'linux', lan: '10.99.0.1', segment: lan }),
      startVm({ name: 'pbs', platform: 'pbs', lan: '10.99.0.2', segment: lan }),
    ]);
    await nas.sh('mkdir -p /srv/pbs/.chunks; chmod 0777 /srv/pbs');
    site = inventoryFor([nas, pbs], { hosts: hosts(['rw', 'no_root_squash', 'no_subtree_check']) });
  }, limit);
  afterAll(stopVms);

  /** The server exports to the client, which mounts it and proves that it can be written to. */
  function hosts(options: readonly string[]) {
    return {
      nas: {
        roles: ['nfs-server'],
        vars: {
          'nfs-server': { exports: [{ path: '/srv/pbs', clients: [{ client: '10.99.0.2', options }] }] },
        },
      },
      pbs: {
        roles: ['nfs-client'],
        vars: {
          'nfs-client': {
            mounts: [
              { path, what, expect_entry: '.chunks', write_test: true, options: ['vers=4.2', 'hard'] },
            ],
          },
        },
      },
    };
  }

  test(
    'server, then client: applied, proven by a write, and nothing left to do',
    async () => {
      const served = await tell(site, 'apply', '--yes', '--host', 'nas');
      expect(served.exit, served.said).toBe(0);
      const mounted = await tell(site, 'apply', '--yes', '--host', 'pbs');
      expect(mounted.exit, mounted.said).toBe(0);
      const left = await tell(site, 'diff');
      expect(left.exit, left.said).toBe(0);
      expect(await nas.sh('ls -A /srv/pbs')).toBe('.chunks\n');
    },
    limit,
  );

  test(
    'squashed root: the mount is there and answers, and the check says that nothing can be written',
    async () => {
      inventoryFor([nas, pbs], { hosts: hosts(['rw', 'root_squash', 'no_subtree_check']) }, site);
      await nas.sh('chmod 0755 /srv/pbs');
      expect((await tell(site, 'apply', '--yes', '--host', 'nas')).exit).toBe(0);
      const told = await tell(site, 'check', '--host', 'pbs');
      expect(told.exit, told.said).toBe(4);
      expect(notPassed(told), told.said).toEqual(['nfs-client/mounted']);
      expect(told.said).toContain('Permission denied');
      await nas.sh('chmod 0777 /srv/pbs');
      inventoryFor([nas, pbs], { hosts: hosts(['rw', 'no_root_squash', 'no_subtree_check']) }, site);
      expect((await tell(site, 'apply', '--yes', '--host', 'nas')).exit).toBe(0);
      expect((await tell(site, 'check', '--host', 'pbs')).exit).toBe(0);
    },
    limit,
  );

  test(
    'the directory made anew behind the export: stale, not hung, and not fine',
    async () => {
      await nas.sh(
        'mv /srv/pbs /srv/gone; mkdir -p /srv/pbs/.chunks; chmod 0777 /srv/pbs; exportfs -ra; rm -r /srv/gone',
      );
      // Until the attributes that the client keeps run out, it answers from memory.
      await pbs.sh('echo 2 >/proc/sys/vm/drop_caches; sleep 65');
      const told = await tell(site, 'check', '--host', 'pbs');
      expect(told.exit, told.said).toBe(4);
      expect(notPassed(told), told.said).toEqual(['nfs-client/mounted']);
      expect(told.said).toContain('Stale file handle');
      await pbs.sh(`umount ${path}; systemctl start 'mnt-pbs\\x2ddatastore.mount'`);
      expect((await tell(site, 'check', '--host', 'pbs')).exit).toBe(0);
    },
    limit,
  );

  test(
    'a server without power: unknown within the limits, asked once, and the rest of the host is looked at',
    async () => {
      await nas.crash();
      const began = Date.now();
      const told = await tell(site, 'check', '--host', 'pbs');
      const seconds = (Date.now() - began) / 1000;
      expect(told.exit, told.said).toBe(8);
      expect(told.said).toContain('the mount hangs');
      // One probe of 20 s; the connection and the script are slow under emulation.
      expect(seconds).toBeLessThan(40);
      const diff = await tell(site, 'diff', '--host', 'pbs');
      expect(diff.changes, diff.said).toEqual([]);
      await nas.start();
      await nas.sh('systemctl start nfs-server');
      expect((await tell(site, 'check', '--host', 'pbs')).exit).toBe(0);
    },
    limit,
  );

  test(
    'mounting the parent of an export with version 4 is no export granted: the check finds it read-only',
    async () => {
      const parent = '/mnt/parent';
      await pbs.sh(`mkdir -p ${parent}; mount -t nfs -o vers=4.2 10.99.0.1:/srv ${parent}`);
      const entry = { path: parent, what: '10.99.0.1:/srv', expect_entry: 'pbs', write_test: true };
      const more = hosts(['rw', 'no_root_squash', 'no_subtree_check']);
      more.pbs.vars['nfs-client'].mounts.push({ ...entry, options: ['vers=4.2', 'hard'] });
      inventoryFor([nas, pbs], { hosts: more }, site);
      const told = await tell(site, 'check', '--host', 'pbs');
      expect(told.exit, told.said).toBe(4);
      expect(told.said).toContain('Read-only file system');
      await pbs.sh(`umount ${parent}; rmdir ${parent}`);
    },
    limit,
  );
});
