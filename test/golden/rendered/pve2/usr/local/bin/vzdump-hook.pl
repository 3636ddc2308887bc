#!/usr/bin/perl
# Kept by provision: edits here are found and taken back. Change the inventory instead.
#
# Stops services inside VMs while vzdump takes its backup, and starts them again whatever happens. Called by vzdump as
# PHASE or PHASE MODE VMID; `vzdump-hook.pl help` lists what else it can do.
#
# What it rests on: before a service is stopped, the file STATE/VMID says durably which services are to be started again.
# Every later phase, and `repair` at boot and from a timer, starts what the file names and removes the file only when
# the services were seen active. Nothing else decides, so the order in which phases come, or whether they come, is no matter.
use strict;
use warnings;
use Errno qw(EINTR ENOENT EWOULDBLOCK);
use Fcntl qw(:DEFAULT :flock);
use IO::Handle ();
use IO::Select ();
use JSON::PP ();
use POSIX qw(:sys_wait_h setpgid strftime _exit);
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);

my $QM = '/usr/sbin/qm';
my $STATE = '/var/lib/vzdump-hook';
my $VZDUMP_LOCK = '/run/vzdump.lock';
my $VZDUMP_CONF = '/etc/vzdump.conf';
my $HOOK = '/usr/local/bin/vzdump-hook.pl';
my $SETTLE = 3;
my $STAYS_UP = 60;
my @GUESTS;
# In BEGIN, so that `perl -c` refuses a guest that is there twice before this file is put in place.
BEGIN {
    @GUESTS = (
        {
            vmid => 111,
            name => 'InfluxDB',
            services => ['influxdb3-core', ],
            modes => ['snapshot', 'suspend', ],
            stop_limit => 120,
            start_limit => 180,
            on_failure => 'fail',
            data_dir => '/var/lib/influxdb3/data/node0',
        },
    );
    my %seen;
    for (@GUESTS) { die "guest $_->{vmid} is configured twice\n" if $seen{ $_->{vmid} }++ }
}
# end of configuration

# Both exist on merged and on unmerged /usr.
my $SYSTEMCTL = '/bin/systemctl';
my $JOURNALCTL = '/bin/journalctl';
my $OK = 0;
my $BAD = 1;
my $UNKNOWN = 8;
my $UNIT = qr/^[A-Za-z0-9_:][A-Za-z0-9_:.\@\\-]{0,254}$/;
# Only the phases that may still stop a service listen to this.
my $interrupted = 0;

my $type = $ENV{VMTYPE};
# vzdump empties the environment; qm starts programs of its own.
%ENV = (LC_ALL => 'C', PATH => '/usr/sbin:/usr/bin:/sbin:/bin');
umask 077;
chdir '/';
STDOUT->autoflush(1);
# A reader that went away must not end a start half-way.
$SIG{PIPE} = 'IGNORE';
exit main(@ARGV);

sub main {
    my ($verb, @rest) = @_;
    my %verbs = (repair => \&repair, check => \&check, dry => \&dry, guest => \&in_guest, 'recover-wal' => \&recover_wal, disable => \&disable, help => sub { help($OK) });
    return help($BAD) if !defined $verb;
    my $code = eval { $verbs{$verb} ? $verbs{$verb}->(@rest) : phase($verb, @rest) };
    return $code if defined $code;
    note(undef, "stopped by an error: $@");
    return $BAD;
}

sub help {
    print <<'END';
usage: vzdump-hook.pl PHASE [MODE VMID]        called by vzdump
       vzdump-hook.pl dry [PHASE [MODE VMID]]  what a phase would do; nothing is touched
       vzdump-hook.pl check [agent|services|state|reference|idle|stopped|wal|catalog|journal [VMID]]
       vzdump-hook.pl repair                   start what a killed vzdump left stopped
       vzdump-hook.pl guest VMID LIMIT -- PROGRAM ARGUMENT...
       vzdump-hook.pl recover-wal VMID stop|list|quarantine|start|prove
       vzdump-hook.pl disable                  take the script line out of vzdump's configuration, a copy is kept
exit codes: 0 ok, 1 bad, 8 could not look; `guest`: that of the program, 125 when it could not be run
END
    return $_[0];
}

# ---- phases ------------------------------------------------------------------------------------------------------

sub phase {
    my ($phase, $mode, $vmid) = @_;
    # This phase comes before the lock: another vzdump may be in the middle of a backup, and no further phase may follow.
    return $OK if $phase eq 'job-init';
    # With the lock held no other vzdump is at work, so a state file is what a killed run left. A failure here would
    # cost every guest its backup, so it is only said.
    if ($phase eq 'job-start') { eval { start_all(); 1 } or note(undef, $@); return $OK }
    return start_all() if $phase eq 'job-end' || $phase eq 'job-abort';
    return $OK if ($vmid // '') !~ /^[1-9][0-9]{2,8}$/;
    my $guest = guest_of($vmid);
    # A guest that left the configuration during its backup still gets its services back.
    my $left = read_state($vmid);
    return $OK if !$guest && !$left;
    return $OK if ($type // '') eq 'lxc';
    return stop_before($guest, $mode // '') if $phase eq 'backup-start';
    # pre-stop, pre-restart and post-restart: nothing. For a VM in snapshot mode all three come BEFORE the point in time
    # of the backup; a service started there would be writing while it is copied. The first phase after the
    # point in time is backup-end or backup-abort. abort comes without start, and after end; log-end is one more try.
    return start_after($left, $guest ? $guest->{start_limit} : 180) if $phase eq 'backup-end' || $phase eq 'backup-abort';
    return start_after($left, 60) if $phase eq 'log-end';
    return $OK;
}

# What is to be started again is on disk before the first service is stopped. On any failure all is started again and
# the phase fails: vzdump then fails this guest before anything happened to it and goes on with the next.
sub stop_before {
    my ($guest, $mode) = @_;
    return $OK if !$guest || !grep { $_ eq $mode } @{ $guest->{modes} };
    local @SIG{qw(TERM INT HUP QUIT)} = (sub { $interrupted = 1 }) x 4;
    my $refuse = sub {
        note($guest, "$_[0]; " . ($guest->{on_failure} eq 'continue' ? 'the backup goes on without stopping' : 'this backup is refused'));
        return $guest->{on_failure} eq 'continue' ? $OK : $BAD;
    };
    # Effective mode stop is also the mode of a guest that does not run.
    if ($mode eq 'stop' && (power($guest->{vmid}) // '') eq 'stopped') {
        note($guest, 'the guest is not running, nothing to stop');
        return $OK;
    }
    my $lock = guest_lock($guest->{vmid}, now() + least(30, $guest->{stop_limit}));
    return $refuse->('another call for this guest is still at work') if !$lock;
    # Read again: whoever held the lock may have finished with it.
    my $left = read_state($guest->{vmid});
    my %left = map { $_ => 1 } $left ? @{ $left->{start} } : ();
    my (@again, %active);
    for my $unit (@{ $guest->{services} }) {
        my ($state, $reason) = steady_state($guest, $unit, now() + least(30, $guest->{stop_limit}));
        return $refuse->("$unit: could not look: $reason") if !defined $state;
        return $refuse->("$unit is not known in the guest") if $state eq 'not-found';
        $active{$unit} = 1 if $state ne 'inactive' && $state ne 'failed';
        # Inactive and not our doing: it stays stopped.
        if ($active{$unit} || $left{$unit}) { push @again, $unit }
        else { note($guest, "$unit is $state, left as it is") }
    }
    return $OK if !@again;
    my $problem = write_state($guest, [ unique(@again, grep { $_ =~ $UNIT } $left ? @{ $left->{start} } : ()) ]);
    return $refuse->("nothing stopped, because what is to be started again could not be noted: $problem") if defined $problem;
    for my $unit (grep { $active{$_} } @again) {
        note($guest, "Stopping $unit before backup");
        $problem = stop_unit($guest, $unit);
        last if defined $problem;
    }
    # One more look at all of them: a unit that starts another one brings it back.
    for my $unit (defined $problem || @again < 2 ? () : @again) {
        my ($state, $reason) = look($guest, $unit, now() + 20);
        $problem //= "$unit: " . ($state // $reason) . ' again' if !defined $state || !at_rest($state);
    }
    return $OK if !defined $problem && !$interrupted;
    $problem = 'asked to end' if $interrupted;
    $interrupted = 0;
    $SIG{$_} = 'IGNORE' for qw(TERM INT HUP QUIT);
    my $code = $refuse->($problem);
    start_guest(read_state($guest->{vmid}), $guest->{start_limit}, 'after a failed stop', 1);
    return $code;
}

# Exit code of backup-end: 1 when a service could not be shown active. That marks the backup as failed although the
# copy exists, but a database that is down must not go unnoticed, and vzdump then calls backup-abort: one more try.
sub start_after {
    my ($left, $limit) = @_;
    return $OK if !$left;
    local @SIG{qw(TERM INT HUP QUIT)} = ('IGNORE') x 4;
    my $lock = guest_lock($left->{vmid}, now() + least(30, $limit));
    $left = read_state($left->{vmid}) or return $OK;
    # Without the lock a stop of a killed call may still be on its way: start, but keep the file, so that it is tried again.
    return start_guest($left, $limit, 'after backup', $lock ? 1 : 0) eq 'started' ? $OK : $BAD;
}

# The net below all guests, at the ends of a run. A guest that is switched off does not fail the run of all others.
sub start_all {
    my $code = $OK;
    for my $vmid (state_files()) {
        local @SIG{qw(TERM INT HUP QUIT)} = ('IGNORE') x 4;
        my $lock = guest_lock($vmid, now() + 30);
        my $left = read_state($vmid) or next;
        $code = $BAD if start_guest($left, 60, 'after backup', $lock ? 1 : 0) eq 'failed';
    }
    return $code;
}

# ---- repair ------------------------------------------------------------------------------------------------------

sub repair {
    my $code = $OK;
    for my $vmid (state_files()) {
        my $lock = guest_lock($vmid, 0);
        my $left = read_state($vmid) or next;
        if (!$lock) { note($left, 'another call for this guest is at work, left to it'); next }
        # Asked with the lock of the guest held: a vzdump that begins now waits for it in backup-start.
        my $running = vzdump_running();
        if (!defined $running) { note($left, "could not see whether a backup runs, nothing done"); $code ||= $UNKNOWN; next }
        if ($running) { note($left, 'a backup runs on this host, left to it'); next }
        if (($left->{hold} // 0) > time) { note($left, 'a recovery is at work, left to it'); next }
        $code = $BAD if start_guest($left, $left->{start_limit}, 'left stopped by an interrupted backup', 1) eq 'failed';
    }
    return $code;
}

# Does a vzdump worker hold its lock? 1, 0, or undef for "could not look". The file is always there and means nothing;
# only a held flock counts. Read from the kernel's table: trying the lock would take it away from a vzdump that starts now.
sub vzdump_running {
    my ($device, $inode) = stat $VZDUMP_LOCK;
    return $! == ENOENT ? 0 : undef if !defined $inode;
    open my $table, '<', '/proc/locks' or return undef;
    my @lines = <$table>;
    # glibc's encoding of a device number.
    my $major = (($device >> 8) & 0xfff) | (($device >> 32) & ~0xfff);
    my $minor = ($device & 0xff) | (($device >> 12) & 0xffffff00);
    my $want = sprintf '%02x:%02x:%d', $major, $minor, $inode;
    # `->` marks one that waits for the lock.
    return scalar(grep { /^\d+: FLOCK\s+\S+\s+\S+\s+-?\d+ \Q$want\E / } @lines) ? 1 : 0;
}

# ---- starting and stopping ---------------------------------------------------------------------------------------

# Starts all that the file names, last stopped first; one that fails does not keep the others down.
# `started`: all seen active, file removed. `off`: the guest is switched off. `failed`: the file stays.
sub start_guest {
    my ($left, $limit, $why, $alone) = @_;
    my @down;
    for my $unit (reverse @{ $left->{start} }) {
        my $problem = start_unit($left, $unit, $limit, $why);
        next if !defined $problem;
        note($left, "$unit: $problem");
        unshift @down, $unit;
    }
    push @down, 'what the unreadable file meant' if $left->{broken} && !@{ $left->{start} };
    if (!@down) {
        return 'started' if $alone && (unlink("$STATE/$left->{vmid}") || $! == ENOENT);
        note($left, $alone ? "could not remove $STATE/$left->{vmid}: $!" : 'another call is still at work, so this is looked at again later');
        return 'failed';
    }
    my $off = (power($left->{vmid}) // '') eq 'stopped';
    note($left, $off ? 'the guest is not running; its services are started when it runs again' : "NOT STARTED: @down; it is tried again");
    write_state($left, \@down) if $alone && !$left->{broken};
    return $off ? 'off' : 'failed';
}

# Returns undef when the unit is active and still is after the settling time, else why not.
sub start_unit {
    my ($guest, $unit, $limit, $why) = @_;
    my $until = now() + $limit;
    my ($reason, $said);
    my $told = '';
    do {
        my ($state, $problem) = look($guest, $unit, $until);
        if (!defined $state) { return "could not look: $problem" }
        return 'is not known in the guest' if $state eq 'not-found';
        if ($state eq 'active') {
            # A database that dies on its first write is active for a moment.
            sleep $SETTLE;
            ($state) = look($guest, $unit, now() + 20);
            if (($state // '') eq 'active') { note($guest, "$unit is active"); return undef }
            $reason = 'did not stay active';
        }
        elsif (at_rest($state)) {
            note($guest, "Starting $unit $why") if !$said;
            $said = 1;
            # A unit that failed too often refuses to start until this was said.
            guest_exec($guest->{vmid}, least(20, $until - now()), $SYSTEMCTL, 'reset-failed', '--', $unit) if $state eq 'failed';
            my $answer = guest_exec($guest->{vmid}, $until - now(), $SYSTEMCTL, 'start', '--', $unit);
            my $failure = failure_of($answer) // '';
            note($guest, "$unit: $failure") if length $failure && $failure ne $told;
            $told = $failure;
            $reason = $failure || 'did not become active';
        }
        else { $reason = "is $state" }
    } while (nap($until));
    return $reason;
}

# Returns undef when the unit was seen inactive, else why not. The exit code of the stop is not believed.
sub stop_unit {
    my ($guest, $unit) = @_;
    my $until = now() + $guest->{stop_limit};
    my $reason;
    my $asked = 0;
    my $said = '';
    do {
        # Asked again while it is active: the first request may have met a frozen agent.
        if (!$asked) {
            my $answer = guest_exec($guest->{vmid}, $until - now(), $SYSTEMCTL, 'stop', '--', $unit);
            my $failure = failure_of($answer) // '';
            note($guest, "$unit: $failure") if length $failure && $failure ne $said;
            ($asked, $said) = (1, $failure);
        }
        my ($state, $problem) = look($guest, $unit, $until);
        return "$unit could not be stopped: $problem" if !defined $state;
        return "$unit is not known in the guest" if $state eq 'not-found';
        if (at_rest($state)) { note($guest, "$unit is $state" . ($state eq 'failed' ? ': it ended, but not cleanly' : '')); return undef }
        $reason = "it is still $state";
        $asked = 0 if $state eq 'active';
    } while (!$interrupted && nap($until));
    return "$unit could not be stopped: $reason";
}

sub at_rest { return $_[0] eq 'inactive' || $_[0] eq 'failed' }

# The state of a unit, waiting for one that is on its way to another. One that never gets there is returned as it is.
sub steady_state {
    my ($guest, $unit, $until) = @_;
    my ($state, $reason);
    do {
        ($state, $reason) = look($guest, $unit, $until);
        return ($state, $reason) if !defined $state || $state !~ /ing$/;
    } while (!$interrupted && nap($until));
    return $state;
}

# (state) or (undef, reason). `show` and not `is-active`: the latter calls a mistyped unit inactive, and a service
# that was never stopped would look like one that an operator had stopped. Anything but a clear answer is asked again.
sub look {
    my ($guest, $unit, $until) = @_;
    my $reason;
    do {
        # One real try, also at the very end of a limit: what was seen says more than that the time was up.
        my $answer = guest_exec($guest->{vmid}, least(20, most(3, $until - now())), $SYSTEMCTL, 'show', '-p', 'LoadState', '-p', 'ActiveState', '--', $unit);
        my $failure = failure_of($answer);
        if (!defined $failure) {
            my ($state) = $answer->{out} =~ /^ActiveState=([a-z-]+)$/m;
            my ($load) = $answer->{out} =~ /^LoadState=([a-z-]+)$/m;
            return 'not-found' if defined $state && defined $load && $load eq 'not-found' && $state eq 'inactive';
            return $state eq 'reloading' || $state eq 'refreshing' ? 'active' : $state if defined $state && defined $load;
            $failure = 'the answer of systemctl was not understood';
        }
        $reason = $failure;
    } while (!$interrupted && $reason !~ /No QEMU guest agent configured|VM \d+ (not|is not) running/i && nap($until));
    return (undef, $reason);
}

# ---- the guest agent ---------------------------------------------------------------------------------------------

# {exit, out, err} of the program in the guest, or {reason}. `qm guest exec` itself exits 0 when the program failed and when
# it gave up waiting, so only the JSON counts: exited and exitcode.
sub guest_exec {
    my ($vmid, $limit, @argv) = @_;
    my $timeout = int($limit) > 3 ? int($limit) - 2 : 1;
    my $answer = call($limit, $QM, 'guest', 'exec', $vmid, '--timeout', $timeout, '--', @argv);
    return $answer if defined $answer->{reason};
    return { reason => one_line($answer->{err}) || "qm ended with $answer->{exit}" } if $answer->{exit} != 0;
    my $json = eval { JSON::PP->new->utf8->decode($answer->{out}) } // eval { JSON::PP->new->decode($answer->{out}) };
    return { reason => 'the answer of qm was not understood' } if ref $json ne 'HASH';
    return { reason => "still running in the guest after $timeout s" } if !$json->{exited};
    return { reason => "ended by signal $json->{signal} in the guest" } if defined $json->{signal};
    return { reason => 'qm did not say how the program ended' } if ($json->{exitcode} // '') !~ /^\d+$/;
    return { exit => $json->{exitcode} + 0, out => $json->{'out-data'} // '', err => $json->{'err-data'} // '' };
}

# Why the program in the guest did not succeed, or undef.
sub failure_of {
    my ($answer) = @_;
    return $answer->{reason} if defined $answer->{reason};
    return undef if $answer->{exit} == 0;
    return "exit code $answer->{exit} in the guest" . (length $answer->{err} ? ': ' . one_line($answer->{err}) : '');
}

# `running`, `stopped`, or undef for "could not look".
sub power {
    my ($vmid) = @_;
    my $answer = call(20, $QM, 'status', $vmid);
    return undef if defined $answer->{reason} || $answer->{exit} != 0;
    return $answer->{out} =~ /^status: (\w+)/m ? $1 : undef;
}

# Runs a program of this host in a process group of its own, never longer than the limit. {exit, out, err} or {reason, out, err}.
sub call {
    my ($limit, @argv) = @_;
    return { reason => 'the time was up', out => '', err => '' } if $limit < 0.2;
    my $until = now() + $limit;
    pipe(my $out, my $out_end) && pipe(my $err, my $err_end) or return { reason => "no pipe: $!" };
    my $pid = fork;
    return { reason => "no process: $!" } if !defined $pid;
    if (!$pid) {
        setpgid(0, 0);
        $SIG{$_} = 'DEFAULT' for qw(PIPE TERM INT HUP QUIT);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $out_end;
        open STDERR, '>&', $err_end;
        { no warnings 'exec'; exec { $argv[0] } @argv }
        print STDERR "cannot run $argv[0]: $!\n";
        _exit(127);
    }
    setpgid($pid, $pid);
    close $out_end;
    close $err_end;
    my %text = (fileno $out => '', fileno $err => '');
    my ($out_number, $err_number) = (fileno $out, fileno $err);
    my $reading = IO::Select->new($out, $err);
    my $ended;
    # A program may close its output and go on, or leave it open in another process: both the pipes and the process are watched.
    while (now() < $until && !$interrupted) {
        my $slice = least($reading->count && !defined $ended ? 0.25 : 0.02, $until - now());
        my @ready = $reading->count ? $reading->can_read($slice) : ();
        sleep $slice if !$reading->count;
        for my $from (@ready) {
            my $read = sysread $from, my $bytes, 65536;
            next if !defined $read && $! == EINTR;
            if (!$read) { $reading->remove($from); next }
            $text{ fileno $from } .= $bytes if length $text{ fileno $from } < 1 << 24;
        }
        if (!defined $ended && waitpid($pid, WNOHANG) == $pid) { $ended = $? }
        last if defined $ended && !@ready;
    }
    my %got = (out => $text{$out_number}, err => $text{$err_number});
    if (!defined $ended) {
        # The group is that of the child just started and not yet waited for: its number cannot have gone to another process.
        for my $signal (qw(TERM KILL)) {
            kill $signal, -$pid;
            for (1 .. 20) { last if waitpid($pid, WNOHANG) != 0; sleep 0.05 }
        }
        return { %got, reason => $interrupted ? 'asked to end' : sprintf('no answer within %d s', $limit) };
    }
    return { %got, reason => 'ended by signal ' . ($ended & 127) } if $ended & 127;
    return { %got, exit => $ended >> 8 };
}

# ---- what is on disk ---------------------------------------------------------------------------------------------

sub state_files {
    opendir my $directory, $STATE or return $! == ENOENT ? () : die "$STATE: $!\n";
    return sort { $a <=> $b } grep { /^[1-9][0-9]{2,8}$/ } readdir $directory;
}

# undef when nothing is to be started. A file that cannot be read still says that something was stopped: then all services
# of the guest are meant, because one service too many does less harm than a database that stays down.
sub read_state {
    my ($vmid) = @_;
    my $guest = guest_of($vmid);
    my %known = (vmid => $vmid, name => $guest ? $guest->{name} : 'vzdump', start_limit => $guest ? $guest->{start_limit} : 180);
    my $json;
    if (sysopen my $file, "$STATE/$vmid", O_RDONLY) {
        local $/;
        $json = eval { JSON::PP->new->utf8->decode(scalar <$file>) };
    }
    elsif ($! == ENOENT) { return undef }
    my @start = ref $json eq 'HASH' && ref $json->{start} eq 'ARRAY' ? grep { !ref && /$UNIT/ } @{ $json->{start} } : ();
    if (!@start) {
        note(\%known, "$STATE/$vmid cannot be read, so all services of the guest are meant");
        return { %known, start => $guest ? $guest->{services} : [], broken => 1 };
    }
    $known{name} = $json->{name} if !$guest && defined $json->{name} && !ref $json->{name};
    my $hold = ($json->{hold} // '') =~ /^\d+$/ ? $json->{hold} : 0;
    return { %known, start => \@start, hold => $hold };
}

# Returns undef when the file is on disk for sure, also after a power loss, else why not.
sub write_state {
    my ($guest, $start, $hold) = @_;
    my $path = "$STATE/$guest->{vmid}";
    mkdir $STATE, 0700;
    my $text = JSON::PP->new->utf8->canonical->encode({
        format => 1, vmid => $guest->{vmid} + 0, name => $guest->{name}, start => $start, hold => ($hold // 0) + 0,
        since => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime),
    });
    return write_durably($path, "$STATE/new.$guest->{vmid}", "$text\n", 0600);
}

sub write_durably {
    my ($path, $new, $text, $mode, $uid, $gid) = @_;
    my $kept = sub { my $why = "$new: $!"; unlink $new; return $why };
    sysopen my $file, $new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600 or return "$new: $!";
    return $kept->() if !chown $uid // -1, $gid // -1, $file or !chmod $mode, $file;
    print {$file} $text or return $kept->();
    $file->flush && $file->sync && close $file or return $kept->();
    rename $new, $path or return $kept->();
    my ($directory) = $path =~ m{^(.*)/};
    sysopen my $handle, $directory, O_RDONLY or return "$directory: $!";
    return $handle->sync ? undef : "$directory: $!";
}

# The lock of one guest, or undef when it was not to be had in time. The commands started while it is held inherit it:
# when this program is killed, the next call waits until the stop that was under way has ended, and cannot be overtaken by it.
sub guest_lock {
    my ($vmid, $until) = @_;
    mkdir $STATE, 0700;
    local $^F = 1 << 20;
    sysopen my $file, "$STATE/lock.$vmid", O_RDWR | O_CREAT | O_NOFOLLOW, 0600 or return undef;
    do { return $file if flock $file, LOCK_EX | LOCK_NB } while ($until && !$interrupted && nap($until));
    return undef;
}

# ---- for people, checks and procedures ---------------------------------------------------------------------------

sub dry {
    my ($phase, $mode, $vmid) = @_;
    my @phases = defined $phase ? $phase : qw(job-init job-start backup-start pre-stop pre-restart post-restart backup-end backup-abort log-end job-end job-abort);
    for my $each (@phases) {
        if ($each =~ /^job-/) {
            my @left = state_files();
            print "$each: ", $each eq 'job-init' || !@left ? 'nothing' : "start what is left stopped in @left", "\n";
            next;
        }
        my @guests = defined $vmid ? $vmid : map { $_->{vmid} } @GUESTS;
        for my $one (@guests) { print "$each $_ $one: ", would($each, $_, $one), "\n" for defined $mode ? $mode : qw(snapshot suspend stop) }
    }
    return $OK;
}

sub would {
    my ($phase, $mode, $vmid) = @_;
    my $guest = guest_of($vmid);
    if ($phase eq 'backup-start') {
        return 'nothing, the guest is not configured' if !$guest;
        return 'nothing, this mode is not configured' if !grep { $_ eq $mode } @{ $guest->{modes} };
        return "stop @{ $guest->{services} } (those that are active), at most $guest->{stop_limit} s each";
    }
    return 'nothing' if $phase !~ /^(backup-end|backup-abort|log-end)$/;
    return 'start what backup-start stopped, at most ' . ($phase eq 'log-end' ? 60 : $guest->{start_limit}) . ' s each' if $guest;
    return 'nothing, the guest is not configured';
}

# Exit code 1 when something is bad, 8 when something could not be seen, 0 when all is well.
sub check {
    my ($what, $vmid) = @_;
    my %looks = (agent => \&check_agent, services => \&check_services, state => \&check_state, stopped => \&check_stopped, wal => \&check_wal, catalog => \&check_catalog, journal => \&check_journal);
    return check_reference() if ($what // '') eq 'reference';
    return check_idle() if ($what // '') eq 'idle';
    my @guests = defined $vmid ? guest_of($vmid) : @GUESTS;
    # A guest that is no longer configured may still be waiting.
    push @guests, map { guest_of($_) ? () : { vmid => $_ } } state_files() if ($what // 'state') eq 'state' && !defined $vmid;
    if ((defined $what && !$looks{$what}) || grep { !defined } @guests) { return help($BAD) }
    return told($guests[0], $UNKNOWN, 'no data_dir is configured, not looked') if defined $vmid && ($what // '') =~ /^(wal|catalog|journal)$/ && !defined $guests[0]{data_dir};
    my %worst;
    for my $guest (@guests) { $worst{ $looks{$_}->($guest) } = 1 for defined $what ? $what : $guest->{services} ? qw(agent services state) : 'state' }
    return $worst{$BAD} ? $BAD : $worst{$UNKNOWN} ? $UNKNOWN : $OK;
}

sub told { my ($guest, $code, $text) = @_; note($guest, "$guest->{vmid}: $text"); return $code }

sub check_agent {
    my ($guest) = @_;
    my $answer = call(20, $QM, 'guest', 'cmd', $guest->{vmid}, 'ping');
    return told($guest, $UNKNOWN, "could not ask: $answer->{reason}") if defined $answer->{reason};
    return told($guest, $BAD, 'the agent does not answer: ' . one_line($answer->{err})) if $answer->{exit} != 0;
    # A ping may work where running programs is forbidden.
    my $failure = failure_of(guest_exec($guest->{vmid}, 20, $SYSTEMCTL, '--version'));
    return told($guest, $BAD, "the agent answers but runs nothing: $failure") if defined $failure;
    return told($guest, $OK, 'the agent answers and runs programs');
}

sub check_services {
    my ($guest) = @_;
    # Stopped for a backup is neither good nor bad.
    return told($guest, $UNKNOWN, 'a backup is at work') if -e "$STATE/$guest->{vmid}" && vzdump_running();
    my $code = $OK;
    for my $unit (@{ $guest->{services} }) {
        my ($state, $reason) = look($guest, $unit, now() + 20);
        if (!defined $state) { $code ||= told($guest, $UNKNOWN, "$unit: could not look: $reason"); next }
        $code = $BAD if $state ne 'active';
        told($guest, $code, "$unit is $state");
    }
    return $code;
}

sub check_stopped {
    my ($guest) = @_;
    for my $unit (@{ $guest->{services} }) {
        my ($state, $reason) = look($guest, $unit, now() + 20);
        return told($guest, $UNKNOWN, "$unit: could not look: $reason") if !defined $state;
        return told($guest, $BAD, "$unit is $state") if !at_rest($state);
    }
    return told($guest, $OK, 'all services are stopped');
}

sub check_state {
    my ($guest) = @_;
    return told($guest, $OK, 'nothing is waiting to be started') if !-e "$STATE/$guest->{vmid}";
    return told($guest, $UNKNOWN, 'stopped for a backup that is at work') if vzdump_running();
    return told($guest, $BAD, "$STATE/$guest->{vmid} names services that are still to be started");
}

# The last `script:` line counts; one behind a # is a comment.
sub check_reference {
    open my $file, '<', $VZDUMP_CONF or return told({ vmid => $VZDUMP_CONF }, $! == ENOENT ? $BAD : $UNKNOWN, "$!");
    my @lines = <$file>;
    my ($last) = reverse map { /^\s*script:\s*(.*?)\s*$/ ? $1 : () } @lines;
    return told({ vmid => $VZDUMP_CONF }, $OK, "calls $HOOK") if ($last // '') eq $HOOK;
    return told({ vmid => $VZDUMP_CONF }, $BAD, defined $last ? "calls $last" : 'calls no script');
}

sub check_idle {
    my $running = vzdump_running();
    my %vzdump = (vmid => 'vzdump');
    return told(\%vzdump, $UNKNOWN, 'could not look') if !defined $running;
    return $running ? told(\%vzdump, $BAD, 'is at work') : told(\%vzdump, $OK, 'is not at work');
}

sub check_wal {
    my ($guest) = @_;
    return $OK if !defined $guest->{data_dir};
    my ($files, $reason) = empty_wal_files($guest);
    return told($guest, $UNKNOWN, "could not look: $reason") if !$files;
    told($guest, $BAD, "zero bytes: $guest->{data_dir}/wal/$_") for @$files;
    return @$files ? $BAD : told($guest, $OK, 'no zero-byte WAL file');
}

# Told, never touched: an empty catalog needs a restore or a decision by a person.
sub check_catalog {
    my ($guest) = @_;
    my $dir = $guest->{data_dir} // return $OK;
    my $answer = guest_exec($guest->{vmid}, 60, '/usr/bin/find', $dir, '-maxdepth', 3, '-type', 'f', '-size', 0, '(', '-path', "$dir/catalog/*", '-o', '-path', "$dir/catalogs/*", '-o', '-name', '_catalog_checkpoint', ')', '-printf', '%P\n');
    my $failure = failure_of($answer);
    return told($guest, $UNKNOWN, "could not look: $failure") if defined $failure;
    my @files = split /\n/, $answer->{out};
    told($guest, $BAD, "zero bytes, not touched: $dir/$_") for @files;
    return @files ? $BAD : told($guest, $OK, 'no zero-byte catalog file');
}

sub check_journal {
    my ($guest) = @_;
    return $OK if !defined $guest->{data_dir};
    my $code = $OK;
    for my $unit (@{ $guest->{services} }) { my $one = journal($guest, '-u', $unit, '--since=-26h'); $code = $one if $one == $BAD || $code == $OK }
    return $code;
}

# The two lines that InfluxDB 3 writes about a damaged WAL.
sub journal {
    my ($guest, @which) = @_;
    my $answer = guest_exec($guest->{vmid}, 60, $JOURNALCTL, @which, '-o', 'cat', '--no-pager', '-n', 20000);
    my $failure = failure_of($answer);
    return told($guest, $UNKNOWN, "journal: could not look: $failure") if defined $failure;
    my ($line) = $answer->{out} =~ /^(.*(?:WAL file too small.*got 0 bytes|invoking shutdown after attempt to persist a WAL file that already exists).*)$/m;
    return defined $line ? told($guest, $BAD, "journal: $line") : told($guest, $OK, 'journal: no sign of a damaged WAL');
}

sub in_guest {
    my ($vmid, $limit, $dashes, @argv) = @_;
    my $guest = guest_of($vmid // '');
    if (!$guest || ($limit // '') !~ /^[1-9][0-9]{0,4}$/ || ($dashes // '') ne '--' || !@argv) {
        print STDERR "guest: give a configured VMID, seconds, --, and a program\n";
        return 125;
    }
    my $answer = guest_exec($vmid, $limit, @argv);
    print as_bytes($answer->{out}) if !defined $answer->{reason};
    print STDERR defined $answer->{reason} ? "$answer->{reason}\n" : as_bytes($answer->{err});
    return defined $answer->{reason} ? 125 : $answer->{exit};
}

# ---- zero-byte WAL files of InfluxDB 3 ---------------------------------------------------------------------------

sub recover_wal {
    my ($vmid, $what) = @_;
    my %steps = (stop => \&recover_stop, list => \&recover_list, quarantine => \&recover_quarantine, start => \&recover_start, prove => \&recover_prove);
    my $guest = guest_of($vmid // '');
    return help($BAD) if !$guest || !$steps{ $what // '' };
    return told($guest, $BAD, 'no data_dir is configured') if !defined $guest->{data_dir};
    my $lock = $what eq 'list' ? 1 : guest_lock($vmid, now() + 30);
    return told($guest, $BAD, 'another call for this guest is at work') if !$lock;
    return $steps{$what}->($guest);
}

# All services are started again in the end, active now or not: one that dies of a damaged WAL is the reason to be here.
# `hold` keeps `repair` from starting them between two steps; it ends by itself.
sub recover_stop {
    my ($guest) = @_;
    my $running = vzdump_running();
    return told($guest, $running ? $BAD : $UNKNOWN, 'a backup may be at work, nothing done') if !defined $running || $running;
    my $problem = write_state($guest, $guest->{services}, time + 900);
    return told($guest, $BAD, $problem) if defined $problem;
    for my $unit (@{ $guest->{services} }) {
        $problem = stop_unit($guest, $unit);
        return told($guest, $BAD, $problem) if defined $problem;
    }
    return told($guest, $OK, 'all services are stopped');
}

# (names) or (undef, reason). Depth 1 and size 0 only; a name that is not a plain one is refused, not skipped.
sub empty_wal_files {
    my ($guest) = @_;
    my $answer = guest_exec($guest->{vmid}, 60, '/usr/bin/find', which_wal($guest), '-printf', '%f\0');
    my $failure = failure_of($answer);
    return (undef, $failure) if defined $failure;
    my @files = sort split /\0/, $answer->{out};
    for (@files) { return (undef, 'a file has a strange name, nothing done') if !/^[A-Za-z0-9._-]+\.wal$/ }
    return \@files;
}

sub which_wal { return ("$_[0]{data_dir}/wal/", '-maxdepth', 1, '-type', 'f', '-name', '*.wal', '-size', 0) }

sub recover_list {
    my ($guest) = @_;
    my ($files, $reason) = empty_wal_files($guest);
    return told($guest, $UNKNOWN, "could not look: $reason") if !$files;
    print "$guest->{data_dir}/wal/$_\n" for @$files;
    told($guest, $OK, scalar(@$files) . ' zero-byte WAL file(s)');
    check_catalog($guest);
    return $OK;
}

sub recover_quarantine {
    my ($guest) = @_;
    my $stopped = check_stopped($guest);
    return $stopped if $stopped != $OK;
    my ($files, $reason) = empty_wal_files($guest);
    return told($guest, $UNKNOWN, "could not look: $reason") if !$files;
    return told($guest, $OK, 'no zero-byte WAL file, nothing to move') if !@$files;
    # Beside the data, so that moving is renaming. mkdir refuses one that is there already.
    my $aside = "$guest->{data_dir}.quarantine-" . strftime('%Y%m%dT%H%M%SZ', gmtime);
    my $vmid = $guest->{vmid};
    my $failure = failure_of(guest_exec($vmid, 30, '/bin/mkdir', '-m', '0700', '--', $aside));
    return told($guest, $BAD, "$aside: $failure") if defined $failure;
    # Selected and moved in one go: a file that got content in between is not moved. -n never replaces one.
    $failure = failure_of(guest_exec($vmid, 120, '/usr/bin/find', which_wal($guest), '-fprintf', "$aside/MANIFEST", 'wal/%f\t%s bytes\t%TY-%Tm-%Td %TH:%TM\n', '-exec', '/bin/mv', '-n', '-t', $aside, '--', '{}', '+'));
    return told($guest, $BAD, "moving to $aside: $failure") if defined $failure;
    # sync of one directory: older guests have only the plain form.
    guest_exec($vmid, 60, '/bin/sync');
    my $moved = guest_exec($vmid, 60, '/usr/bin/find', $aside, '-maxdepth', 1, '-type', 'f', '-name', '*.wal', '-size', 0, '-printf', '%f\0');
    my ($still) = empty_wal_files($guest);
    my $same = !defined failure_of($moved) && join("\0", sort split /\0/, $moved->{out}) eq join("\0", @$files);
    print "$aside/$_\n" for @$files;
    return told($guest, $BAD, "$aside does not hold exactly what was listed, look before starting") if !$same || !$still || @$still;
    return told($guest, $OK, scalar(@$files) . " file(s) moved to $aside, listed in its MANIFEST");
}

sub recover_start {
    my ($guest) = @_;
    my $problem = -e "$STATE/$guest->{vmid}" ? undef : write_state($guest, $guest->{services});
    return told($guest, $BAD, $problem) if defined $problem;
    return start_guest(read_state($guest->{vmid}), $guest->{start_limit}, 'after recovery', 1) eq 'started' ? $OK : $BAD;
}

# Up, and the same process for the whole time: a service that systemd restarts every few seconds looks active in between.
sub recover_prove {
    my ($guest) = @_;
    my (%first, $code);
    my $until = now() + $STAYS_UP;
    do {
        for my $unit (@{ $guest->{services} }) {
            my $answer = guest_exec($guest->{vmid}, 20, $SYSTEMCTL, 'show', '-p', 'ActiveState', '-p', 'MainPID', '-p', 'InvocationID', '--', $unit);
            my $failure = failure_of($answer);
            return told($guest, $UNKNOWN, "$unit: could not look: $failure") if defined $failure;
            my %is = $answer->{out} =~ /^(\w+)=(.*)$/mg;
            return told($guest, $BAD, "$unit is " . ($is{ActiveState} // 'in no known state')) if ($is{ActiveState} // '') ne 'active';
            $first{$unit} //= \%is;
            return told($guest, $BAD, "$unit was started anew meanwhile") if $is{MainPID} ne $first{$unit}{MainPID} || $is{InvocationID} ne $first{$unit}{InvocationID};
        }
    } while (nap($until));
    for my $unit (@{ $guest->{services} }) {
        $code = journal($guest, "_SYSTEMD_INVOCATION_ID=$first{$unit}{InvocationID}");
        return $code if $code != $OK;
        told($guest, $OK, "$unit stayed up for $STAYS_UP s");
    }
    return check_wal($guest);
}

# ---- rollback ----------------------------------------------------------------------------------------------------

# All other bytes of the file stay as they are.
sub disable {
    my @about = stat $VZDUMP_CONF;
    open my $file, '<:raw', $VZDUMP_CONF or return $! == ENOENT ? $OK : told({ vmid => $VZDUMP_CONF }, $BAD, "$!");
    my $old = do { local $/; <$file> } // '';
    (my $text = $old) =~ s/^[ \t]*script:[ \t]*\Q$HOOK\E[ \t\r]*(?:\n|\z)//mg;
    return told({ vmid => $VZDUMP_CONF }, $OK, "does not call $HOOK") if $text eq $old;
    my $copy = "$STATE/vzdump.conf." . strftime('%Y%m%dT%H%M%SZ', gmtime);
    my $problem = write_durably($copy, "$STATE/new.vzdump.conf", $old, 0600)
        // write_durably($VZDUMP_CONF, "$VZDUMP_CONF.new-by-vzdump-hook", $text, $about[2] & 07777, @about[4, 5]);
    return told({ vmid => $VZDUMP_CONF }, $BAD, $problem) if defined $problem;
    return told({ vmid => $VZDUMP_CONF }, $OK, "no longer calls $HOOK; the old one is $copy");
}

# ---- small parts -------------------------------------------------------------------------------------------------

# undef, not an empty list, for a guest that is not configured: a check of it must not look like a check of nothing.
sub guest_of { my ($vmid) = @_; my ($found) = grep { $_->{vmid} eq $vmid } @GUESTS; return $found }

# Task logs take ASCII; anything else becomes a question mark.
sub note {
    my ($guest, $text) = @_;
    my $line = '[' . ($guest && $guest->{name} || 'vzdump') . " Hook] $text";
    $line =~ s/\s+$//;
    $line =~ s/[^ -~]/?/g;
    print "$line\n";
}

sub one_line { my ($text) = @_; my ($line) = $text =~ /(\S.*)/; return substr($line // '', 0, 300) }

# What qm prints as text was bytes in the guest.
sub as_bytes { my ($text) = @_; utf8::encode($text) if $text =~ /[^\x00-\xff]/; return $text }

sub now { return clock_gettime(CLOCK_MONOTONIC) }

sub most { my ($one, $other) = @_; return $one > $other ? $one : $other }

sub least { my ($one, $other) = @_; return $one < $other ? $one : $other }

sub unique { my %seen; return grep { !$seen{$_}++ } @_ }

# Waits a little; false when the time is up.
sub nap {
    my ($until) = @_;
    my $left = $until - now();
    return 0 if $left <= 0.2;
    sleep least(0.5, $left);
    return 1;
}
