#!/bin/bash
# Makes this machine able to run the lab: packages, Docker, images. Safe to run again and again, and by several at once.
# Prints `NAME=IMAGE` lines on stdout, or `cannot=REASON` and exits 3 when the lab cannot run here. Progress goes to stderr.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
state=$(readlink -f "$here/../..")/.lab
mkdir -p "$state"

cannot() {
  echo "cannot=$1"
  exit 3
}

# One at a time: two builds of one image would only waste each other's time.
exec 9>"$state/setup.lock"
command -v flock >/dev/null || cannot 'the lab needs Debian (flock of util-linux is missing)'
flock 9

answers() { docker version >/dev/null 2>&1; }

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need dockerd docker.io
need iptables iptables
need mmdebstrap mmdebstrap
need ssh openssh-client
need ssh-keygen openssh-client
need nsenter util-linux
# Not for the lab itself: other tests run scripts in busybox, and an sshd of their own.
need busybox busybox-static
need perl perl
need shellcheck shellcheck
need promtool prometheus
need sudo sudo
need openssl openssl
need unshare util-linux
need systemctl systemd
need /usr/sbin/sshd openssh-server
if [ "$(id -u)" != 0 ]; then
  cannot 'the lab needs root: it starts containers, cuts their network and builds their images'
fi
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || cannot "the lab needs Debian, or these programs of it: ${missing[*]}"
  echo "lab: installing ${missing[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}"; } >"$state/apt.log" 2>&1 9>&- ||
    cannot "the lab could not install ${missing[*]} (see $state/apt.log)"
  # Tests need the program, not a machine that listens.
  case " ${missing[*]} " in
    *' openssh-server '*) [ ! -d /run/systemd/system ] || systemctl --quiet disable --now ssh ;;
  esac
  case " ${missing[*]} " in
    *' prometheus '*) [ ! -d /run/systemd/system ] || systemctl --quiet disable --now prometheus ;;
  esac
fi
# Newer Debian has the client in a package of its own.
command -v docker >/dev/null ||
  { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends docker-cli >>"$state/apt.log" 2>&1 9>&-; } ||
  cannot 'the lab needs the docker command'

if ! answers; then
  echo 'lab: starting dockerd' >&2
  # The lock is not for the daemon: it would hold it for ever.
  setsid dockerd >"$state/dockerd.log" 2>&1 </dev/null 9>&- &
  for _ in $(seq 120); do
    answers && break
    sleep 0.25
  done
  answers || cannot "the lab could not start dockerd (see $state/dockerd.log)"
fi

# A subnet must be named, or Docker does not give a host its old address again after a crash. 198.18/15 is set aside for test benches.
docker network inspect provision-lab >/dev/null 2>&1 ||
  docker network create --subnet 198.18.0.0/16 provision-lab >/dev/null 2>"$state/network.log" ||
  cannot "the lab could not make its network: $(cat "$state/network.log")"

# An image is named by the hash of everything that goes into it.
image() { # image NAME RECIPE [ARGUMENT]
  local name=$1 recipe=$2 argument=${3:-} tag root
  tag=provision-lab-$name:$(cd "$here/images" && cat "$recipe" init.sh sshd.conf | { cat; echo "$argument"; } | sha256sum | cut -c1-16)
  if ! docker image inspect "$tag" >/dev/null 2>&1; then
    echo "lab: building the image $name (once, about a minute)" >&2
    root=$(mktemp -d)
    if ! bash "$here/images/$recipe" "$root" "$argument" >"$state/image-$name.log" 2>&1 9>&-; then
      rm -rf --one-file-system "$root"
      cannot "the lab could not build the image $name (see $state/image-$name.log)"
    fi
    tar -C "$root" --numeric-owner -c . | docker import - "$tag" >/dev/null
    rm -rf --one-file-system "$root"
  fi
  echo "$name=$tag"
}
image debian debian.sh
image nas nas.sh
image nas-flock nas.sh flock
