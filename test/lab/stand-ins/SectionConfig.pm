package SectionConfig;
# Plays how Proxmox VE 8 reads and writes its section config files (storage.cfg, jobs.cfg) for the stand-ins. It ships in no package.
#
# Plays, reading: comment lines skipped anywhere; only a line with nothing at all ends a section; a header within a section and what else
# cannot be read ignored with a warning; unknown types skipped; unknown keys, second values and values of the wrong form dropped with a
# warning; booleans 0 and 1 and the bare key; of two sections with one id the last; a section without a required key as an undefined entry.
# Plays, writing: the file is made anew (comments and skipped sections are gone); required keys first, then the others by name; lists in
# random order; keys of property strings sorted; `disable` as a bare key; an undefined entry makes it fail with `unknown section type ''`.
# The lock: a directory below priv/lock, 10 s to get it, stale after 120 s. The new file: a name beside it, then rename.
# Does not play: sections of unknown type that newer versions keep, encoding of comments, permissions.
#
#   my $cfg = SectionConfig::read($path, $schema);      { ids => {ID => {type => .., KEY => ..} or undef}, order => [ID, ..], digest }
#   SectionConfig::write($path, $schema, $cfg);         dies with a message for stderr
#   SectionConfig::locked('file-jobs_cfg', sub { .. });
#   $schema = { types => {TYPE => {required => [..], optional => [..]}}, boolean => {KEY => 1}, list => {KEY => 1} (comma lists),
#               string => {KEY => 1} (property strings), repeated => {KEY => 1} (their value is a list), check => {KEY => sub { die .. }},
#               id => qr/../, lowercase => 1 }
use strict;
use warnings;
use Digest::SHA ();
use File::Basename qw(dirname);
use List::Util qw(shuffle);

# Where /etc/pve is: below the world of a private copy of the stand-ins, else in its place.
sub pve_dir {
    my $private = dirname($0) . '/stand-ins.root';
    return '/etc/pve' if !open my $file, '<', $private;
    chomp(my $world = <$file>);
    return "$world/pve";
}

sub read {
    my ($path, $schema) = @_;
    my $raw = slurp($path) // '';
    my ($ids, $order, $number) = ({}, {}, 0);
    my @lines = split /\n/, $raw;
    my $next = sub {
        while (defined(my $line = shift @lines)) { $number++; return $line if $line !~ /^\s*#/ }
        return undef;
    };
    my ($position, $name) = (1, $path);
    while (defined(my $line = $next->())) {
        next if !$line;
        my $prefix = "file $name line $number";
        if ($line !~ /^(\S+):\s*(\S+)\s*$/) { warn "$prefix - ignore config line: $line\n"; next }
        my ($type, $id) = ($schema->{lowercase} ? lc $1 : $1, $2);
        my $known = $schema->{types}{$type};
        my $wrong = $schema->{id} && $id !~ $schema->{id} ? "unable to parse ID '$id'" : !$known ? "unsupported type '$type'" : undef;
        if (defined $wrong) {
            warn "$prefix (skip section '$id'): $wrong\n";
            while (($line = $next->() // '') ne '') { }
            next;
        }
        my %got;
        while (($line = $next->() // '') ne '') {
            $prefix = "file $name line $number";
            if ($line !~ /^\s+(\S+)(?:\s+(.*\S))?\s*$/) { warn "$prefix (section '$id') - ignore config line: $line\n"; next }
            my ($key, $value) = ($1, $2);
            eval {
                die "duplicate attribute\n" if exists $got{$key} && !$schema->{repeated}{$key};
                $value = check($schema, $type, $key, $value);
                if ($schema->{repeated}{$key}) { push @{ $got{$key} }, $value } else { $got{$key} = $value }
                1;
            } or warn "$prefix (section '$id') - unable to parse value of '$key': $@";
        }
        my @missing = grep { !exists $got{$_} } @{ $known->{required} };
        warn "file $name (section '$id') - missing value for required option '$_'\n" for @missing;
        $ids->{$id} = @missing ? undef : { %got, type => $type };
        $order->{$id} = $position++;
    }
    return { ids => $ids, order => [ sort { $order->{$a} <=> $order->{$b} } keys %$ids ], digest => Digest::SHA::sha1_hex($raw) };
}

# The value that counts, or dies.
sub check {
    my ($schema, $type, $key, $value) = @_;
    my $known = $schema->{types}{$type};
    die "unexpected property '$key'\n" if !grep { $_ eq $key } @{ $known->{required} }, @{ $known->{optional} };
    if ($schema->{boolean}{$key}) {
        $value //= 1;
        die "type check ('boolean') failed - got '$value'\n" if $value !~ /^[01]$/;
        return $value;
    }
    die "got undefined value\n" if !defined $value;
    $schema->{check}{$key}->($value, $type) if $schema->{check}{$key};
    return $value;
}

sub write {
    my ($path, $schema, $cfg) = @_;
    my $text = '';
    my @order = grep { exists $cfg->{ids}{$_} } @{ $cfg->{order} };
    my %listed = map { $_ => 1 } @order;
    for my $id (@order, sort grep { !$listed{$_} } keys %{ $cfg->{ids} }) {
        my $section = $cfg->{ids}{$id};
        my $type = $section ? $section->{type} : '';
        my $known = $schema->{types}{$type} or die "unknown section type '$type'\n";
        $text .= "$type: $id\n";
        my %done = (type => 1);
        if ($section->{disable}) { $text .= "\tdisable\n" }
        $done{disable} = 1 if $schema->{boolean}{disable};
        for my $key (sort(@{ $known->{required} }), sort keys %$section) {
            next if $done{$key}++ || !defined $section->{$key};
            my @values = ref $section->{$key} ? @{ $section->{$key} } : ($section->{$key});
            for my $value (@values) {
                $value = join ',', shuffle(split /,/, $value) if $schema->{list}{$key};
                $value = property_string($value) if $schema->{string}{$key};
                $text .= "\t$key $value\n";
            }
        }
        $text .= "\n";
    }
    my $temporary = "$path.tmp.$$";
    open my $file, '>', $temporary or die "unable to open file '$temporary' - $!\n";
    print {$file} $text and close $file or do { unlink $temporary; die "writing '$temporary' failed - $!\n" };
    rename $temporary, $path or do { unlink $temporary; die "rename '$temporary' to '$path' failed - $!\n" };
}

# Keys by name; `enabled=1` becomes a bare `1` in front, as the default key of its format.
sub property_string {
    my ($value) = @_;
    my @parts = sort grep { length } split /,/, $value;
    return join ',', sort { ($b =~ /^[01]$/) <=> ($a =~ /^[01]$/) } map { /^enabled=([01])$/ ? $1 : $_ } @parts;
}

sub locked {
    my ($name, $work) = @_;
    my $dir = pve_dir() . '/priv/lock';
    for my $above (pve_dir(), pve_dir() . '/priv', $dir) { mkdir $above, 0700 if !-d $above }
    my $lock = "$dir/$name";
    my $until = time + 10;
    while (!mkdir $lock) {
        my $reason = $!;
        die "unable to create '$lock' - $reason\n" if !-d $lock;
        rmdir $lock if time - ((stat $lock)[9] // time) > 120;
        die "cfs-lock '$name' error: got lock request timeout\n" if time >= $until;
        select undef, undef, undef, 0.2;
    }
    my $answer = eval { $work->() };
    my $problem = $@;
    rmdir $lock;
    die $problem if $problem;
    return $answer;
}

# storage.cfg: the types that are played, and by name those that are not.
sub storage_schema {
    my @dirs = qw(content content-dirs nodes disable prune-backups max-protected-backups format create-base-path create-subdirs mkdir bwlimit preallocation maxfiles shared);
    my %word = map { $_ => 1 } qw(images rootdir vztmpl iso backup snippets import none);
    return {
        types => {
            dir => { required => ['path'], optional => [ @dirs, 'is_mountpoint' ] },
            nfs => { required => [qw(server export)], optional => [ @dirs, qw(path options) ] },
            cifs => { required => [qw(server share)], optional => [ @dirs, qw(path username password domain smbversion subdir options) ] },
            pbs => { required => [qw(server datastore)], optional => [qw(namespace port username password fingerprint encryption-key master-pubkey content nodes disable prune-backups max-protected-backups maxfiles shared)] },
            zfspool => { required => ['pool'], optional => [qw(blocksize sparse mountpoint content nodes disable bwlimit shared)] },
            lvmthin => { required => [qw(thinpool vgname)], optional => [qw(content nodes disable bwlimit shared)] },
            lvm => { required => ['vgname'], optional => [qw(base saferemove content nodes disable bwlimit shared)] },
            btrfs => { required => ['path'], optional => [ @dirs, 'is_mountpoint' ] },
        },
        boolean => { map { $_ => 1 } qw(disable shared create-base-path create-subdirs mkdir sparse saferemove) },
        list => { content => 1, nodes => 1 },
        string => { 'prune-backups' => 1, bwlimit => 1 },
        check => {
            content => sub { for my $one (split /,/, $_[0]) { die "storage does not support content type '$one'\n" if !$word{$one} } },
            nodes => sub { $_[0] =~ /^[A-Za-z0-9-]+(,[A-Za-z0-9-]+)*$/ or die "invalid node list\n" },
            options => sub { $_[0] =~ /^\S+$/ or die "value does not look like a valid options string\n" },
            fingerprint => sub { $_[0] =~ /^([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}$/ or die "value does not match the regex pattern\n" },
            'prune-backups' => \&prune_backups,
            port => sub { $_[0] =~ /^\d+$/ && $_[0] > 0 && $_[0] < 65536 or die "type check ('integer') failed - got '$_[0]'\n" },
            'max-protected-backups' => sub { $_[0] =~ /^-?\d+$/ && $_[0] >= -1 or die "type check ('integer') failed - got '$_[0]'\n" },
            preallocation => sub { $_[0] =~ /^(off|metadata|falloc|full)$/ or die "value '$_[0]' does not have a value in the enumeration\n" },
            bwlimit => sub { $_[0] =~ /^(clone|default|migration|move|restore)=\d+(,(clone|default|migration|move|restore)=\d+)*$/ or die "invalid format\n" },
            path => sub { $_[0] =~ m{^/} or die "value does not look like a valid absolute path\n" },
            maxfiles => sub { $_[0] =~ /^\d+$/ or die "type check ('integer') failed - got '$_[0]'\n" },
        },
        id => qr/^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
        lowercase => 1,
    };
}

sub prune_backups {
    my ($value) = @_;
    my %seen;
    for my $part (split /,/, $value, -1) {
        $part =~ /^(keep-(?:all|last|hourly|daily|weekly|monthly|yearly))=(\d+)$/ or die "invalid format - $part\n";
        die "invalid format - duplicate key '$1'\n" if $seen{$1}++;
    }
    die "invalid format - keep-all cannot be set together with other options\n" if $seen{'keep-all'} && keys %seen > 1;
}

sub slurp { my ($path) = @_; open my $file, '<', $path or return undef; local $/; return scalar <$file> }

1;
