package PbsApi;
# What the daemons answer. See proxmox-backup-daemon. It ships in no package.
#
# Paths: /version, /status/datastore-usage, /admin/datastore[/N/(status|groups|snapshots|namespace|gc)], /admin/(prune|verify|sync|gc),
# /config/(datastore|prune|verify|sync), /nodes/localhost/tasks, /access/users, /access/acl; delete: /admin/datastore/N/groups. Groups and snapshots are read from the
# store's directories (vm/109/2026-11-19T02:00:00Z/ with index.json.blob; `owner` in the group; ns/NAME/ for namespaces).
use strict;
use warnings;
use POSIX ();
use Time::Local qw(timegm);
use PbsWorld;

my (%handle, %running, $task_id);

sub store {
    my ($name) = @_;
    my ($one) = grep { $_->{id} eq $name } @{ PbsWorld::sections('datastore') };
    die "no such datastore '$name'\n" if !$one;
    return $one->{data};
}

sub open_stores { my $all = eval { PbsWorld::sections('datastore') } // []; for my $one (@$all) { eval { opened($one->{id}) } } }

# The path of a store that can be used: through the handle that was opened first.
sub opened {
    my ($name) = @_;
    my $data = store($name);
    if (($data->{'maintenance-mode'} // '') =~ /^(?:type=)?offline/) { close delete $handle{$name} if $handle{$name}; die "datastore '$name' is in offline maintenance mode\n" }
    my $path = $data->{path};
    my $gone = sub { die qq{unable to open chunk store at "$path/.chunks" - No such file or directory (os error 2)\n} };
    if (!$handle{$name}) {
        $gone->() if !-d "$path/.chunks";
        open my $lock, '+<', "$path/.lock" or $gone->();
        $handle{$name} = $lock;
    }
    my ($had, @now) = (join(':', (stat $handle{$name})[0, 1]), stat "$path/.lock");
    $gone->() if !@now || $had ne join(':', @now[0, 1]) || !-d "$path/.chunks";
    return $path;
}

sub answer {
    my ($request) = @_;
    my ($method, $path, $given) = ($request->{method}, $request->{path}, $request->{params} // {});
    return 1 if $method eq 'ping';
    return start_task(@$given{qw(type id user)}) if $method eq 'task';
    return stop_task($given->{upid}) if $method eq 'stop';
    return set_token($1, $2, $given) if $method eq 'set' && $path =~ m{^/access/users/([^/]+)/token/([^/]+)$};
    return forget_group($1, $given) if $method eq 'delete' && $path =~ m{^/admin/datastore/([^/]+)/groups$};
    die "no such method '$method' for '$path'\n" if $method ne 'get';
    return { version => join('.', (split /\./, PbsWorld::version())[0, 1]), release => (split /\./, PbsWorld::version())[2] // '0', repoid => 'f00dbabe' } if $path eq '/version';
    return [map { usage($_->{id}) } @{ PbsWorld::sections('datastore') }] if $path eq '/status/datastore-usage';
    return [map { { store => $_->{id}, exists $_->{data}{comment} ? (comment => $_->{data}{comment}) : () } } @{ PbsWorld::sections('datastore') }] if $path eq '/admin/datastore';
    if ($path =~ m{^/admin/datastore/([^/]+)/(status|groups|snapshots|namespace|gc)$}) {
        my ($name, $what) = ($1, $2);
        my $at = opened($name);
        my $usage = usage($name);
        return { map { ($_ => $usage->{$_}) } qw(total used avail) } if $what eq 'status';
        return { store => $name, 'disk-bytes' => 0, 'pending-bytes' => 0, 'removed-bytes' => 0, 'still-bad' => 0 } if $what eq 'gc';
        return [map { { ns => $_ } } namespaces($at)] if $what eq 'namespace';
        my @snapshots = snapshots($at, $given->{ns} // '', $given);
        return \@snapshots if $what eq 'snapshots';
        return [groups(@snapshots)];
    }
    return jobs($1) if $path =~ m{^/(?:admin|config)/(prune|verify|sync|datastore|gc)$};
    if ($path eq '/nodes/localhost/tasks') {
        my ($active, $ended) = PbsWorld::all_tasks();
        return ($given->{running} // '') =~ /^(1|true|yes|on)$/ ? $active : [@$active, @$ended];
    }
    return [map { { userid => $_->{id}, typed($_->{data}) } } grep { $_->{type} eq 'user' } @{ PbsWorld::sections('user') }] if $path eq '/access/users';
    return [map { { path => $_->{path}, ugid => $_->{auth}, ugid_type => 'user', roleid => $_->{role}, propagate => $_->{propagate} ? JSON::PP::true : JSON::PP::false } } @{ PbsWorld::acls() }] if $path eq '/access/acl';
    die "Path '$path' not found.\n";
}

sub typed {
    my ($data) = @_;
    return map { my $v = $data->{$_}; ($_ => $v =~ /^(on|yes|true)$/i ? JSON::PP::true : $v =~ /^(off|no|false)$/i ? JSON::PP::false : /^(enable|disable|verify-new|ignore-verified|remove-vanished)$/ ? ($v ? JSON::PP::true : JSON::PP::false) : !ref $v && $v =~ /^\d{1,15}$/ ? $v + 0 : $v) } keys %$data;
}

sub jobs {
    my ($what) = @_;
    return [map { { store => $_->{id}, exists $_->{data}{'gc-schedule'} ? (schedule => $_->{data}{'gc-schedule'}) : () } } @{ PbsWorld::sections('datastore') }] if $what eq 'gc';
    return [map { { name => $_->{id}, typed($_->{data}) } } @{ PbsWorld::sections('datastore') }] if $what eq 'datastore';
    return [map { { id => $_->{id}, typed($_->{data}) } } @{ PbsWorld::sections($what eq 'verify' ? 'verification' : $what) }];
}

sub usage {
    my ($name) = @_;
    my $path = eval { opened($name) };
    if ($@) { my $error = $@; chomp $error; return { store => $name, error => $error } }
    my (undef, $total, $used, $avail) = map { (split ' ')[0, 1, 2, 3] } (split /\n/, `df -P -B1 -- '$path'`)[1];
    return { store => $name, total => $total + 0, used => $used + 0, avail => $avail + 0, 'mount-status' => 'nonremovable' };
}

sub namespaces { my ($at) = @_; return ('', map { m{/ns/([^/]+)$} } glob "$at/ns/*") }

sub snapshots {
    my ($at, $ns, $given) = @_;
    my $base = join '/', $at, map { ('ns', $_) } split m{/}, $ns;
    my @found;
    for my $dir (sort glob "$base/{vm,ct,host}/*/*T*Z") {
        my ($type, $id, $time) = $dir =~ m{/([^/]+)/([^/]+)/([^/]+)$};
        next if defined $given->{'backup-type'} && $given->{'backup-type'} ne $type || defined $given->{'backup-id'} && $given->{'backup-id'} ne $id;
        my @at = $time =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z$/ or next;
        my $owner = PbsWorld::slurp("$base/$type/$id/owner") // 'root@pam';
        chomp $owner;
        my %one = ('backup-type' => $type, 'backup-id' => $id, 'backup-time' => timegm($at[5], $at[4], $at[3], $at[2], $at[1] - 1, $at[0]), owner => $owner, protected => -e "$dir/.protected" ? JSON::PP::true : JSON::PP::false, files => [map { { filename => m{([^/]+)$} } } sort glob "$dir/*"]);
        # 12 bytes in front of the JSON of an unencrypted, uncompressed blob. Without a manifest the upload runs or was broken off.
        my $blob = PbsWorld::slurp("$dir/index.json.blob");
        if (defined $blob && length $blob > 12) {
            my $manifest = $PbsWorld::json->decode(substr $blob, 12);
            $one{size} = 0;
            $one{size} += $_->{size} for @{ $manifest->{files} // [] };
            my $rest = $manifest->{unprotected} // {};
            $one{verification} = $rest->{verify_state} if $rest->{verify_state};
            $one{comment} = (split /\n/, $rest->{notes})[0] if $rest->{notes};
        }
        push @found, \%one;
    }
    return @found;
}

sub groups {
    my %group;
    for my $one (@_) {
        my $key = "$one->{'backup-type'}/$one->{'backup-id'}";
        $group{$key} //= { 'backup-type' => $one->{'backup-type'}, 'backup-id' => $one->{'backup-id'}, owner => $one->{owner}, 'backup-count' => 0, 'last-backup' => 0 };
        $group{$key}{'backup-count'}++;
        if ($one->{'backup-time'} >= $group{$key}{'last-backup'}) { $group{$key}{'last-backup'} = $one->{'backup-time'}; $group{$key}{files} = [map { $_->{filename} } @{ $one->{files} }] }
    }
    return map { $group{$_} } sort keys %group;
}

# Removes a group with its snapshots; with a protected one among them the others go, and the group stays.
sub forget_group {
    my ($name, $given) = @_;
    for my $key (qw(backup-type backup-id)) { die "parameter verification failed - '$key': parameter is missing and it is not optional.\n" if !defined $given->{$key} }
    my $group = join '/', opened($name), (map { ('ns', $_) } split m{/}, $given->{ns} // ''), @$given{qw(backup-type backup-id)};
    die "group $given->{'backup-type'}/$given->{'backup-id'} not found\n" if !-d $group;
    my @kept = grep { -e "$_/.protected" } glob "$group/*T*Z";
    for my $dir (glob "$group/*T*Z") { next if grep { $_ eq $dir } @kept; unlink glob "$dir/*"; rmdir $dir }
    die scalar(@kept) . " protected snapshots remain\n" if @kept;
    unlink "$group/owner";
    rmdir $group or die "removing group failed: $!\n";
    return undef;
}

sub start_task {
    my ($type, $id, $user) = @_;
    my $node = (POSIX::uname())[1];
    my $start = PbsWorld::process_start($$);
    my $upid = sprintf 'UPID:%s:%08X:%08X:%08X:%08X:%s:%s:%s:', $node, $$, $start, $task_id++ // 0, time, $type, $id, $user;
    my $log = PbsWorld::task_log($upid);
    mkdir $PbsWorld::tasks;
    mkdir $log =~ s{/[^/]+$}{}r;
    my $failed = eval { opened($id =~ s/:.*//r); 1 } ? '' : $@;
    chomp $failed;
    open my $file, '>', $log or die "unable to write task log: $!\n";
    print {$file} stamp() . ": starting task $upid\n", $failed ? stamp() . ": TASK ERROR: $failed\n" : '';
    open my $active, '>>', "$PbsWorld::tasks/active" or die "unable to write active: $!\n";
    print {$active} "$upid\n";
    close $active;
    $running{$upid} = $failed || 'OK';
    end_tasks() if !-e "$PbsWorld::world/hold" || $failed;
    return $upid;
}

sub end_tasks {
    return if !%running;
    for my $upid (keys %running) { ended($upid, $running{$upid}) if $running{$upid} ne 'OK' || !-e "$PbsWorld::world/hold" }
}

sub stop_task { my ($upid) = @_; die "no such task\n" if !$running{$upid}; ended($upid, 'abort requested - aborting task'); return undef }

sub ended {
    my ($upid, $status) = @_;
    delete $running{$upid};
    if ($status eq 'OK' and open my $file, '>>', PbsWorld::task_log($upid)) { print {$file} stamp() . ": TASK OK\n" }
    if (open my $index, '>>', "$PbsWorld::tasks/index") { printf {$index} "%s %08X %s\n", $upid, time, $status }
    my $rest = join '', map { "$_\n" } grep { $_ ne $upid } split /\n/, PbsWorld::slurp("$PbsWorld::tasks/active") // '';
    if (open my $active, '>', "$PbsWorld::tasks/active") { print {$active} $rest }
}

sub stamp { return POSIX::strftime('%Y-%m-%dT%H:%M:%S+00:00', gmtime) }

sub set_token {
    my ($user, $name, $given) = @_;
    return PbsWorld::locked('user', sub {
        my $list = PbsWorld::sections('user');
        my ($one) = grep { $_->{id} eq "$user!$name" } @$list;
        die "no such token '$user!$name'\n" if !$one;
        for my $key (keys %$given) { PbsWorld::check_value('token', $key, $given->{$key}); $one->{data}{$key} = $given->{$key} }
        PbsWorld::write_sections('user', $list);
        return undef;
    });
}

1;
