package GuestConf;
# Plays the files of guests in /etc/pve/nodes/NODE/{qemu-server,lxc} for the stand-ins qm, pct, pvesh and vzdump. It ships in no package.
#
# Plays: `key: value` lines sorted by key, comment lines (the description) first, snapshots and what waits for the next start in parts
# of their own; a guest is of the node whose directory it lies in; `lock:`; `set` with the whole text of a mount point or disk: what is
# left out of it is lost, another volume makes the old one `unused0`; `agent` of a running VM and mount points of a running container
# wait for the next start; hook scripts only from a storage with the content type snippets, and executable; anything but `lock` is
# refused on a locked guest. Does not play: allocation of volumes, digests, most keys and their formats.
use strict;
use warnings;
use SectionConfig ();
use Sys::Hostname qw(hostname);

my %folder = (qemu => 'qemu-server', lxc => 'lxc');

sub node { return (split /\./, hostname())[0] }

# (kind, path) of a guest of this node, or nothing.
sub find {
    my ($vmid) = @_;
    for my $kind (qw(qemu lxc)) {
        my $path = SectionConfig::pve_dir() . '/nodes/' . node() . "/$folder{$kind}/$vmid.conf";
        return ($kind, $path) if -e $path;
    }
    return;
}

# Numbers of this node's guests of a kind.
sub ids {
    my ($kind) = @_;
    return sort { $a <=> $b } map { m{/(\d+)\.conf$} } glob SectionConfig::pve_dir() . '/nodes/' . node() . "/$folder{$kind}/*.conf";
}

sub read {
    my ($vmid) = @_;
    my ($kind, $path) = find($vmid) or return undef;
    my %conf = (kind => $kind, path => $path, head => '', now => {}, next => {}, rest => '');
    my $part = 'now';
    for my $line (split /\n/, SectionConfig::slurp($path) // '') {
        if ($line =~ /^\[(.+)\]\s*$/) { $part = lc $1 eq 'pending' || lc $1 eq 'pve:pending' ? 'next' : 'rest' }
        if ($part eq 'rest') { $conf{rest} .= "$line\n" }
        elsif ($line =~ /^#/) { $conf{head} .= "$line\n" if $part eq 'now' }
        elsif ($line =~ /^([a-z]\w*):\s*(.*?)\s*$/) { $conf{$part}{$1} = $2 }
    }
    return \%conf;
}

sub write {
    my ($conf) = @_;
    my $lines = sub { my ($part) = @_; return join '', map { "$_: $part->{$_}\n" } sort keys %$part };
    my $text = $conf->{head} . $lines->($conf->{now});
    $text .= "\n[" . ($conf->{kind} eq 'lxc' ? 'pve:pending' : 'PENDING') . "]\n" . $lines->($conf->{next}) if %{ $conf->{next} };
    $text .= "\n$conf->{rest}" if length $conf->{rest};
    open my $file, '>', "$conf->{path}.tmp.$$" or die "unable to open file '$conf->{path}.tmp.$$' - $!\n";
    print {$file} $text and close $file or die "$!\n";
    rename "$conf->{path}.tmp.$$", $conf->{path} or die "$!\n";
}

# The part that holds now, as `qm config --current` prints it.
sub text { my ($vmid) = @_; my $conf = GuestConf::read($vmid) // return undef; return join '', map { "$_: $conf->{now}{$_}\n" } sort keys %{ $conf->{now} } }

sub lock { my ($vmid) = @_; my $conf = GuestConf::read($vmid); return $conf ? $conf->{now}{lock} // '' : '' }

sub set_lock {
    my ($vmid, $lock) = @_;
    my $conf = GuestConf::read($vmid) // return;
    if (length $lock) { $conf->{now}{lock} = $lock } else { delete $conf->{now}{lock} }
    GuestConf::write($conf);
}

# What waited for the start of the guest holds from now on.
sub started {
    my ($vmid) = @_;
    my $conf = GuestConf::read($vmid) // return;
    return if !%{ $conf->{next} };
    delete $conf->{now}{$_} for split /[, ]+/, delete $conf->{next}{delete} // '';
    $conf->{now} = { %{ $conf->{now} }, %{ $conf->{next} } };
    $conf->{next} = {};
    GuestConf::write($conf);
}

# `set VMID --KEY VALUE ... [--delete KEY,KEY]`; dies with what goes to stderr.
sub set {
    my ($vmid, $running, @args) = @_;
    my $conf = GuestConf::read($vmid);
    my (%given, @delete);
    while (@args) {
        my $word = shift @args;
        $word =~ /^--?([a-z][\w-]*)$/ or die "400 unable to parse option '$word'\n";
        my ($key, $value) = ($1, shift @args);
        die "400 option '$key' requires an argument\n" if !defined $value;
        if ($key eq 'delete') { push @delete, split /[,; ]+/, $value } else { $given{$key} = $value }
    }
    die "400 no options specified\n" if !%given && !@delete;
    check($conf->{kind}, $_, $given{$_}) for sort keys %given;
    my $lock = $conf->{now}{lock} // '';
    die(($conf->{kind} eq 'lxc' ? 'CT' : 'VM') . " is locked ($lock)\n") if length $lock;
    for my $key (@delete) {
        if (waits($conf->{kind}, $key, $running)) { $conf->{next}{delete} = join ',', grep { length } $conf->{next}{delete} // '', $key; delete $conf->{next}{$key} }
        else { delete $conf->{now}{$key} }
    }
    for my $key (sort keys %given) {
        my $part = waits($conf->{kind}, $key, $running) ? 'next' : 'now';
        my ($old) = split /,/, $conf->{now}{$key} // '';
        my ($new) = split /,/, $given{$key};
        $conf->{now}{unused0} = $old if $key =~ /^(mp|scsi|virtio|sata)\d+$/ && defined $old && length $old && $old ne $new && $old !~ m{^/};
        $conf->{$part}{$key} = $given{$key};
    }
    GuestConf::write($conf);
}

sub waits {
    my ($kind, $key, $running) = @_;
    return $running && ($kind eq 'lxc' ? $key =~ /^mp\d+$/ : $key eq 'agent');
}

sub check {
    my ($kind, $key, $value) = @_;
    my $bad = sub { die "400 Parameter verification failed.\n$key: $_[0]\n" };
    if ($key eq 'agent') {
        $bad->('invalid format - format error') if $kind ne 'qemu' || $value !~ /(^|,)(enabled=)?[01](,|$)/;
    }
    elsif ($key =~ /^mp\d+$/) {
        $bad->("invalid format - format error\n$key.mp: property is missing and it is not optional") if $kind ne 'lxc' || $value !~ m{(^|,)mp=/};
    }
    elsif ($key eq 'hookscript') {
        my ($id, $name) = $value =~ m{^([A-Za-z][\w.-]*):snippets/([^/]+)$} or $bad->("'$value' is not in the snippets directory");
        my $storage = SectionConfig::read(SectionConfig::pve_dir() . '/storage.cfg', SectionConfig::storage_schema())->{ids}{$id};
        $storage //= { path => '/var/lib/vz', content => 'iso,vztmpl,backup' } if $id eq 'local';
        die "storage '$id' does not exist\n" if !$storage;
        die "storage '$id' does not support content type 'snippets'\n" if ($storage->{content} // '') !~ /\bsnippets\b/;
        my $path = ($storage->{path} // "/mnt/pve/$id") . "/snippets/$name";
        die "script '$path' does not exist\n" if !-f $path;
        die "script '$path' is not executable\n" if !-x $path;
    }
    elsif ($key !~ /^(scsi|virtio|sata|ide|efidisk)\d+$|^(name|hostname|onboot|tags|description|memory|cores)$/) {
        die "Unknown option: $key\n400 unable to parse option\n";
    }
}

1;
