#!/bin/bash
# Recipe of the virtual machine: Debian 12 with a kernel of its own, ZFS, LVM thin, the NFS server and client of the kernel.
# Usage: image.sh OUTDIR. Leaves OUTDIR/{base.ext4,vmlinuz,initrd.img}. About five minutes, most of them the modules of ZFS.
set -euo pipefail
out=$1
here=$(dirname "$(readlink -f "$0")")
root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT

packages=linux-image-amd64,linux-headers-amd64,zfs-dkms,zfsutils-linux,zfs-zed,systemd-sysv,dbus,udev,kmod,openssh-server
packages+=,nfs-kernel-server,nfs-common,lvm2,thin-provisioning-tools,gdisk,e2fsprogs,xfsprogs,rsync,zstd,sqlite3,inotify-tools
packages+=,perl,python3,sudo,cron,curl,chrony,procps,psmisc,iproute2,iptables,util-linux,openssl,less,ifupdown
mmdebstrap --quiet --variant=apt --components='main contrib' --include="$packages" \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  bookworm "$root"
ls "$root"/lib/modules/*/updates/dkms/zfs.ko* >/dev/null

cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
cp "$root"/boot/initrd.img-* "$out/initrd.img"
# What only building the modules needed.
rm -rf "$root"/boot/* "$root"/usr/src/* "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*

# Which machine it is comes with the kernel's command line, so that all machines can start from one disk.
cat >"$root/usr/local/sbin/lab-identity" <<'END'
#!/bin/sh
set -eu
for word in $(cat /proc/cmdline); do
  case $word in
    lab.name=*) hostname "${word#*=}"; hostname >/etc/hostname
      printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$(hostname)" >/etc/hosts ;;
    lab.key=*) printf 'ssh-ed25519 %s\n' "${word#*=}" >/root/.ssh/authorized_keys ;;
    lab.address=*) ip address add "${word#*=}/24" dev eth1; ip link set eth1 up ;;
  esac
done
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
END
chmod 0755 "$root/usr/local/sbin/lab-identity"
cat >"$root/etc/systemd/system/lab-identity.service" <<'END'
[Unit]
Description=Name, address and host key of this machine
DefaultDependencies=no
After=local-fs.target network-pre.target
Before=ssh.service nfs-server.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/lab-identity
[Install]
WantedBy=multi-user.target
END
printf 'auto lo\niface lo inet loopback\nallow-hotplug eth0\niface eth0 inet static\n  address 10.0.2.15/24\n' >"$root/etc/network/interfaces"
printf 'LABEL=lab-root / ext4 noatime 0 1\n' >"$root/etc/fstab"
printf 'PermitRootLogin prohibit-password\nUseDNS no\nHostKey /etc/ssh/ssh_host_ed25519_key\n' >"$root/etc/ssh/sshd_config.d/lab.conf"
install -d -m 0700 "$root/root/.ssh"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id"
ln -s /etc/machine-id "$root/var/lib/dbus/machine-id"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
: >"$root/etc/resolv.conf"
chroot "$root" systemctl --quiet enable lab-identity.service ssh.service
chroot "$root" systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer cron.service nfs-blkmap.service
chroot "$root" systemctl --quiet mask getty.target serial-getty@ttyS0.service systemd-tmpfiles-clean.timer \
  systemd-timesyncd.service

rm -f "$out/base.ext4"
mke2fs -q -t ext4 -L lab-root -d "$root" "$out/base.ext4" 6G
