#!/bin/bash
# Recipe of the images `nas` and `nas-flock`: what a small NAS offers, busybox and sshd and nothing else. Usage: nas.sh ROOTDIR [flock]
set -euo pipefail
root=$1
flock=${2:-}
here=$(dirname "$(readlink -f "$0")")
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT

mmdebstrap --quiet --variant=extract --include=busybox-static,openssh-server,util-linux bookworm "$source"

mkdir -p "$root"/{bin,sbin,etc,etc.defaults,dev,proc,sys,run,tmp,root,home,usr/bin,usr/sbin,usr/lib,lib64,var/run,var/log,var/empty,.lab}
chmod 0755 "$root"
chmod 1777 "$root/tmp"
chmod 0700 "$root/root"

programs=(/usr/sbin/sshd /usr/bin/ssh-keygen /usr/lib/openssh/sftp-server)
[ -z "$flock" ] || programs+=(/usr/bin/flock)
# Names of the libraries come from the loader itself: ldd is a bash script and would look at this machine's.
for program in "${programs[@]}"; do
  install -D "$source$program" "$root$program"
  chroot "$source" /lib64/ld-linux-x86-64.so.2 --list "$program" | grep -o '/[^ ]*' | while read -r library; do
    [ -e "$root$library" ] || install -D "$(readlink -f "$source$library")" "$root$library"
  done
done

cp "$source/bin/busybox" "$root/bin/busybox"
# Debian's busybox carries package tools that no NAS has.
for applet in $("$root/bin/busybox" --list); do
  case $applet in busybox | dpkg | dpkg-deb | rpm | rpm2cpio) continue ;; esac
  ln -s busybox "$root/bin/$applet"
done
ln -s ../bin/busybox "$root/sbin/init"
ln -s /bin/sh "$root/usr/bin/sh"

cat >"$root/etc/passwd" <<'END'
root:x:0:0:root:/root:/bin/sh
sshd:x:74:74:sshd:/var/empty:/bin/false
admin:x:1024:100:admin:/home/admin:/bin/sh
ops:x:1026:100:ops:/home/ops:/bin/sh
nosudo:x:1027:100:nosudo:/home/nosudo:/bin/sh
END
printf 'root:x:0:\nsshd:x:74:\nusers:x:100:\nadministrators:x:101:admin\n' >"$root/etc/group"
printf 'root:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\nadmin:*:19000:0:99999:7:::\nops:*:19000:0:99999:7:::\nnosudo:*:19000:0:99999:7:::\n' >"$root/etc/shadow"
chmod 0600 "$root/etc/shadow"
for entry in admin:1024 ops:1026 nosudo:1027; do
  install -d -m 0711 -o "${entry#*:}" -g 100 "$root/home/${entry%:*}"
done

# The tree that tools look for on a Synology.
printf 'majorversion="7"\nminorversion="2"\nproductversion="7.2.1"\nbuildnumber="69057"\nsmallfixnumber="5"\nos_name="DSM"\n' >"$root/etc.defaults/VERSION"
cp "$root/etc.defaults/VERSION" "$root/etc/VERSION"
install -d -m 0755 "$root/volume1" "$root/volume1/homes"
install -d -m 0777 "$root/volume1/Backup"
install -d -m 0700 "$root/volume1/Backup/@eaDir" "$root/volume1/Backup/#recycle"

mkdir -p "$root/etc/ssh"
{
  cat "$here/sshd.conf"
  echo 'Subsystem sftp /usr/lib/openssh/sftp-server'
  echo 'PidFile /run/sshd.pid'
} >"$root/etc/ssh/sshd_config"
# busybox init restarts sshd and takes in orphans: a detached run must not become a zombie.
printf '::sysinit:/bin/mkdir -p -m 0755 /run/sshd\n::respawn:/usr/sbin/sshd -D\n' >"$root/etc/inittab"
printf '127.0.0.1\tlocalhost\n' >"$root/etc/hosts"
: >"$root/etc/hostname"
: >"$root/etc/resolv.conf"
install -m 0755 "$here/init.sh" "$root/.lab/init"
