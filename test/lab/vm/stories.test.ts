import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { archiveOfServer, night, playVzdump, putGuests } from '../example-guests.ts';
import { chosenFingerprint, emptyPackage, exampleSite, putToken } from '../example-site.ts';
import { follow, type LabSite, only, see } from '../finding.ts';
import { type LabHost, startHost, stopAll } from '../lab.ts';
import { scratch } from '../machine.ts';
import { addSnapshots, fingerprint, preparePbs } from '../pbs-host.ts';
import { startPmxcfs } from '../pmxcfs.ts';
import { describeVm } from './suite.ts';
import { segment, startVm, stopVms, type Vm } from './vm.ts';

/** Minutes, not seconds: the machines run under emulation. */
const limit = 600_000;
const point = '/mnt/pbs-datastore';
const world = '/var/lib/truenas-stand-ins';

/**
 * The middleware of TrueNAS is played, and what it drives is real: pool, dataset and NFS server. Who changes the exports or the
 * service in the middleware changes the kernel's. An ACL mode there is none in OpenZFS for Linux: while it is restricted the directory has its
 * sticky bit set, and the clients' `chmod` refuses what the NAS would.
 */
const midclt = `#!/bin/sh
perl /usr/local/lib/midclt "$@" || exit
case "$*" in *query* | *getacl*) ;; *) /usr/local/sbin/middleware >/dev/null 2>&1 ;; esac
`;
const middleware = `#!/bin/sh
if grep -q '"nfs".*RUNNING' ${world}/services.json; then
  systemctl is-active --quiet nfs-server || systemctl start nfs-server
  exportfs -ra
else systemctl stop nfs-server; fi
if grep -qi restricted ${world}/datasets.json; then chmod +t /mnt/Taupo/pbs; else chmod -t /mnt/Taupo/pbs; fi
`;
const chmod = `#!/bin/sh
for last; do :; done
case $last in
  ${point}/*) [ ! -k ${point} ] || { echo "chmod: changing permissions of '$last': Operation not permitted" >&2; exit 1; } ;;
esac
exec /usr/bin/chmod "$@"
`;

describeVm('the example site in trouble, with NFS for real', () => {
  let nas: Vm;
  let pbs: Vm;
  let pihanga: LabHost;
  let site: LabSite;

  beforeAll(async () => {
    const lan = segment();
    [nas, pbs, pihanga] = await Promise.all([
      // Without the stand-ins of ZFS: this one has a pool.
      startVm({
        name: 'truenas-hdd',
        platform: 'linux',
        lan: '10.99.0.1',
        segment: lan,
        disks: { TAUPO0001: '512M' },
      }),
      startVm({ name: 'pbs', platform: 'pbs', lan: '10.99.0.2', segment: lan }),
      startHost({ image: 'debian', name: 'pihanga' }),
    ]);
    await Promise.all([prepareNas(nas), prepareServer(pbs), prepareNode(pihanga)]);
    const cwd = exampleSite([{ ...nas, platform: 'truenas' }, pbs, pihanga], {
      alone: true,
      // The machines are reached at ports of this one, and reach each other by name.
      called: { 'truenas-hdd': 'truenas-hdd.lan', pbs: 'pbs.lan' },
      texts: { [chosenFingerprint]: await fingerprint(pbs) },
      edits: {
        'inventory/groups/debian.yaml': [
          [
            '    domain: lan\n',
            '    domain: lan\n    site_hosts:\n      - {name: truenas-hdd, address: 10.99.0.1}\n      - {name: pbs, address: 10.99.0.2}\n      - {name: pihanga, address: 10.99.0.3}\n',
          ],
        ],
        'inventory/groups/pbs.yaml': [['time_sync: chrony', 'time_sync: none']],
        'inventory/groups/pve.yaml': [['time_sync: chrony', 'time_sync: none']],
        'inventory/hosts/pbs.yaml': [
          // Nobody takes metrics here; and the watch would mend what the stories break before it is told.
          ['    push_url: http://pushgateway.lan:30091 # name (chosen)\n', '    interval: 9999min\n'],
        ],
        // As main_pool/bu has it: a dataset whose ACL mode can be restricted.
        'inventory/hosts/truenas-hdd.yaml': [
          ['acltype: POSIX, aclmode: DISCARD', 'acltype: NFSV4, aclmode: PASSTHROUGH'],
        ],
      },
    });
    site = { cwd, env: { PROVISION_AGE_KEY_FILE: join(scratch('age'), 'age.key') } };
  }, limit);
  afterAll(() => Promise.all([stopVms(), stopAll()]));

  async function prepareNas(host: Vm): Promise<void> {
    const source = new URL('../stand-ins/truenas/midclt', import.meta.url);
    await host.writeFile('/usr/local/lib/midclt', readFileSync(source), '0755');
    await host.writeFile('/usr/bin/midclt', midclt, '0755');
    await host.writeFile(
      `${world}/datasets.json`,
      '{"Taupo": {}, "Taupo/pbs": {"props": {"acltype": "nfsv4", "aclmode": "passthrough"}}}',
    );
    await host.writeFile(
      `${world}/services.json`,
      '{"nfs": {"id": 11, "enable": false, "state": "STOPPED"}}',
    );
    await host.writeFile('/usr/local/sbin/middleware', middleware, '0755');
    // After a start the server waits for clients that it knew: not for a minute and a half here. Not in nfs.conf, where idmapd finds
    // the directory of its pipes: without idmapd the kernel lets the first mounts wait for it, for half a minute.
    await host.writeFile('/etc/nfs.conf.d/lab.conf', '[nfsd]\ngrace-time=10\nlease-time=10\n');
    await host.sh(`printf /etc/exports >${world}/exports-path; printf 25.04 >${world}/version; echo '[]' >${world}/shares.json
printf '10.99.0.1 truenas-hdd.lan truenas-hdd\\n10.99.0.2 pbs.lan pbs\\n' >>/etc/hosts
systemctl stop nfs-server; rm -rf /etc/exports.d; : >/etc/exports; modprobe zfs
zpool create -o ashift=12 -O mountpoint=/mnt/Taupo Taupo /dev/disk/by-id/virtio-TAUPO0001; zfs create Taupo/pbs
chown backup:backup /mnt/Taupo/pbs`);
  }

  async function prepareServer(host: Vm): Promise<void> {
    await preparePbs(host, { mounted: false });
    await emptyPackage(host, 'smartmontools');
    await host.writeFile('/usr/local/sbin/chmod', chmod, '0755');
  }

  async function prepareNode(host: LabHost): Promise<void> {
    await startPmxcfs(host);
    await putGuests(host, 'pihanga');
    await emptyPackage(host, 'smartmontools');
    await playVzdump(host);
  }

  const now = () => Math.floor(Date.now() / 1000);
  const snapshot = () => addSnapshots(pbs, [{ group: 'vm/200', time: now(), owner: 'backup@pbs!pve' }]);
  /** Nothing is wrong any more. Clients need a moment after a server has come back. */
  const well = async (): Promise<void> => {
    const until = Date.now() + 120_000;
    for (;;) {
      const check = await see(site, 'check');
      if (check.exit === 0 || Date.now() > until) {
        expect(check, check.said).toMatchObject({ exit: 0, checks: [], findings: [] });
        return;
      }
      await sleep(2000);
    }
  };
  /** The dataset is made anew with the same content: for its clients it is another one, and what they have open is gone. */
  const recreateExport = () =>
    nas.sh(`systemctl stop nfs-server; zfs snapshot Taupo/pbs@last; zfs send Taupo/pbs@last | zfs receive Taupo/new
zfs destroy -r Taupo/pbs; zfs rename Taupo/new Taupo/pbs; zfs destroy Taupo/pbs@last; systemctl start nfs-server; exportfs -ra`);
  /** What the nodes log when the backup server cannot use its datastore. */
  const failing = () =>
    night(
      pihanga,
      'pihanga',
      `ERROR: Backup of VM N failed - unable to open chunk store at \\"${point}/.chunks\\" - No such file or directory (os error 2)`,
    );

  test(
    'a new site: applied, backed up for a night, and all is well',
    async () => {
      // First what serves, then what mounts it, then what stores there.
      for (const name of ['truenas-hdd', 'pbs']) {
        const first = await see(site, 'apply', '--yes', '--host', name);
        expect(first.exit, first.said).toBe(0);
      }
      await putToken(site, pbs);
      const apply = await see(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(0);
      await night(pihanga, 'pihanga');
      await archiveOfServer(pihanga);
      await snapshot();
      const diff = await see(site, 'diff');
      expect(diff, diff.said).toMatchObject({ exit: 0, changes: [], findings: [] });
      await well();
    },
    limit,
  );

  test(
    'the NFS server stops: that is the cause, and to start it mends all that waited',
    async () => {
      await nas.sh(`sed -i s/RUNNING/STOPPED/ ${world}/services.json; systemctl stop nfs-server`);
      const cause = {
        rule: 'nfs-server-down',
        suspect: 'host:truenas-hdd',
        procedure: 'provision apply --host truenas-hdd',
      };
      const diff = await see(site, 'diff');
      expect(diff.changes, diff.said).toContain('truenas-hdd drift truenas_service:nfs');
      expect(only(diff)).toMatchObject(cause);
      const check = await see(site, 'check');
      const finding = only(check);
      expect(finding).toMatchObject({ ...cause, hosts: ['truenas-hdd', 'pbs'] });
      expect(check.checks).toContain('truenas-hdd fail truenas-backup-target/listens');
      const mended = await follow(site, finding.procedure);
      expect(mended.exit, mended.said).toBe(0);
      await well();
    },
    limit,
  );

  test(
    'the export is made anew behind the running backup server: the mount is stale, and is mounted anew',
    async () => {
      await recreateExport();
      await failing();
      // Until the attributes that the client keeps run out, it answers from memory.
      await pbs.sh('echo 2 >/proc/sys/vm/drop_caches');
      const finding = only(await see(site, 'check'));
      expect(finding).toMatchObject({
        rule: 'datastore-mount',
        hosts: ['pbs', 'pihanga'],
        procedure: 'provision run pbs/remount --host pbs',
      });
      const mended = await follow(site, finding.procedure);
      expect(mended.exit, mended.said).toBe(0);
      await night(pihanga, 'pihanga');
      await well();
    },
    limit,
  );

  test(
    'the same, and somebody has mounted it anew: the server holds stale handles, and is restarted',
    async () => {
      await recreateExport();
      await failing();
      await pbs.sh(`umount -l ${point}; systemctl start 'mnt-pbs\\x2ddatastore.mount'; ls ${point}/.chunks`);
      const finding = only(await see(site, 'check'));
      expect(finding).toMatchObject({
        rule: 'stale-nfs-handles',
        hosts: ['pbs', 'pihanga'],
        suspect: 'pbs:pbs',
        procedure: 'provision run pbs/restart-stale --host pbs',
      });
      const following = follow(site, finding.procedure);
      // The other end of the test backup: what vzdump would have sent.
      for (let i = 0; i < 300 && (await pihanga.exec(['test', '-e', '/root/vzdump-calls'])).code !== 0; i++)
        await sleep(500);
      await snapshot();
      const mended = await following;
      expect(mended.exit, mended.said).toBe(0);
      expect(await pihanga.readFile('/root/vzdump-calls')).toBe(
        '200 --storage pbs-pihanga --mode snapshot --prune-backups keep-all=1\n',
      );
      await night(pihanga, 'pihanga');
      await well();
    },
    limit,
  );

  test(
    'the ACL mode of the dataset is restricted: clients may not set modes, until it is not',
    async () => {
      await nas.sh(`midclt call pool.dataset.update Taupo/pbs '{"aclmode": "RESTRICTED"}'`);
      const diff = await see(site, 'diff');
      expect(diff.changes, diff.said).toEqual(['truenas-hdd drift truenas_dataset:Taupo/pbs']);
      const cause = {
        rule: 'nas-permissions',
        procedure: 'provision run nfs/repair-permissions --host truenas-hdd',
      };
      expect(only(diff)).toMatchObject({ ...cause, hosts: ['truenas-hdd'] });
      const check = await see(site, 'check');
      const finding = only(check);
      expect(finding).toMatchObject({ ...cause, hosts: ['truenas-hdd', 'pbs'] });
      expect(check.checks).toEqual([
        'pbs fail pbs/store-pbs-datastore',
        'truenas-hdd fail truenas-backup-target/acl-mode',
      ]);
      const mended = await follow(site, finding.procedure);
      expect(mended.exit, mended.said).toBe(0);
      expect(mended.said).toContain('pbs at /mnt/pbs-datastore cannot set its mode: Operation not permitted');
      await well();
      expect((await see(site, 'diff')).exit).toBe(0);
    },
    limit,
  );
});
