package BackupJobs;
# Plays the API of Proxmox VE 8 below /cluster/backup and /cluster/backup-info for the stand-in pvesh. It ships in no package.
#
# Plays: list, read, create (an id is made up when none is given), set, delete; state in /etc/pve/jobs.cfg, read and written with
# SectionConfig.pm under the lock file-jobs_cfg: comments are lost, lists come out in random order, `enabled=1,storage=x` as
# `1,storage=x`, `enabled` is written explicitly, an entry without a schedule makes every write fail. Parameters are verified: choices,
# numbers, booleans, the schedule, exactly one selection; setting vmid clears all, exclude and pool, and vice versa; exclude alone implies
# all. Property strings are objects in answers. included_volumes, not-backed-up.
# Does not play: next-run, permissions, the legacy starttime and dow, vzdump.cron, jobs of other types, pools.
use strict;
use warnings;
use GuestConf ();
use SectionConfig ();

my @words = qw(minutely hourly daily weekly monthly quarterly semiannually semi-annually yearly annually);
my $day = qr/(?:mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)/i;
my @booleans = qw(enabled all repeat-missed protected remove stdexcludes quiet);
my %choice = (
    mode => [qw(snapshot suspend stop)], compress => [qw(0 1 gzip lzo zstd)], mailnotification => [qw(always failure)],
    'notification-mode' => [qw(auto legacy-sendmail notification-system)], 'pbs-change-detection-mode' => [qw(legacy data metadata)],
);
my @numbers = qw(bwlimit ionice lockwait stopwait zstd pigz);
my @texts = qw(vmid exclude pool node storage comment notes-template mailto tmpdir dumpdir script prune-backups fleecing performance maxfiles);

sub schema {
    my %optional = map { $_ => 1 } @booleans, @numbers, @texts, keys %choice, 'exclude-path';
    return {
        types => { vzdump => { required => ['schedule'], optional => [ sort keys %optional ] }, 'realm-sync' => { required => ['schedule'], optional => [qw(realm enabled comment)] } },
        boolean => { map { $_ => 1 } @booleans },
        list => { vmid => 1, exclude => 1, mailto => 1 },
        string => { 'prune-backups' => 1, fleecing => 1, performance => 1 },
        repeated => { 'exclude-path' => 1 },
        check => { map { my $key = $_; ($key => sub { my $why = wrong($key, $_[0]); die "$why\n" if defined $why }) } keys %optional, 'schedule' },
    };
}

# Why a value is not taken, or undef.
sub wrong {
    my ($key, $value) = @_;
    return schedule($value) ? undef : 'invalid calendar event' if $key eq 'schedule';
    if (my $choice = $choice{$key}) {
        return (grep { $_ eq $value } @$choice) ? undef : "value '$value' does not have a value in the enumeration '" . join(', ', @$choice) . "'";
    }
    if (grep { $_ eq $key } @booleans) { return $value =~ /^[01]$/ ? undef : "type check ('boolean') failed - got '$value'" }
    if (grep { $_ eq $key } @numbers) { return $value =~ /^\d+$/ && ($key ne 'ionice' || $value <= 8) ? undef : "type check ('integer') failed - got '$value'" }
    if ($key eq 'vmid' || $key eq 'exclude') { return $value =~ /^[1-9]\d{2,8}(?:[,; ]+[1-9]\d{2,8})*$/ ? undef : 'invalid format - value does not look like a valid VM ID' }
    if ($key eq 'storage') { return $value =~ /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i ? undef : "invalid format - storage ID '$value' contains illegal characters" }
    if ($key eq 'prune-backups') { eval { SectionConfig::prune_backups($value); 1 } or do { chomp(my $why = $@); return $why } }
    if ($key eq 'fleecing') {
        my $on = $value =~ /(^|,)(?:enabled=)?1(,|$)/;
        return 'invalid format - format error' if $value !~ /^(?:enabled=)?[01](?:,storage=[\w.-]+)?$|^storage=[\w.-]+,enabled=[01]$/;
        return "'fleecing storage' parameter is required when 'fleecing' is enabled" if $on && $value !~ /storage=/;
    }
    return 'value may only be 512 characters long' if $key eq 'comment' && length $value > 512;
    return undef;
}

# A calendar event in the grammar of Proxmox; whether such a day exists is not asked.
sub schedule {
    my ($text) = @_;
    return 0 if length $text > 128;
    $text =~ s/ *UTC$//;
    return 1 if grep { $_ eq $text } @words;
    my $one = qr/\d+(?:\.\.\d+)?(?:\/\d+)?/;
    my $list = qr/(?:\*(?:\/\d+)?|$one(?:,$one)*)/;
    my $days = qr/$day(?:\.\.$day)?(?:,$day(?:\.\.$day)?)*/;
    return 0 if $text !~ /^(?:($days)[ \t]*)?(?:((?:$list-)?$list-$list)[ \t]*)?((?:$list:)?$list(?::$list)?)?$/;
    my ($weekdays, $date, $time) = ($1, $2, $3);
    return 0 if !defined $weekdays && !defined $date && !defined $time;
    my @parts = split /:/, $time // '';
    my $over = sub { my ($part, $most) = @_; return scalar grep { $_ > $most } $part =~ /(\d+)/g };
    return 0 if grep { $over->($_, 59) } @parts;
    # An hour that is none becomes the minute, and the minute the second: three parts cannot move on.
    return !(@parts == 3 && $over->($parts[0], 23));
}

sub path { return SectionConfig::pve_dir() . '/jobs.cfg' }

sub jobs { local $SIG{__WARN__} = sub { print STDERR @_ }; return SectionConfig::read(path(), schema()) }

# As the API shows it: numbers, objects for property strings, texts decoded.
sub shown {
    my ($id, $job) = @_;
    my %shown = (id => $id, %$job);
    for my $key (@booleans, @numbers) { $shown{$key} += 0 if defined $shown{$key} }
    $shown{comment} = decode($shown{comment}) if defined $shown{comment};
    for my $key (qw(prune-backups performance)) {
        $shown{$key} = { map { split /=/, $_, 2 } split /,/, $shown{$key} } if defined $shown{$key};
    }
    $shown{fleecing} = { map { /=/ ? split(/=/, $_, 2) : (enabled => $_) } split /,/, $shown{fleecing} } if defined $shown{fleecing};
    return \%shown;
}

sub encode { my ($text) = @_; $text =~ s/([^A-Za-z0-9_. -])/sprintf '%%%02X', ord $1/ge; return $text }

sub decode { my ($text) = @_; $text =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; utf8::decode($text); return $text }

sub index {
    my $cfg = jobs();
    return [ map { shown($_, $cfg->{ids}{$_}) } grep { $cfg->{ids}{$_} && $cfg->{ids}{$_}{type} eq 'vzdump' } @{ $cfg->{order} } ];
}

sub one { my ($id) = @_; my $job = jobs()->{ids}{$id}; die "No such job '$id'\n" if !$job; return shown($id, $job) }

sub verified {
    my (@args) = @_;
    my (%given, @delete);
    while (@args) {
        my ($key, $value) = splice @args, 0, 2;
        if ($key eq 'delete') { push @delete, split /[,; ]+/, $value; next }
        if ($key eq 'id') { $value =~ /^[A-Za-z][\w-]+$/ or bad(id => 'invalid configuration ID'); $given{id} = $value; next }
        bad($key => 'property is not defined in schema and the schema does not allow additional properties') if $key ne 'schedule' && !grep { $_ eq $key } @booleans, @numbers, @texts, keys %choice, 'exclude-path';
        my $why = wrong($key, $value);
        bad($key => $why) if defined $why;
        if ($key eq 'exclude-path') { push @{ $given{$key} }, $value } else { $given{$key} = $value }
    }
    bad(all => "option conflicts with option 'vmid'") if defined $given{vmid} && ($given{all} || defined $given{exclude});
    bad(pool => "option conflicts with option 'vmid'") if defined $given{vmid} && defined $given{pool};
    bad(all => "option conflicts with option 'pool'") if defined $given{pool} && $given{all};
    $given{comment} = encode($given{comment}) if defined $given{comment};
    return (\%given, @delete);
}

sub bad { my ($key, $why) = @_; die "400 Parameter verification failed.\n$key: $why\n" }

sub create {
    my ($given) = verified(@_);
    my $id = delete $given->{id} // sprintf 'backup-%08x-%04x', rand 2**32, rand 2**16;
    bad(schedule => 'property is missing and it is not optional') if !defined $given->{schedule};
    $given->{all} = 1 if defined $given->{exclude};
    bad(vmid => 'property is missing') if !grep { $given->{$_} } qw(vmid all pool);
    $given->{enabled} //= 1;
    change(sub { my ($ids) = @_; die "Job '$id' already exists\n" if exists $ids->{$id}; $ids->{$id} = { type => 'vzdump', %$given } });
}

sub set {
    my ($id, @args) = @_;
    my ($given, @delete) = verified(@args);
    change(sub {
        my ($ids) = @_;
        my $job = $ids->{$id} or die "no such vzdump job\n";
        for my $key (@delete) {
            bad(delete => "unknown option '$key'") if !grep { $_ eq $key } @booleans, @numbers, @texts, keys %choice, 'exclude-path';
            delete $job->{$key};
        }
        $job->{$_} = $given->{$_} for keys %$given;
        $job->{all} = 1 if defined $job->{exclude} && !defined $job->{pool} && !defined $given->{vmid};
        if (defined $given->{vmid}) { delete @$job{qw(all exclude pool)} }
        elsif ($given->{all}) { delete @$job{qw(vmid pool)} }
        elsif (defined $given->{pool}) { delete @$job{qw(vmid all exclude)} }
        bad(all => "option conflicts with option 'vmid'") if defined $job->{vmid} && $job->{all};
        bad(vmid => 'property is missing') if !grep { $job->{$_} } qw(vmid all pool);
    });
}

sub remove { my ($id) = @_; change(sub { my ($ids) = @_; die "No such job '$id'\n" if !exists $ids->{$id}; delete $ids->{$id} }) }

sub change {
    my ($work) = @_;
    SectionConfig::locked('file-jobs_cfg', sub {
        my $cfg = jobs();
        $work->($cfg->{ids});
        SectionConfig::write(path(), schema(), $cfg);
    });
}

sub guests { return map { my $kind = $_; map { [ $kind, $_ ] } GuestConf::ids($kind) } qw(qemu lxc) }

sub covers {
    my ($job, $vmid) = @_;
    return 0 if defined $job->{node} && $job->{node} ne GuestConf::node();
    return scalar grep { $_ == $vmid } split /[,; ]+/, $job->{vmid} if defined $job->{vmid};
    return $job->{all} && !grep { $_ == $vmid } split /[,; ]+/, $job->{exclude} // '';
}

sub not_backed_up {
    my @jobs = grep { $_ && $_->{type} eq 'vzdump' } values %{ jobs()->{ids} };
    return [ map { my ($kind, $vmid) = @$_; (grep { covers($_, $vmid) } @jobs) ? () : { vmid => $vmid + 0, type => $kind, name_of($vmid) } } guests() ];
}

sub name_of { my ($vmid) = @_; my $now = GuestConf::read($vmid)->{now}; my $name = $now->{name} // $now->{hostname}; return defined $name ? (name => $name) : () }

sub included_volumes {
    my ($id) = @_;
    my $job = jobs()->{ids}{$id} or die "No such job '$id'\n";
    my @children = map {
        my ($kind, $vmid) = @$_;
        my $now = GuestConf::read($vmid)->{now};
        my @volumes = map { volume($kind, $_, $now->{$_}) } grep { /^(rootfs|mp\d+|(scsi|virtio|sata|ide|efidisk)\d+)$/ } sort keys %$now;
        { id => $vmid + 0, type => $kind, name_of($vmid), children => \@volumes };
    } grep { covers($job, $_->[1]) } guests();
    return { children => \@children };
}

sub volume {
    my ($kind, $key, $text) = @_;
    my ($source) = split /,/, $text;
    my $flag = $text =~ /(?:^|,)backup=([01])/ ? $1 : undef;
    my ($in, $why) = $text =~ /media=cdrom/ ? (0, 'CD-ROM') : $key eq 'rootfs' ? (1, 'rootfs') : $source =~ m{^/} ? (0, 'not a volume')
        : defined $flag ? ($flag, $flag ? 'enabled' : 'disabled') : $kind eq 'lxc' ? (0, 'disabled') : (1, 'enabled');
    return { id => $key, name => $text =~ /(?:^|,)mp=([^,]+)/ ? $1 : $source, included => $in + 0, reason => $why };
}

1;
