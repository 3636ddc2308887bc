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
