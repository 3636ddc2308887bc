package PbsWorld;
# What the stand-ins of Proxmox Backup Server share: its configuration files, the way to its daemons, its tasks. It ships in no package.
#
# Plays: section files with the strict grammar (a comment, an unknown or doubled key, a bare key, a missing required key or a missing
# blank line makes the whole file fail; a line of blanks ends a section; of two sections with one id the last counts, silently; all
# words for booleans; CRLF), acl.cfg with its five fields, rewriting a file as a whole (keys sorted, booleans as they were given),
# owners and modes, the lock files. UPIDs and task logs as the server writes them.
# Does not play: remote.cfg, domains.cfg, notifications.cfg; most limits of values (checked: ids, integers, booleans, a few enums).
# World: /var/lib/proxmox-stand-ins/pbs: `version` (default 3.2.7); `hold`: while it exists, new tasks do not end; `calls`: every
# command line.
use strict;
use warnings;
use Fcntl qw(:flock O_RDWR O_CREAT);
use IO::Socket::UNIX ();
use JSON::PP ();

our $world = '/var/lib/proxmox-stand-ins/pbs';
our $etc = '/etc/proxmox-backup';
our $run = '/run/proxmox-backup';
our $tasks = '/var/log/proxmox-backup/tasks';
our $json = JSON::PP->new->canonical->utf8;

my $bool = sub { $_[0] =~ /^(1|0|on|off|yes|no|true|false)$/i };
my $text = sub { length $_[0] };
my $count = sub { $_[0] =~ /^\d+$/ && $_[0] >= 1 };
my $number = sub { $_[0] =~ /^\d+$/ };
my $depth = sub { $_[0] =~ /^[0-7]$/ };
my $any = sub { 1 };
my $id = sub { $_[0] =~ /^[A-Za-z0-9_][A-Za-z0-9._-]*$/ && length $_[0] >= 3 && length $_[0] <= 32 };
my %keep = map { ("keep-$_" => $count) } qw(last hourly daily weekly monthly yearly);
my %words = (
    'chunk-order' => sub { $_[0] =~ /^(none|inode)$/ }, 'sync-level' => sub { $_[0] =~ /^(none|file|filesystem)$/ },
    'gc-atime-safety-check' => $bool, 'gc-atime-cutoff' => sub { $_[0] =~ /^\d+$/ && $_[0] >= 1 && $_[0] <= 2880 },
    'gc-cache-capacity' => $number, 'default-verification-workers' => $count, 'default-verification-readers' => $count,
);
my $tuning = sub {
    for my $part (split /,/, $_[0]) { my ($key, $value) = split /=/, $part, 2; return 0 if !$words{$key} || !$words{$key}->($value // '') }
    return 1;
};

# Key to check by kind of section; the words after `need` are required.
our %schema = (
    datastore => { file => 'datastore', need => ['path'], key => { path => sub { $_[0] =~ m{^/} }, comment => $any, 'gc-schedule' => $text, 'verify-new' => $bool,
        'notification-mode' => sub { $_[0] =~ /^(legacy-sendmail|notification-system)$/ }, notify => $text, 'notify-user' => $text, tuning => $tuning,
        'maintenance-mode' => sub { $_[0] =~ /^(type=)?(read-only|offline|delete|unmount)(,message=.*)?$/ }, 'backing-device' => $text,
        'gc-on-unmount' => $bool, backend => $text, 'prune-schedule' => $text, 'notification-thresholds' => $text, 'counter-reset-schedule' => $text, %keep } },
    prune => { file => 'prune', need => ['store', 'schedule'], key => { store => $id, schedule => $text, disable => $bool, ns => $any, 'max-depth' => $depth, comment => $any, %keep } },
    verification => { file => 'verification', need => ['store'], key => { store => $id, ns => $any, 'max-depth' => $depth, schedule => $text, 'ignore-verified' => $bool,
        'outdated-after' => $number, comment => $any, 'read-threads' => $count, 'verify-threads' => $count } },
    sync => { file => 'sync', need => ['store', 'remote-store'], key => { store => $id, 'remote-store' => $id, remote => $id, ns => $any, 'remote-ns' => $any, owner => $text,
        'remove-vanished' => $bool, 'max-depth' => $depth, schedule => $text, 'group-filter' => [$text], 'transfer-last' => $count, 'rate-in' => $text, 'rate-out' => $text,
        'burst-in' => $text, 'burst-out' => $text, 'resync-corrupt' => $bool, 'encrypted-only' => $bool, 'verified-only' => $bool,
        'sync-direction' => sub { $_[0] =~ /^(pull|push)$/ }, 'run-on-mount' => $bool, 'unmount-on-done' => $bool, 'worker-threads' => $count, comment => $any } },
    user => { file => 'user', need => [], key => { enable => $bool, expire => $number, comment => $any, email => $text, firstname => $any, lastname => $any } },
    token => { file => 'user', need => [], key => { enable => $bool, expire => $number, comment => $any } },
);

sub slurp { my ($path) = @_; open my $file, '<', $path or return undef; local $/; return scalar(<$file>) // '' }
sub file_of { return "$etc/$_[0].cfg" }
sub version { my $said = slurp("$world/version") // '3.2.7'; $said =~ s/\s+//g; return $said }

sub at_least {
    my @want = split /\./, $_[0];
    my @have = split /\./, version();
    for my $n (0 .. $#want) { my $is = ($have[$n] // 0) <=> $want[$n]; return $is > 0 if $is }
    return 1;
}

sub note_call {
    my $line = join ' ', @_;
    if (open my $calls, '>>', "$world/calls") { print {$calls} "$line\n" }
}

# [{type, id, data}] in the order of the file. Dies with the line where the server gives the whole file up.
sub sections {
    my ($name) = @_;
    my $file = file_of($name);
    my $content = slurp($file);
    return [] if !defined $content;
    my (@found, $now, $line_no);
    my $bad = sub { die "file '$file' line $line_no - $_[0]\n" };
    my $close = sub {
        return if !$now;
        for my $need (@{ $schema{$now->{type}}{need} }) { $bad->("section '$now->{id}': property '$need': property is missing and it is not optional") if !exists $now->{data}{$need} }
        @found = grep { $_->{id} ne $now->{id} || $_->{type} ne $now->{type} } @found;
        push @found, $now;
        $now = undef;
    };
    for my $line (split /\n/, $content) {
        $line_no++;
        $line =~ s/\r$//;
        if ($line =~ /^\s*$/) { $close->(); next }
        if (!$now) {
            $line =~ /^(\S+):\s*(\S+)\s*$/ or $bad->("syntax error (expected header)");
            my ($type, $one) = ($1, $2);
            $bad->("unknown section type '$type'") if !$schema{$type} || $schema{$type}{file} ne $name;
            my $good = $type eq 'user' ? $one =~ /^[^\s:\/!]+\@[A-Za-z0-9._-]+$/ : $type eq 'token' ? $one =~ /^[^\s:\/!]+\@[A-Za-z0-9._-]+![A-Za-z0-9._-]+$/ : $id->($one);
            $bad->("section '$one': invalid section id") if !$good;
            $now = { type => $type, id => $one, data => {} };
            next;
        }
        $line =~ /^\s+(\S+)\s+(.*?)\s*$/ or $bad->("syntax error (expected section properties)");
        my ($key, $value) = ($1, $2);
        my $check = $schema{$now->{type}}{key}{$key} or $bad->("section '$now->{id}': property '$key': schema does not allow additional properties");
        if (ref $check eq 'ARRAY') { push @{ $now->{data}{$key} }, $value; next }
        $bad->("section '$now->{id}': duplicate property '$key'") if exists $now->{data}{$key};
        $bad->("section '$now->{id}': property '$key': value does not fit: $value") if !$check->($value);
        $now->{data}{$key} = $value;
    }
    $line_no++;
    $close->();
    return \@found;
}

sub check_value {
    my ($type, $key, $value) = @_;
    my $check = $schema{$type}{key}{$key} or die "parameter verification failed - '$key': schema does not allow additional properties.\n";
    $check = $check->[0] if ref $check eq 'ARRAY';
    $check->($value) or die "parameter verification failed - '$key': value does not fit: $value\n";
}

sub check_id { my ($value, $what) = @_; $id->($value) or die "parameter verification failed - '$what': value must be 3 to 32 characters of A-Za-z0-9_.-\n" }

# As a whole, with its owner and mode, under its lock.
sub write_sections {
    my ($name, $list) = @_;
    my $out = '';
    for my $one (@$list) {
        $out .= "$one->{type}: $one->{id}\n";
        for my $key (sort keys %{ $one->{data} }) {
            $out .= "\t$key $_\n" for ref $one->{data}{$key} ? @{ $one->{data}{$key} } : ($one->{data}{$key});
        }
        $out .= "\n";
    }
    replace(file_of($name), $out, 'root', 0640);
}

sub replace {
    my ($path, $content, $owner, $mode) = @_;
    my $temp = "$path.tmp_$$";
    open my $file, '>', $temp or die "open $temp failed - $!\n";
    chmod $mode, $temp;
    chown +(getpwnam $owner)[2], +(getgrnam 'backup')[2], $temp;
    print {$file} $content;
    close $file or die "write $temp failed - $!\n";
    rename $temp, $path or die "rename $path failed - $!\n";
}

sub locked {
    my ($name, $work) = @_;
    my $path = "$etc/.$name.lck";
    sysopen my $lock, $path, O_RDWR | O_CREAT, 0660 or die "open lock $path failed - $!\n";
    chown +(getpwnam 'backup')[2], +(getgrnam 'backup')[2], $path if $> == 0;
    my $until = time + 10;
    until (flock $lock, LOCK_EX | LOCK_NB) { die "Unable to acquire lock $path - Interrupted system call (os error 4)\n" if time > $until; select undef, undef, undef, 0.1 }
    return $work->();
}

# [{propagate, path, auth, role}], one for each user and role of a line.
sub acls {
    my ($line_no, @found) = (0);
    for my $line (split /\n/, slurp("$etc/acl.cfg") // '') {
        $line_no++;
        next if $line =~ /^\s*$/;
        my @part = split /:/, $line, -1;
        die "unable to parse acl config \"$etc/acl.cfg\", line $line_no: wrong number of items.\n" if @part != 5;
        die "unable to parse acl config \"$etc/acl.cfg\", line $line_no: line does not start with 'acl'\n" if $part[0] ne 'acl';
        die "unable to parse acl config \"$etc/acl.cfg\", line $line_no: expected '0' or '1' for propagate flag.\n" if $part[1] !~ /^[01]$/;
        for my $auth (split /,/, $part[3]) { push @found, { propagate => $part[1], path => $part[2], auth => $auth, role => $_ } for split /,/, $part[4] }
    }
    return \@found;
}

# Entries of one path and flag are joined in one line, as the server does.
sub write_acls {
    my ($list) = @_;
    my %roles;
    push @{ $roles{"$_->{propagate}:$_->{path}:$_->{role}"} }, $_->{auth} for @$list;
    my $out = '';
    for my $key (sort keys %roles) { my ($flag, $path, $role) = split /:/, $key; $out .= "acl:$flag:$path:" . join(',', sort @{ $roles{$key} }) . ":$role\n" }
    replace("$etc/acl.cfg", $out, 'root', 0640);
}

# One request to a daemon: {data} or dies with what it said.
sub call {
    my ($daemon, $request) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => "$run/$daemon.sock") or die "error trying to connect: tcp connect error: Connection refused (os error 111)\n";
    print {$socket} $json->encode($request), "\n";
    my $line = <$socket>;
    die "connection closed before message completed\n" if !defined $line;
    my $answer = $json->decode($line);
    die "$answer->{error}\n" if defined $answer->{error};
    return $answer->{data};
}

sub process_start { my $stat = slurp("/proc/$_[0]/stat") // return undef; $stat =~ s/.*\) //s; return (split ' ', $stat)[19] }

sub upid_parts {
    my @part = split /:/, $_[0], -1;
    return undef if @part != 10 || $part[0] ne 'UPID';
    return { upid => $_[0], node => $part[1], pid => hex $part[2], pstart => hex $part[3], task => hex $part[4], starttime => hex $part[5], worker_type => $part[6], worker_id => $part[7], user => $part[8] };
}

sub task_log { my $one = upid_parts($_[0]) or die "unable to parse UPID '$_[0]'\n"; return sprintf '%s/%02X/%s', $tasks, $one->{pstart} % 256, $_[0] }

# All tasks, the running ones first; one whose process is gone has no end and is not running.
sub all_tasks {
    my @active = grep { $_ } map { upid_parts($_) } split /\n/, slurp("$tasks/active") // '';
    my @running = grep { my $start = process_start($_->{pid}); defined $start && $start == $_->{pstart} } @active;
    my %running = map { ($_->{upid} => 1) } @running;
    my @lost = map { { %$_, endtime => $_->{starttime}, status => 'unknown' } } grep { !$running{ $_->{upid} } } @active;
    my @ended;
    for my $line (split /\n/, slurp("$tasks/index") // '') {
        my ($upid, $end, $status) = split / /, $line, 3;
        my $one = upid_parts($upid) or next;
        push @ended, { %$one, endtime => hex $end, status => $status };
    }
    return (\@running, [reverse(@ended), @lost]);
}

1;
