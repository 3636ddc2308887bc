import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** Seconds in which ZFS must answer. */
export const zfsLimit = 15;

/** Pool names as ZFS allows them, without blanks; `mirror`, `raidz1` and such are reserved, and refused by ZFS itself. */
export const poolPattern = '^[A-Za-z][A-Za-z0-9_.:-]*$';

/**
 * Shell function `pool_state POOL`: what the kernel says of it, without asking ZFS. A suspended pool holds up every program that asks
 * about any pool, so this is read before anything else. Older modules have no such file: then nothing is printed.
 */
export const poolStateFunction = sh`pool_state() {
  state=
  { read -r state <"./proc/spl/kstat/zfs/$1/state"; } 2>/dev/null
  printf '%s\n' "$state"
}
suspended_pools() {
  set +f
  for file in ./proc/spl/kstat/zfs/*/state; do
    state=
    { read -r state <"$file"; } 2>/dev/null
    [ "$state" != SUSPENDED ] || { file=\${file%/state}; printf ' %s' "\${file##*/}"; }
  done
  set -f
}
no_answer() {
  others=$(suspended_pools)
  [ -z "$others" ] || others=": the pool$others is suspended and holds up every question about ZFS; leave ZFS alone until its disks are back"
  printf 'no answer in ${zfsLimit} s%s\n' "$others"
}`;

/**
 * One pool in a shell of its own. JSON where this zpool knows it (2.3), else text; both may be there with exit 1, so the output decides.
 * Times in the text are of the host's own time zone.
 */
const statusProbe = `pool=$1
out=$(zpool status -j --json-int -P -p -v "$pool" 2>/dev/null) || out=
case $out in
"{"*)
  printf 'json\\t%s\\n' "$(printf '%s' "$out" | tr '\\n\\t' '  ')"
  ;;
*)
  out=$(zpool status -P -p -v "$pool" 2>&1) && rc=0 || rc=$?
  printf 'exit\\t%s\\n' "$rc"
  printf '%s\\n' "$out" | awk 'NR <= 20000 { print "status\\t" $0 }'
  when=$(printf '%s\\n' "$out" | sed -n 's/^ *scan: .* on \\(.*\\)$/\\1/p; s/^ *scan: .* since \\(.*\\)$/\\1/p')
  [ -z "$when" ] || printf 'scanned\\t%s\\n' "$(date -d "$when" +%s)"
  ;;
esac
printf 'now\\t%s\\n' "$(date +%s)"
case $out in *'errors: Permanent'* | *'"errlist"'*) ;; *) exit 0 ;; esac
when=$(zpool events -H "$pool" 2>/dev/null | awk -F '\\t' '
  $2 ~ /^ereport[.]fs[.]zfs[.](checksum|data|io|authentication)$/ { sub(/[.].*/, "", $1); print $1; exit }')
[ -z "$when" ] || printf 'first\\t%s\\n' "$(date -d "$when" +%s)"`;

/** The kernel forgets events at a restart and after some hundred of them; the daemon's journal may remember longer. */
const journalProbe = `command -v journalctl >/dev/null || exit 0
journalctl -q -t zed --no-pager -o short-unix 2>/dev/null | awk -v pool="pool='$1'" '
  index($0, pool) && /class=(checksum|data|io|authentication)( |$)/ { sub(/[.].*/, "", $1); print "first\\t" $1; exit }'`;

/** Real devices of the paths that a status names and of `members`: one device has several names below /dev/disk. */
const deviceProbe = sh`real() {
  for path do
    [ -e "$path" ] || continue
    printf 'real\t%s\t%s\n' "$path" "$(readlink -f -- "$path")"
  done
}`;

/** Lines of one pool: kernel's state, status, times, devices. `members` are whole paths. */
function lookPool(pool: string, members: readonly string[]): Sh {
  return sh`(
state=$(pool_state ${pool})
if [ "$state" = SUSPENDED ]; then said="kernel	SUSPENDED"
else
  said=$(ask zfs ${zfsLimit} ${statusProbe} ${pool}) && rc=0 || rc=$?
  [ "$rc" -ne 124 ] || said="unknown	$(no_answer)"
fi
printf '%s\n' "$said"
case $said in *'errors: Permanent'* | *'"errlist"'*) ask journal ${zfsLimit} ${journalProbe} ${pool} ;; esac
[ "$state" = SUSPENDED ] || real $(printf '%s\n' "$said" | grep -o '/dev/[^" ]*' | sort -u) ${members}
) | awk -v pool=${pool} '{ print pool "\t" $0 }'`;
}

export function lookPools(pools: ReadonlyMap<string, readonly string[]>): Sh {
  const each = [...pools].map(([pool, members]) => lookPool(pool, members));
  const all = each.reduce((text, one) => sh`${text}\n${one}`);
  return sh`${poolStateFunction}\n${deviceProbe}\n${all}`;
}
