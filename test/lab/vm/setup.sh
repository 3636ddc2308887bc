#!/bin/bash
# Makes this machine able to run virtual machines of the lab: packages and the image. Safe to run again and again, and by several at
# once. Prints `image=DIRECTORY`, or `cannot=REASON` and exits 3. Progress goes to stderr.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
state=$(readlink -f "$here/../../..")/.lab
mkdir -p "$state"

cannot() {
  echo "cannot=$1"
  exit 3
}

exec 8>"$state/vm.lock"
command -v flock >/dev/null || cannot 'virtual machines need Debian (flock of util-linux is missing)'
flock 8
[ "$(id -u)" = 0 ] || cannot 'virtual machines need root: their image is built from packages'

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need qemu-system-x86_64 qemu-system-x86
need qemu-img qemu-utils
need mmdebstrap mmdebstrap
need mke2fs e2fsprogs
need ssh openssh-client
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || cannot "virtual machines need Debian, or these programs of it: ${missing[*]}"
  echo "lab: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"; } >"$state/vm-apt.log" 2>&1 8>&- ||
    cannot "the lab could not install ${missing[*]} (see $state/vm-apt.log)"
fi

image=$state/vm-$(sha256sum <"$here/image.sh" | cut -c1-16)
if [ ! -e "$image/base.ext4" ]; then
  echo 'lab: building the image of the virtual machine (once, about five minutes)' >&2
  new=$(mktemp -d "$state/vm-new.XXXXXX")
  bash "$here/image.sh" "$new" >"$state/vm-image.log" 2>&1 8>&- || cannot "the lab could not build the virtual machine (see $state/vm-image.log)"
  mv -T "$new" "$image"
fi
echo "image=$image"
