import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { type Pmxcfs, startPmxcfs } from './pmxcfs.ts';
import { inventoryFor } from './site.ts';
import { describeLab } from './suite.ts';

/**
 * What is around the work of the stand-in `vzdump` in Proxmox VE: a worker with a UPID, its log among the tasks, and the archive.
 * /root/does says otherwise: `nothing` (a task that ends well without a backup), `fails`.
 */
const vzdump = String.raw`#!/usr/bin/perl
use strict; use warnings;
open my $calls, '>>', '/root/calls'; print {$calls} "@ARGV\n"; close $calls;
my ($vmid) = @ARGV;
sleep 1; # The real one takes that to load; its task begins later than its unit.
my $does = ''; if (open my $f, '<', '/root/does') { chomp($does = <$f>) }
open my $s, '<', "/proc/$$/stat"; my $stat = <$s>; $stat =~ s/^.*\) //;
my $upid = sprintf 'UPID:pve2:%08X:%08X:%08X:vzdump:%s:root@pam:', $$, (split / /, $stat)[19], time, $vmid;
my $dir = '/var/log/pve/tasks/' . substr sprintf('%08X', time), -1;
system 'mkdir', '-p', $dir, '/var/lib/vz/dump';
my $log = "$dir/$upid";
sub put { my ($text) = @_; open my $f, '>>', $log; print {$f} "$text\n"; close $f }
if ($does eq 'nothing') { put('INFO: no guests'); put('TASK OK'); exit 0 }
my $rc = system "/usr/bin/vzdump " . join(' ', map { "'$_'" } @ARGV) . " >>'$log' 2>&1";
sleep 2;
if ($rc || $does eq 'fails') { put('TASK ERROR: job errors'); exit 255 }
my @t = localtime;
my $stamp = sprintf '%04d_%02d_%02d-%02d_%02d_%02d', $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0];
open my $archive, '>', "/var/lib/vz/dump/vzdump-lxc-$vmid-$stamp.tar.zst"; print {$archive} 'data'; close $archive;
put('TASK OK');
`;

/** Plays the listing of backups on a directory storage; the rest is the stand-in's. */
const pvesm = `#!/bin/sh
[ "$1" = list ] || exec /usr/bin/pvesm "$@"
[ "$2" = local ] || { echo "storage '$2' does not exist" >&2; exit 255; }
echo 'Volid                                                 Format  Type        Size VMID'
cd /var/lib/vz/dump 2>/dev/null || exit 0
for f in vzdump-*-"$6"-*; do
  [ ! -e "$f" ] || echo "local:backup/$f tar.zst backup 4 $6"
done
`;

interface Step {
  readonly outcome: string;
  readonly message: string | null;
}

describeLab('vzdump/backup on a node of Proxmox VE', () => {
  let host: LabHost;
  let pmxcfs: Pmxcfs;
  let site: string;
  const conf = '/etc/pve/nodes/pve2/lxc/1031.conf';
  const backup = async (...args: readonly string[]) => {
    const ended = await runProvision(['run', 'vzdump/backup', '1031', '--format', 'json', ...args], {
      cwd: site,
      limit: 120_000,
    });
    const [run] = JSON.parse(ended.stdout).hosts;
    return {
      code: ended.code,
      found: (run.found as string[]).join('\n'),
      steps: run.steps as Step[],
      outcomes: run.steps.map((step: Step) => step.outcome) as string[],
      error: run.error as { code: string; message: string; hint: string } | null,
    };
  };
  const archives = async (): Promise<number> =>
    Number(await host.sh('ls /var/lib/vz/dump 2>/dev/null | wc -l'));

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve2' });
    pmxcfs = await startPmxcfs(host);
    await host.writeFile('/usr/local/sbin/vzdump', vzdump, '0755');
    await host.writeFile('/usr/local/sbin/pvesm', pvesm, '0755');
    await host.writeFile(conf, 'hostname: docker\nrootfs: local:1031,size=8G\n', '0640', 'root:www-data');
    site = inventoryFor([host], {
      roles: ['backup-jobs'],
      vars: { 'backup-jobs': { policy: { 'busy-media': { mode: 'stop', compress: 'zstd' } } } },
      hosts: {
        pve2: {
          guests: [{ vmid: 1031, type: 'ct', name: 'docker', class: 'busy-media', storage: 'local' }],
        },
      },
    });
  });
  beforeEach(async () => {
    await host.sh('rm -rf /root/calls /root/does /var/lib/vz/dump');
  });
  afterAll(stopAll);

  test('backs it up as its job says, in a unit of its own, and finds the archive', async () => {
    const dry = await backup('--dry-run');
    expect(dry).toMatchObject({ code: 0, outcomes: ['planned'], error: null });
    expect(await archives()).toBe(0);
    const run = await backup('--yes');
    expect(run).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(await host.readFile('/root/calls')).toBe(
      '1031 --storage local --mode stop --compress zstd --notes-template {{guestname}} --prune-backups keep-all=1\n',
    );
    expect(await archives()).toBe(1);
    expect(await host.readFile(conf)).not.toContain('lock:');
    // Each run makes another one.
    expect(await backup('--yes')).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(await archives()).toBe(2);
  }, 120_000);

  test('another mode than that of its policy is told, and done', async () => {
    const run = await backup('--yes', '--set', 'mode=snapshot');
    expect(run).toMatchObject({ code: 0, outcomes: ['done'] });
    expect(run.found).toContain('mode snapshot contradicts its policy, which is stop');
    expect(await host.readFile('/root/calls')).toContain('--mode snapshot');
  }, 60_000);

  test('a task that ends well and made no backup is a failure; one that fails is one too', async () => {
    await host.writeFile('/root/does', 'nothing\n');
    const nothing = await backup('--yes');
    expect(nothing).toMatchObject({ code: 4, outcomes: ['failed'] });
    expect(nothing.steps[0]?.message).toContain('local has no new backup of guest 1031');
    await host.writeFile('/root/does', 'fails\n');
    // Backups that began in the very seconds of this one, and went well before it.
    await host.sh(`dir=/var/log/pve/tasks/A; mkdir -p "$dir"; now=$(date +%s)
for i in $(seq 0 59); do echo 'TASK OK' >"$dir/$(printf 'UPID:pve2:%08X:%08X:%08X:vzdump:1031:root@pam:' "$i" "$i" $((now + i)))"; done`);
    const fails = await backup('--yes');
    await host.sh('rm -r /var/log/pve/tasks/A');
    expect(fails).toMatchObject({ code: 4, outcomes: ['failed'] });
    expect(fails.steps[0]?.message).toContain('TASK ERROR: job errors');
  }, 60_000);

  test('nothing is begun for a guest that is locked, while a vzdump runs, or to a storage that cannot be listed', async () => {
    await host.sh(`cp ${conf} /tmp/conf; { cat /tmp/conf; echo 'lock: backup'; } >${conf}`);
    const locked = await backup('--yes');
    expect(locked).toMatchObject({ code: 5, steps: [], error: { code: 'refused' } });
    expect(locked.error?.hint).toContain('provision run vzdump/unstick 1031 --host pve2');
    await host.sh(`cat /tmp/conf >${conf}`);
    await host.sh(
      'setsid flock -o /run/vzdump.lock sleep 300 >/dev/null 2>&1 </dev/null & echo $! >/run/holder; sleep 0.3',
    );
    expect((await backup('--yes')).error?.message).toContain('holds the vzdump lock of pve2');
    await host.sh('kill "$(cat /run/holder)"');
    expect(await backup('--yes', '--set', 'storage=gone')).toMatchObject({ code: 8, steps: [] });
    await pmxcfs.stop();
    expect(await backup('--yes')).toMatchObject({ code: 8, steps: [] });
    await pmxcfs.start();
    expect((await host.exec(['cat', '/root/calls'])).code).not.toBe(0);
  }, 60_000);
});
