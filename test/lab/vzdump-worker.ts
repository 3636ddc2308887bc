import type { LabHost } from './lab.ts';

export interface WorkerOptions {
  /** The guest that its UPID names; null: a job over several, of which its log names one. */
  readonly guest: number | null;
  /** What its log says, one line each; the first names the guest. */
  readonly log?: readonly string[];
  /** Hours for which it has been at work, as its UPID tells. Default 0. */
  readonly hours?: number;
  /** Takes TERM as vzdump does: cleans up, unlocks the guest of its UPID and ends. Else it is deaf to it. */
  readonly polite?: boolean;
  /** A directory that its child stands in while it hangs in the kernel (state D); else the child is stopped and deaf to TERM. */
  readonly hangsIn?: string;
}

export interface FakeWorker {
  readonly pid: number;
  readonly upid: string;
}

/**
 * Plays a worker of vzdump as /proc, /run and the task log show one: session of its own, title `task UPID:...`, the flock on
 * /run/vzdump.lock, its UPID in /run/vzdump.pid and in the list of active tasks, a task log, a child. It backs up nothing.
 */
const program = String.raw`use strict; use warnings; use POSIX (); use Fcntl qw(:flock);
my ($guest, $polite, $hangs_in, $hours, @log) = @ARGV;
my $pid = fork // die;
if ($pid) { exit 0 }
POSIX::setsid();
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
sub start_of { open my $f, '<', "/proc/$_[0]/stat" or die; my $s = <$f>; $s =~ s/^.*\) //; return (split / /, $s)[19] }
my ($now, $node) = (time - 3600 * $hours, (POSIX::uname())[1]);
my $upid = sprintf 'UPID:%s:%08X:%08X:%08X:vzdump:%s:root@pam:', $node, $$, start_of($$), $now, $guest eq '-' ? '' : $guest;
$0 = "task $upid";
open my $lock, '>>', '/run/vzdump.lock' or die;
flock $lock, LOCK_EX or die;
my $dir = '/var/log/pve/tasks/' . uc substr sprintf('%08X', $now), -1;
system 'mkdir', '-p', $dir;
sub put { my ($path, $text, $how) = @_; open my $f, $how // '>', $path or die "$path: $!"; print {$f} $text; close $f }
put("$dir/$upid", join '', map { "$_\n" } @log);
put('/var/log/pve/tasks/active', "$upid 0\n", '>>');
put('/run/vzdump.pid', $upid);
if ($polite) {
  $SIG{TERM} = sub {
    put("$dir/$upid", "ERROR: Backup of VM $guest failed - interrupted by signal\n", '>>');
    system('sed', '-i', '/^lock: backup$/d', $_) for glob "/etc/pve/{lxc,qemu-server}/$guest.conf";
    POSIX::_exit(0);
  };
} else { $SIG{TERM} = 'IGNORE' }
my $child = fork // die;
if (!$child) {
  $SIG{TERM} = 'IGNORE';
  $0 = 'rsync --stats -h --numeric-ids -aH';
  close $lock;
  # The parent of a vfork waits in state D until its child calls exec, which this one does not: as behind a server that is gone.
  if ($hangs_in ne '-') { chdir $hangs_in or die; syscall(58) or sleep 120; POSIX::_exit(0) }
  kill 'STOP', $$ if !$polite;
  sleep 3600; exit 0;
}
put('/run/fake-worker', "$$ $upid $child\n");
sleep 3600 while 1;
`;

/** Starts one on the host and answers when it is at work. */
export async function startWorker(host: LabHost, options: WorkerOptions): Promise<FakeWorker> {
  const { guest, polite = false, hangsIn = '-' } = options;
  const log = options.log ?? [`INFO: Starting Backup of VM ${guest ?? 100} (lxc)`, 'INFO: creating archive'];
  await host.sh('rm -f /run/fake-worker');
  await host.writeFile('/root/fake-worker.pl', program);
  const ended = await host.exec([
    'perl',
    '/root/fake-worker.pl',
    guest === null ? '-' : String(guest),
    polite ? '1' : '',
    hangsIn,
    String(options.hours ?? 0),
    ...log,
  ]);
  if (ended.code !== 0) throw new Error(`lab: no worker: ${ended.stderr}`);
  const line = await host.sh(
    'for i in 1 2 3 4 5 6 7 8 9 10; do [ -s /run/fake-worker ] && break; sleep 0.1; done; cat /run/fake-worker',
  );
  const [pid = '', upid = ''] = line.trim().split(' ');
  return { pid: Number(pid), upid };
}
