import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** A directory of dumps to be listed. */
export interface DumpsAsk {
  readonly directory: string;
  /** As names of archives have it: "lxc-1031". */
  readonly guests: readonly string[];
  /** Seconds for reading the newest archive of each guest to its end; null: not asked for. */
  readonly whole: number | null;
  readonly limit: number;
}

/**
 * Prints `now EPOCH` · `listed yes|no` · `archive NAME SIZE MADE` for the archives of these guests, MADE being the time in the name,
 * which is local time of the host · `whole NAME ok|slow|REASON`. The directory mostly lies on a network mount, so that every touch has a
 * limit. That an archive was too slow to read says nothing of the mount, and is not remembered against it.
 */
export function lookDumps(ask: DumpsAsk): Sh {
  const { directory, guests, limit, whole } = ask;
  return sh`(
dir=${directory}
key="dir $dir"
if remote_path ".$dir"; then key="mount $point"; fi
printf '%s\tnow\t%s\n' "$dir" "$(date +%s)"
rc=0
said=$(ask "$key" ${limit} ${listing} ".$dir") || rc=$?
case $rc in
  0) ;;
  3) printf '%s\tlisted\tno\n' "$dir"; exit 0 ;;
  124) printf '%s\tunknown\tno answer in %s s: the mount it lies on hangs\n' "$dir" ${limit}; exit 0 ;;
  *) printf '%s\tunknown\t%s\n' "$dir" "\${said##*: }"; exit 0 ;;
esac
printf '%s\tlisted\tyes\n' "$dir"
rows=$(printf '%s\n' "$said" | awk -v guests=${guests.join(' ')} ${named})
[ -n "$rows" ] || exit 0
printf '%s\n' "$rows" | while IFS= read -r row; do printf '%s\tarchive\t%s\n' "$dir" "$row"; done
${whole === null ? sh`` : reading(whole)}
)`;
}

/** Each in turn: several at once would only share the same disk. */
function reading(limit: number): Sh {
  return sh`newest=$(printf '%s\n' "$rows" | awk '{ split($1, p, "-"); k = p[2] "-" p[3]; if ($3 >= made[k]) { made[k] = $3; file[k] = $1 } } END { for (k in file) print file[k] }' | sort)
for file in $newest; do
  rc=0
  said=$(limited ${limit} ${test} ".$dir/$file") || rc=$?
  case $rc in
    0) said=ok ;;
    124) said=slow ;;
    126 | 127) said='cannot be read: the program for it is not installed' ;;
    5) said='cannot be judged: it is not compressed' ;;
    *) said=\${said##*: }; said=\${said:-"the test ended with $rc"} ;;
  esac
  printf '%s\twhole\t%s %s\n' "$dir" "$file" "$said"
done`;
}

/** Exit 3: it is not there. An empty directory is one that was listed. */
const listing = `said=$(ls -d -- "$1/" 2>&1 >/dev/null) || case $said in
  *'No such file'* | *'Not a directory'*) exit 3 ;;
  *) printf '%s\\n' "$said"; exit 4 ;;
esac
cd -- "$1" || exit 4
set +f
set -- vzdump-*
[ ! -e "$1" ] || stat -c '%n %s' -- "$@"
exit 0`;

const test = `case $1 in
  *.zst) exec zstd -tq -- "$1" 2>&1 ;;
  *.gz) exec gzip -tq -- "$1" 2>&1 ;;
  *.lzo) exec lzop -tq -- "$1" 2>&1 ;;
  *) exit 5 ;;
esac`;

/** Temporary files (.dat, .tmp), logs and notes have the same first half. */
const named = String.raw`BEGIN { n = split(guests, g, " "); for (i = 1; i <= n; i++) wanted[g[i]] = 1 }
{
  file = $1
  if (NF != 2 || file !~ /^vzdump-(qemu|lxc)-[0-9]+-[0-9][0-9][0-9][0-9]_[0-9][0-9]_[0-9][0-9]-[0-9][0-9]_[0-9][0-9]_[0-9][0-9]\.(vma|tar|tgz)(\.(zst|gz|lzo))?$/) next
  split(file, p, "-")
  if (!(p[2] "-" p[3] in wanted)) next
  time = substr(p[4] " " p[5], 1, 19)
  gsub(/_/, " ", time)
  print file, $2, mktime(time)
}`;
