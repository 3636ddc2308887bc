#!/bin/sh
# Process 1 of a lab container, before the real init: makes the container look like a machine.
# Docker mounts three files of /etc from outside. A file that is a mount point cannot be replaced by rename ("Device or
# resource busy"), which no real host does, so they are unmounted: what is then seen is the container's own file.
for name in hosts hostname resolv.conf; do
  umount "/etc/$name" 2>/dev/null
done
# cgroup v2 in a private namespace comes read-only; systemd as process 1 must write there.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -o remount,rw /sys/fs/cgroup
fi
# Network settings belong to the container and may be set; the rest of /proc/sys is this machine's and stays read-only.
mount --bind /proc/sys/net /proc/sys/net && mount -o remount,rw,bind /proc/sys/net
# Only at the first boot: what a test changed must survive a crash.
if [ ! -e /etc/ssh/ssh_host_ed25519_key ]; then
  hostname >/etc/hostname
  # Before systemd starts: without a machine-id it would take this for a first boot and enable every unit there is.
  tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
  printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$(hostname)" >/etc/hosts
  # No RSA: making it takes a second, and two kinds are enough to choose from.
  ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
  ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key
fi
exec "$@"
