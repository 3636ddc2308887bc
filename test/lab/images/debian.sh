#!/bin/bash
# Recipe of the image `debian`: systemd as process 1, sshd, sudo, what PVE and PBS hosts have of Debian. Usage: debian.sh ROOTDIR
set -euo pipefail
root=$1
here=$(dirname "$(readlink -f "$0")")

packages=systemd-sysv,dbus,openssh-server,sudo,perl,nfs-common,nfs-kernel-server,rsync,cron,curl,chrony
packages+=,libfuse-perl,procps,iproute2,iptables,util-linux,kmod,psmisc,less
mmdebstrap --quiet --variant=apt --include="$packages" \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$root"

# A package source that needs no network: two small packages, the second needs the first.
repository=$root/srv/apt
mkdir -p "$repository"
for name in dummy-one dummy-two; do
  tree=$(mktemp -d)
  mkdir -p "$tree/DEBIAN" "$tree/usr/share/$name"
  echo "$name" >"$tree/usr/share/$name/about"
  {
    printf 'Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: Lab <lab@lab.lan>\nSection: misc\nPriority: optional\n' "$name"
    [ "$name" = dummy-one ] || echo 'Depends: dummy-one'
    echo 'Description: package for tests'
  } >"$tree/DEBIAN/control"
  dpkg-deb --root-owner-group --build "$tree" "$repository/${name}_1.0_all.deb" >/dev/null
  rm -r "$tree"
done
(
  cd "$repository"
  for deb in *.deb; do
    dpkg-deb -f "$deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
  done >Packages
  printf 'Origin: lab\nSuite: lab\nCodename: lab\nDate: %s\nSHA256:\n %s %s Packages\n' "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')" \
    "$(sha256sum Packages | cut -d' ' -f1)" "$(stat -c %s Packages)" >Release
)
rm -rf "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/var/lib/apt/lists/*
echo 'deb [trusted=yes] file:///srv/apt ./' >"$root/etc/apt/sources.list"
chroot "$root" apt-get -q update

# Users: sudo with a password, sudo without, none.
for name in admin ops nosudo; do
  chroot "$root" useradd --create-home --shell /bin/bash "$name"
done
echo 'admin:lab-password' | chroot "$root" chpasswd
echo 'admin ALL=(ALL:ALL) ALL' >"$root/etc/sudoers.d/lab"
echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' >>"$root/etc/sudoers.d/lab"
chmod 0440 "$root/etc/sudoers.d/lab"

# Host keys and machine-id are each container's own.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/machine-id" "$root/var/lib/dbus/machine-id"
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
cp "$here/sshd.conf" "$root/etc/ssh/sshd_config.d/lab.conf"
# A container may not set the clock: chrony runs all the same, and leaves the clock alone.
echo 'DAEMON_OPTS="-F 1 -x"' >"$root/etc/default/chrony"
mkdir -p "$root/etc/systemd/system/chrony.service.d"
printf '[Unit]\nConditionCapability=\n' >"$root/etc/systemd/system/chrony.service.d/lab.conf"
# Work of its own accord would show up in the snapshots that prove that nothing changed.
chroot "$root" systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer nfs-server.service nfs-client.target nfs-blkmap.service \
  rpcbind.service rpcbind.socket
chroot "$root" systemctl --quiet mask getty.target console-getty.service systemd-udevd.service \
  systemd-tmpfiles-clean.timer run-rpc_pipefs.mount proc-fs-nfsd.mount
# The kernel has no nfsd. This stand-in keeps the table of exports (exportfs), and serves nothing.
cat >"$root/etc/systemd/system/nfs-server.service" <<'END'
[Unit]
Description=Stand-in for the NFS server: table of exports only
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/exportfs -r
ExecReload=/usr/sbin/exportfs -r
ExecStop=/usr/sbin/exportfs -au
[Install]
WantedBy=multi-user.target
END

chmod 0755 "$root"
: >"$root/etc/resolv.conf"
mkdir -p "$root/.lab"
install -m 0755 "$here/init.sh" "$root/.lab/init"
rm -rf "$root"/var/cache/apt/*.bin "$root"/tmp/* "$root"/run/*
