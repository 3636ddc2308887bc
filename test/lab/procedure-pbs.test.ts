import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision, startProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import {
  addSnapshots,
  fingerprint,
  newCertificate,
  pbsHost,
  pbsUnits,
  releaseTasks,
  replaceExport,
  runningTask,
  storeMount,
  unmountStore,
} from './pbs-host.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';

const day = 86_400;

/** Plays `vzdump` as its task log shows it, and nothing more: the snapshot is put into the store by the test. */
const vzdump = `#!/usr/bin/perl
open my $c, '>>', '/root/vzdump-calls'; print {$c} "@ARGV\\n"; close $c;
my $vmid = $ARGV[0] =~ /^\\d+$/ ? $ARGV[0] : '';
open my $s, '<', "/proc/$$/stat"; my $stat = <$s>; $stat =~ s/^.*\\) //;
my $upid = sprintf 'UPID:pve2:%08X:%08X:%08X:vzdump:%s:root@pam:', $$, (split / /, $stat)[19], time, $vmid;
my $dir = '/var/log/pve/tasks/' . uc substr sprintf('%08X', (split /:/, $upid)[4] =~ /(.*)/ ? hex $1 : 0), -1;
system 'mkdir', '-p', $dir;
open my $log, '>', "$dir/$upid"; $log->autoflush(1);
print {$log} "INFO: Starting Backup of VM $vmid (qemu)\\n";
sleep 2;
my $bad = -e '/root/vzdump-fails';
print {$log} $bad ? "TASK ERROR: job errors\\n" : "TASK OK\\n";
exit($bad ? 255 : 0);
`;

describeLab('procedures of a backup server', () => {
  let pbs: LabHost;
  let pve: LabHost;
  let site: string;

  const told = (stdout: string) => {
    const report = JSON.parse(stdout);
    return {
      found: report.hosts.flatMap((run: { found: string[] }) => run.found).join('\n') as string,
      steps: report.hosts
        .flatMap((run: { steps: { number: number; outcome: string; message: string | null }[] }) => run.steps)
        .sort((a: { number: number }, b: { number: number }) => a.number - b.number) as {
        outcome: string;
        message: string | null;
      }[],
      error: report.hosts.map((run: { error: unknown }) => run.error).find((one: unknown) => one) as
        | { code: string; message: string; hint: string }
        | undefined,
    };
  };
  const run = async (...args: readonly string[]) => {
    const ended = await runProvision(['run', ...args, '--yes', '--format', 'json'], {
      cwd: site,
      limit: 170_000,
    });
    if (!ended.stdout.startsWith('{')) throw new Error(ended.stderr + ended.stdout);
    const report = told(ended.stdout);
    return { code: ended.code, ...report, outcomes: report.steps.map(({ outcome }) => outcome) };
  };
  const active = async (): Promise<string> =>
    (await pbs.exec(['systemctl', 'is-active', ...pbsUnits])).stdout.trim().replace(/\n/g, ' ');

  beforeAll(async () => {
    [pbs, pve] = await Promise.all([
      pbsHost({ datastore: 'store' }),
      startHost({ image: 'debian', name: 'pve2', platform: 'pve' }),
    ]);
    const old = await fingerprint(pbs);
    await pbs.writeFile(
      '/etc/fstab',
      `${storeMount.source} ${storeMount.path} ${storeMount.type} size=64m,mode=0755 0 0\n`,
    );
    await pbs.sh('systemctl daemon-reload');
    await pve.writeFile('/usr/bin/vzdump', vzdump, '0755');
    await pve.sh('rm -f /usr/sbin/vzdump');
    await pve.writeFile(
      '/etc/pve/storage.cfg',
      `pbs: backups\n\tdatastore store\n\tserver ${pbs.address}\n\tcontent backup\n\tfingerprint ${old}\n\tusername root@pam\n\ndir: local\n\tpath /var/lib/vz\n\tcontent backup\n`,
    );
    await pve.writeFile(
      '/etc/pve/qemu-server/200.conf',
      'name: small\nscsi0: local:200,size=2G\nide2: none,media=cdrom\n\n[before]\nscsi0: local:200,size=1M\n',
    );
    await pve.writeFile('/etc/pve/qemu-server/201.conf', 'name: large\nscsi0: local:201,size=200G\n');
    await pve.writeFile(
      '/etc/pve/lxc/105.conf',
      'hostname: locked\nlock: backup\nrootfs: local:105,size=1G\n',
    );
    const role = (name: string, platform: string, resources: string) =>
      `role: ${name}\nabout: For this test.\nplatforms: [${platform}]\n${resources}`;
    site = inventoryFor([pbs, pve], {
      hosts: {
        pbs: { roles: ['lab-store'], vars: {} },
        pve2: {
          roles: ['lab-storage'],
          vars: { 'lab-storage': { storages: [{ id: 'backups', server: pbs.address, fingerprint: old }] } },
        },
      },
      files: {
        'roles/lab-store/role.yaml': role(
          'lab-store',
          'pbs',
          `resources:\n  - pbs_datastore: store\n    path: ${storeMount.path}\n    mount: {path: ${storeMount.path}, source: "${storeMount.source}", type: ${storeMount.type}}\n`,
        ),
        'roles/lab-store/README.md': '# lab-store\n',
        'roles/lab-storage/role.yaml': role(
          'lab-storage',
          'pve',
          `variables:\n  storages: {type: array, items: {type: object, additionalProperties: false, properties: {id: {type: string}, server: {type: string}, fingerprint: {type: string}}}}\nresources:\n  - each: \${storages}\n    pve_storage: \${item.id}\n    type: pbs\n    content: [backup]\n    server: \${item.server}\n    datastore: store\n    username: root@pam\n    fingerprint: \${item.fingerprint}\n`,
        ),
        'roles/lab-storage/README.md': '# lab-storage\n',
      },
    });
  }, 120_000);
  afterAll(stopAll);

  test('restart-stale: refused while a task runs; else restarted, proven, and tested with the smallest guest', async () => {
    await runningTask(pbs, 'store');
    const busy = await run('pbs/restart-stale');
    expect(busy).toMatchObject({ code: 5, steps: [], error: { code: 'refused' } });
    expect(busy.error?.message).toContain('a task runs on pbs');
    await releaseTasks(pbs);
    await replaceExport(pbs);
    const stale = await pbs.exec(['proxmox-backup-debug', 'api', 'get', '/admin/datastore/store/snapshots']);
    expect(stale.stderr).toContain('unable to open chunk store');
    const going = startProvision(['run', 'pbs/restart-stale', '--yes', '--format', 'json'], {
      cwd: site,
      limit: 170_000,
    });
    // The other end of the backup: what vzdump would have sent.
    for (let i = 0; i < 300 && (await pve.exec(['test', '-e', '/root/vzdump-calls'])).code !== 0; i++)
      await sleep(100);
    await addSnapshots(pbs, [{ group: 'vm/200', time: Math.floor(Date.now() / 1000) + 1 }]);
    const ended = await going.finished;
    const report = told(ended.stdout);
    expect(report.steps.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
    expect(ended.code).toBe(0);
    expect(report.found).toContain('the API says of the datastore store: unable to open chunk store');
    expect(report.found).toContain('for the test: vm 200 (small) on pve2, disks of 2 GiB');
    expect(await pve.readFile('/root/vzdump-calls')).toBe(
      '200 --storage backups --mode snapshot --prune-backups keep-all=1\n',
    );
  }, 180_000);

  test('restart-stale: a backup that fails is not waited for, and nothing is begun after it', async () => {
    await pve.sh(': >/root/vzdump-fails; rm /root/vzdump-calls');
    const failed = await run('pbs/restart-stale', '--set', 'guest=vm/201', '--set', 'all=true');
    expect(failed).toMatchObject({ code: 4, outcomes: ['done', 'failed', 'skipped'] });
    expect(failed.steps[1]?.message).toContain('TASK ERROR: job errors');
    expect(await pve.readFile('/root/vzdump-calls')).toBe(
      '201 --storage backups --mode snapshot --prune-backups keep-all=1\n',
    );
    await pve.sh('rm /root/vzdump-fails');
  }, 180_000);

  test('remount: what is as it should be is left alone; on a mount without a store the services stay stopped', async () => {
    expect(await run('pbs/remount')).toMatchObject({ code: 0, outcomes: ['already'] });
    await unmountStore(pbs);
    const refused = await run('pbs/restart-stale', '--set', 'test=false');
    expect(refused.error?.hint).toContain('provision run pbs/remount --host pbs');
    expect((await pbs.exec(['ls', '-A', storeMount.path])).stdout).toBe('');
    const back = await run('pbs/remount');
    // The file system in memory is a new one: it is mounted, and has no store. The services must not run on it.
    expect(back).toMatchObject({ code: 4, outcomes: ['failed'] });
    expect(back.steps[0]?.message).toContain('the services stay stopped');
    expect(await active()).toBe('inactive inactive');
    await pbs.sh(
      `mkdir ${storeMount.path}/.chunks; : >${storeMount.path}/.lock; chown -R backup:backup ${storeMount.path}/.`,
    );
    // They are down, so nothing is known of tasks: that has to be said on purpose.
    expect(await run('pbs/remount')).toMatchObject({ code: 8, steps: [] });
    await pbs.sh(`systemctl start ${pbsUnits.join(' ')}`);
    expect(await run('pbs/remount')).toMatchObject({ code: 0, outcomes: ['already'] });
  }, 180_000);

  /** From now on what is mounted there has the content that the store has now, after some seconds. */
  const exportKeeps = async (seconds: number): Promise<void> => {
    await pbs.sh(`rm -rf /root/export; mkdir /root/export; cp -a ${storeMount.path}/. /root/export`);
    await pbs.writeFile(
      '/usr/sbin/mount.tmpfs',
      `#!/bin/sh
source=$1 path=$2
shift 2
[ "$path" = ${storeMount.path} ] || exec mount -i -t tmpfs "$@" "$source" "$path"
sleep ${seconds}
mount -i -t tmpfs "$@" "$source" "$path" && cp -a /root/export/. "$path"
`,
      '0755',
    );
  };

  test('remount: a lost mount comes back, and the services with it', async () => {
    await exportKeeps(0);
    await unmountStore(pbs);
    const back = await run('pbs/remount');
    expect(back).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(back.found).toContain('nothing is mounted at /mnt/pbs-datastore');
    expect(await active()).toBe('active active');
  }, 60_000);

  test('remount: its controller is killed while the services are stopped; they come back by themselves', async () => {
    await exportKeeps(4);
    await unmountStore(pbs);
    const going = startProvision(['run', 'pbs/remount', '--yes'], { cwd: site });
    for (let i = 0; i < 200 && (await active()) !== 'inactive inactive'; i++) await sleep(50);
    expect(await active()).toBe('inactive inactive');
    going.kill('SIGKILL');
    await going.finished;
    for (let i = 0; i < 200 && (await active()) !== 'active active'; i++) await sleep(100);
    expect(await active()).toBe('active active');
    expect(await run('pbs/remount')).toMatchObject({ code: 0, outcomes: ['already'] });
  }, 90_000);

  test('remount: a busy mount is told with who holds it, left, and the services are started again', async () => {
    await pbs.sh(
      `(cd ${storeMount.path} && exec sleep 300) >/dev/null 2>&1 </dev/null & echo $! >/run/holder`,
    );
    const pids = await pbs.sh('systemctl show -p MainPID --value proxmox-backup-proxy.service');
    await pbs.sh('proxmox-backup-debug api get /admin/datastore/store/status');
    // Stale for the API, healthy by hand: so that there is something to do.
    await pbs.sh(
      `mv ${storeMount.path}/.lock ${storeMount.path}/.was; : >${storeMount.path}/.lock; chown backup:backup ${storeMount.path}/.lock`,
    );
    const busy = await run('pbs/remount');
    expect(busy.steps[0]?.message).toContain(`/proc/${(await pbs.readFile('/run/holder')).trim()}/cwd`);
    expect(await active()).toBe('active active');
    expect(await pbs.sh('systemctl show -p MainPID --value proxmox-backup-proxy.service')).not.toBe(pids);
    expect(await pbs.sh(`awk '$5 == "${storeMount.path}"' /proc/self/mountinfo | wc -l`)).toBe('1\n');
    await pbs.sh('kill "$(cat /run/holder)"');
  }, 180_000);

  test('accept-fingerprint: shown, never taken by itself, a wrong one refused, the right one told to the node', async () => {
    const before = await pve.readFile('/etc/pve/storage.cfg');
    const now = await newCertificate(pbs);
    const shown = await run('pbs/accept-fingerprint', '--host', 'pbs');
    expect(shown).toMatchObject({ code: 5, steps: [] });
    expect(shown.found).toContain(now);
    expect(shown.found).toMatch(/to be changed in the inventory, .*pve2\.yaml:[0-9]+/);
    const wrong = await run(
      'pbs/accept-fingerprint',
      '--host',
      'pve2',
      '--set',
      `fingerprint=${now.replace(/^../, now.startsWith('00') ? '11' : '00')}`,
    );
    expect(wrong).toMatchObject({ code: 5, steps: [] });
    expect(await pve.readFile('/etc/pve/storage.cfg')).toBe(before);
    const told = await run(
      'pbs/accept-fingerprint',
      '--host',
      'pbs',
      '--set',
      `fingerprint=${now.toUpperCase()}`,
    );
    expect(told).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(await pve.readFile('/etc/pve/storage.cfg')).toContain(`fingerprint ${now}`);
  }, 120_000);

  test('retire-groups: only what is declared, gone, old and typed', async () => {
    const now = Math.floor(Date.now() / 1000);
    await addSnapshots(pbs, [
      { group: 'vm/330', time: now - 60 * day },
      { group: 'vm/330', time: now - 50 * day },
      { group: 'vm/331', time: now - 2 * day },
      { group: 'vm/201', time: now - 90 * day },
      { group: 'ct/900', time: now - 90 * day },
    ]);
    const decommissioned = ['vm/330', 'vm/331', 'vm/201'].map((group) => ({
      group,
      reason: 'its guest is gone',
    }));
    site = inventoryFor(
      [pbs, pve],
      {
        hosts: {
          pbs: { roles: ['lab-store', 'pbs'], vars: { pbs: { decommissioned } } },
          pve2: {
            roles: ['lab-storage'],
            vars: {
              'lab-storage': {
                storages: [{ id: 'backups', server: pbs.address, fingerprint: await fingerprint(pbs) }],
              },
            },
          },
        },
      },
      site,
    );
    const groups = () => pbs.sh(`cd ${storeMount.path}; ls -d vm/* ct/* | tr '\\n' ' '`);
    const all = await groups();
    const listed = await run('pbs/retire-groups');
    expect(listed).toMatchObject({ code: 5, steps: [] });
    expect(listed.found).toContain('vm/330: 2 snapshots');
    expect(listed.found).toContain('vm/331 is kept: its newest snapshot is 2 days old');
    expect(listed.found).toContain('vm/201 is kept: vm 201 is on pve2');
    expect(listed.error?.hint).toContain('--set confirm=vm/330. Nothing');
    for (const group of ['vm/331', 'vm/201', 'ct/900', 'vm/33'])
      expect(await run('pbs/retire-groups', '--set', `confirm=${group}`)).toMatchObject({
        code: 5,
        steps: [],
      });
    expect(await groups()).toBe(all);
    const gone = await run('pbs/retire-groups', '--set', 'confirm=vm/330');
    expect(gone).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(await groups()).toBe(all.replace('vm/330 ', ''));
  }, 180_000);
});
