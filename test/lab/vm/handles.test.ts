import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from '../cli.ts';
import { inventoryFor } from '../site.ts';
import { describeVm } from './suite.ts';
import { segment, startVm, stopVms, type Vm } from './vm.ts';

const path = '/mnt/pbs-datastore';
/** Minutes, not seconds: the machines run under emulation. */
const limit = 600_000;

/** A process in place of the daemons: it opens the lock of the store when it starts, and keeps it open. */
const unit = `[Service]
ExecStart=/bin/sh -c 'exec 7<${path}/.lock; exec sleep infinity'
`;

describeVm('handles of a backup server on NFS', () => {
  let nas: Vm;
  let pbs: Vm;
  let site: string;

  beforeAll(async () => {
    const lan = segment();
    [nas, pbs] = await Promise.all([
      startVm({ name: 'nas', platform: 'linux', lan: '10.99.0.1', segment: lan }),
      startVm({ name: 'pbs', platform: 'pbs', lan: '10.99.0.2', segment: lan }),
    ]);
    await nas.sh(`mkdir -p /srv/pbs/.chunks; : >/srv/pbs/.lock
echo '/srv/pbs 10.99.0.2(rw,no_root_squash,no_subtree_check)' >/etc/exports; systemctl restart nfs-server; exportfs -ra`);
    for (const name of ['proxmox-backup', 'proxmox-backup-proxy'])
      await pbs.writeFile(`/etc/systemd/system/${name}.service`, unit);
    await pbs.sh(`mkdir -p ${path}; systemctl daemon-reload; ${mount}; sleep 1; ${restart}`);
    site = inventoryFor([pbs], {
      hosts: { pbs: { roles: ['proofs'] } },
      files: {
        'roles/proofs/role.yaml': {
          role: 'proofs',
          about: 'Proofs of a backup server.',
          platforms: ['pbs'],
          variables: {},
          resources: [],
          checks: [{ id: 'handles', about: 'The daemons see the store', pbs_handles: path }],
        },
        'roles/proofs/README.md': 'Proofs of a backup server.\n',
      },
    });
  }, limit);
  afterAll(stopVms);

  const check = async (): Promise<{ exit: number | null; said: string }> => {
    const { code, stdout, stderr } = await runProvision(['check'], { cwd: site, limit: 120_000 });
    return { exit: code, said: `${stdout}${stderr}` };
  };
  const mount = `mount -t nfs -o vers=4.2,hard 10.99.0.1:/srv/pbs ${path}`;
  const restart = 'systemctl restart proxmox-backup proxmox-backup-proxy';

  test(
    'the same file system, also when it is taken away lazily and mounted once more',
    async () => {
      const first = await check();
      expect(first.exit, first.said).toBe(0);
      await pbs.sh(`umount -l ${path}; ${mount}`);
      const again = await check();
      expect(again.exit, again.said).toBe(0);
    },
    limit,
  );

  test(
    'the export made anew: the mount is healthy again, the daemons hold what is gone, until they are restarted',
    async () => {
      await nas.sh(
        `mv /srv/pbs /srv/gone; mkdir -p /srv/pbs/.chunks; : >/srv/pbs/.lock; exportfs -ra; rm -r /srv/gone`,
      );
      await pbs.sh(`umount -l ${path}; ${mount}; ls ${path}/.chunks`);
      const told = await check();
      expect(told.exit, told.said).toBe(4);
      expect(told.said).toContain('stale-nfs-handles');
      expect(told.said).toContain('provision run pbs/restart-stale --host pbs');
      await pbs.sh(restart);
      const after = await check();
      expect(after.exit, after.said).toBe(0);
    },
    limit,
  );

  test(
    'a server without power: unknown within the limit, and the mount is named',
    async () => {
      await nas.crash();
      await pbs.sh('echo 2 >/proc/sys/vm/drop_caches');
      const began = Date.now();
      const told = await check();
      expect(told.exit, told.said).toBe(8);
      expect(told.said).toContain('the mount hangs');
      expect(told.said).toContain('datastore-mount');
      expect((Date.now() - began) / 1000).toBeLessThan(60);
    },
    limit,
  );
});
