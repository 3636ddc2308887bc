import type { LabHost } from './lab.ts';

/** What the example site says of the guests of these nodes. */
export const guests = {
  pihanga: ['vm/101', 'vm/200'],
  ruapehu: ['vm/109', 'vm/400', 'vm/401', 'vm/402', 'vm/403', 'vm/450', 'vm/451', 'ct/200'],
} as const;
export type Node = keyof typeof guests;

/** Shell text: somebody is told of a backup that fails. */
export const addressOfRoot = "echo 'user:root@pam:1:0:::root@lab.lan:::' >/etc/pve/user.cfg";

/** The file of a guest in the cluster file system of its node. */
export function guestFile(node: Node, guest: string): string {
  const [type, vmid] = guest.split('/');
  return `/etc/pve/nodes/${node}/${type === 'vm' ? 'qemu-server' : 'lxc'}/${vmid}.conf`;
}

/** Gives a node its guests: a name, and disks of 8 GiB; and root an address that it is told of failures at. */
export async function putGuests(host: LabHost, node: Node): Promise<void> {
  await host.writeFile('/etc/pve/user.cfg', 'user:root@pam:1:0:::ops@box.lan::\n', '0640', 'root:www-data');
  for (const guest of guests[node]) {
    const name = guest === 'vm/101' ? 'pbs' : guest.replace('/', '');
    const lines = guest.startsWith('vm/')
      ? `name: ${name}\nscsi0: local:1,size=8G\n`
      : `hostname: ${name}\nrootfs: local:1,size=8G\n`;
    await host.writeFile(guestFile(node, guest), lines, '0640', 'root:www-data');
  }
}

const good = 'INFO: Finished Backup of VM N (00:01:12)';

/**
 * What last night's backups left on a node: the log of each guest that is still there. `end` is the last line of those that go to the
 * backup server, `VM N` in it stands for the guest.
 */
export async function night(host: LabHost, node: Node, end = good): Promise<void> {
  const logs = guests[node].map((guest) => {
    const last = guest === 'vm/101' ? good : end;
    const [type = '', vmid = ''] = guest.split('/');
    const kind = type === 'vm' ? 'qemu' : 'lxc';
    return `[ ! -e ${guestFile(node, guest)} ] ||
  printf '%s\\n' 'INFO: Starting Backup of VM ${vmid} (${kind})' "${last.replaceAll('VM N', `VM ${vmid}`)}" >/var/log/vzdump/${kind}-${vmid}.log`;
  });
  await host.sh(`mkdir -p /var/log/vzdump\n${logs.join('\n')}`);
}

/** The archive of the guest that is backed up to its own node: the backup server. */
export async function archiveOfServer(host: LabHost): Promise<void> {
  await host.sh(`mkdir -p /var/lib/vz/dump; cd /var/lib/vz/dump
echo data >"vzdump-qemu-101-$(date +%Y_%m_%d-%H_%M_%S).vma.zst"`);
}

/** Plays `vzdump` as its task log shows it, and nothing more: the snapshot is put into the datastore by the test. */
const vzdump = `#!/usr/bin/perl
my $vmid = $ARGV[0] =~ /^\\d+$/ ? $ARGV[0] : '';
open my $s, '<', "/proc/$$/stat"; my $stat = <$s>; $stat =~ s/^.*\\) //;
my $upid = sprintf 'UPID:NODE:%08X:%08X:%08X:vzdump:%s:root@pam:', $$, (split / /, $stat)[19], time, $vmid;
my $dir = '/var/log/pve/tasks/' . substr $upid =~ /^(?:[^:]*:){4}([^:]*)/ ? $1 : '0', -1;
system 'mkdir', '-p', $dir;
open my $log, '>', "$dir/$upid"; $log->autoflush(1);
print {$log} "INFO: Starting Backup of VM $vmid (qemu)\\n";
open my $c, '>>', '/root/vzdump-calls'; print {$c} "@ARGV\\n"; close $c;
sleep 2;
print {$log} "INFO: Finished Backup of VM $vmid (00:00:02)\\nTASK OK\\n";
`;

/** From now on a backup of this node begins and ends well; each call is a line in /root/vzdump-calls. */
export async function playVzdump(host: LabHost): Promise<void> {
  await host.sh('rm -f /usr/bin/vzdump /usr/sbin/vzdump');
  await host.writeFile('/usr/bin/vzdump', vzdump.replace('NODE', host.name), '0755');
}
