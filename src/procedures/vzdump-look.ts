import type { Question } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';

/** A process by number and start time (field 22 of /proc/PID/stat): the number alone may have been given to another one since. */
export interface ProcessId {
  readonly pid: number;
  readonly start: number;
}

/**
 * What runs of vzdump on a host, who holds its lock, and what the guest has. Prints, all read from /proc, /run, /etc/pve and the task logs:
 * `lock file yes` · `lock holder PID START STATE COMM` · `pidfile upid UPID` · `guest type vm|ct` · `guest lock WORD` ·
 * `guest snapshot vzdump` · `guest kvm PID STATE` · `worker:PID upid|start|state|log-age|log-last|log-guest` ·
 * `worker:PID member PID START STATE COMM` (its session and children) · `dead:PID member ...` (of a worker that is gone) ·
 * `stuck:PID wchan WORD`, `stuck:PID path PATH` · `mount:POINT is TYPE SOURCE`, `mount:POINT hangs yes` · `watched:PID is START STATE COMM`
 * · `leftover mount|entry PATH`. State D is believed of a process only when it was not run once within two seconds.
 */
export function vzdumpQuestion(host: string, guest: number, watch: readonly ProcessId[] = []): Question {
  const watched = watch.map(({ pid }) => pid).join(' ');
  return { host, limit: 60, look: sh`GUEST=${guest} WATCHED=${watched}\n${functions}\n${look}` };
}

const functions = sh`tell() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
# The name of a program may hold blanks and brackets: what counts begins after the last one.
stat_of() {
  whole=$(cat "/proc/$1/stat" 2>/dev/null) && [ -n "$whole" ] || return 1
  comm=\${whole#*(}
  comm=$(printf '%s' "\${comm%)*}" | tr '\t\n' '  ')
  set -- \${whole##*) }
  state=$1 session=$4 start=\${20}
}
add() {
  case "$1" in '' | *[!0-9]*) return ;; esac
  case " $pids " in *" $1 "*) ;; *) pids="$pids $1" ;; esac
}
add_upid() {
  hex=\${1#UPID:*:}
  hex=\${hex%%:*}
  case "$1" in UPID:*:vzdump:*) ;; *) return ;; esac
  case "$hex" in '' | *[!0-9A-Fa-f]*) return ;; esac
  dead="$dead $((0x$hex))"
  add "$((0x$hex))"
}
# One reading of all processes: PID PPID SESSION START STATE COMM
processes() {
  set +f
  grep -a -s -H '' /proc/[0-9]*/stat | awk '{
    pid = $0; sub(/^.proc./, "", pid); sub(/[^0-9].*/, "", pid)
    text = $0; sub(/^[^:]*:/, "", text)
    if (pid in line) line[pid] = line[pid] " " text; else { line[pid] = text; order[++n] = pid }
  } END { for (i = 1; i <= n; i++) {
    pid = order[i]; text = line[pid]
    comm = text; sub(/^[^(]*[(]/, "", comm); sub(/[)][^)]*$/, "", comm); gsub(/[ \\t]/, "_", comm)
    sub(/^.*[)] /, "", text)
    m = split(text, f, " ")
    if (m >= 20) print pid, f[2], f[4], f[20], f[1], comm
  } }'
  set -f
}`;

const look = sh`pids= dead=
if [ -e /run/vzdump.lock ]; then
  tell lock file yes
  set -- $(stat -L -c '%d %i' /run/vzdump.lock)
  # As /proc/locks writes it: major and minor number of the file system in hexadecimal, then the inode.
  key=$(printf '%02x:%02x:%s' $((($1 >> 8) & 4095)) $((($1 & 255) | (($1 >> 12) & 1048320))) "$2")
  if holders=$(awk -v key="$key" '$2 != "->" && $6 == key { print $5 }' /proc/locks); then
    for pid in $holders; do
      if stat_of "$pid"; then tell lock holder "$pid $start $state $comm"; else tell lock holder "$pid 0 ? ?"; fi
      add "$pid"
    done
  else tell lock unknown '/proc/locks could not be read'
  fi
fi
upid=
{ read -r upid </run/vzdump.pid; } 2>/dev/null
[ -z "$upid" ] || tell pidfile upid "$upid"
add_upid "$upid"
while read -r upid _; do add_upid "$upid"; done 2>/dev/null </var/log/pve/tasks/active
set +f
for one in /proc/[0-9]*/comm; do
  read -r comm <"$one" || continue
  case $comm in 'task UPID'*) one=\${one#/proc/}; add "\${one%/comm}" ;; esac
done 2>/dev/null
set -f
all=$(processes)
# Those that belong to process $1: of its session, or below it.
members() {
  printf '%s\n' "$all" | awk -v top="$1" '{ n++; pid[n] = $1; parent[$1] = $2; session[$1] = $3; rest[$1] = $4 " " $5 " " $6 }
    END { for (i = 1; i <= n; i++) {
      p = pid[i]; mine = session[p] == top
      for (q = p; !mine && q in parent && q > 1 && depth[p]++ < 50; q = parent[q]) if (parent[q] == top) mine = 1
      if (mine && p != top) print p, rest[p]
    } }'
}
interesting=
for pid in $pids; do
  stat_of "$pid" || continue
  # Where the memory of a process is locked even this may wait.
  title=$(limited 3 'tr "\\000" " " </proc/"$1"/cmdline' "$pid") || title=
  set -- $title
  [ "\${1-}" = task ] || continue
  case \${2-} in UPID:*:vzdump:*) ;; *) continue ;; esac
  tell "worker:$pid" upid "$2"
  tell "worker:$pid" start "$start"
  tell "worker:$pid" state "$state"
  interesting="$interesting $pid"
  case $2 in */*) continue ;; esac
  began=\${2#UPID:*:*:*:}
  began=\${began%%:*}
  log=/var/log/pve/tasks/\${began#"\${began%?}"}/$2
  [ -f "$log" ] || continue
  tell "worker:$pid" log-age $(($(date +%s) - $(stat -c %Y "$log")))
  tell "worker:$pid" log-last "$(tail -n 1 "$log" | tr '\t\r' '  ')"
  grep -a -E '^(INFO: (Starting|Finished) Backup of (VM|CT) |ERROR: Backup of (VM|CT) )' "$log" | tail -n 2 | tr '\t' ' ' |
    while read -r line; do tell "worker:$pid" log-guest "$line"; done
done
stuck=
look_stuck() {
  case $state in D*) stuck="$stuck $1" ;; esac
}
for top in $interesting; do
  stat_of "$top" && look_stuck "$top"
  while read -r pid rest; do
    [ -n "$pid" ] || continue
    tell "worker:$top" member "$pid $rest"
    stat_of "$pid" && look_stuck "$pid"
  done <<MEMBERS
$(members "$top")
MEMBERS
done
for top in $dead; do
  case " $interesting " in *" $top "*) continue ;; esac
  [ ! -e "/proc/$top" ] || continue
  members "$top" | while read -r rest; do tell "dead:$top" member "$rest"; done
done
for pid in $WATCHED; do
  stat_of "$pid" || continue
  tell "watched:$pid" is "$start $state $comm"
  look_stuck "$pid"
done
if [ -n "$stuck" ]; then
  before=
  for pid in $stuck; do before="$before $pid:$(tr ' ' , <"/proc/$pid/schedstat")"; done
  sleep 2
  for pid in $stuck; do
    stat_of "$pid" || continue
    case $state in D*) ;; *) continue ;; esac
    case " $before " in *" $pid:$(tr ' ' , <"/proc/$pid/schedstat") "*) ;; *) continue ;; esac
    tell "stuck:$pid" start "$start"
    tell "stuck:$pid" comm "$comm"
    tell "stuck:$pid" wchan "$(cat "/proc/$pid/wchan")"
    find "/proc/$pid/cwd" "/proc/$pid/fd" -maxdepth 1 -type l -printf '%l\n' | grep '^/' | head -n 50 |
      while read -r path; do tell "stuck:$pid" path "$path"; done
    # Its own mounts: the backup of a container works in a name space of its own.
    awk -v OFS='\t' '{ for (i = 7; i <= NF && $i != "-"; i++); print "mount:" $5, "is", $(i + 1) " " $(i + 2) }' "/proc/$pid/mountinfo"
  done
  for point in $NETWORK; do
    [ "$point" != /etc/pve ] || continue
    rc=0
    ask "mount $point" 5 'stat -f "$1"' "$point" >/dev/null || rc=$?
    [ "$rc" -ne 124 ] || tell "mount:$point" hangs yes
  done
fi
rc=0
found=$(ask pmxcfs 5 'for kind in qemu-server lxc; do
  f=./etc/pve/$kind/$1.conf
  [ -f "$f" ] || continue
  echo "type $kind"
  sed "/^\\[/,\\$d" "$f" | sed -n "s/^lock: *\\([^ ]*\\) *\\$/lock \\1/p"
  ! grep -q "^\\[vzdump\\]" "$f" || echo "snapshot vzdump"
done
[ -d ./etc/pve/nodes ] || [ -d ./etc/pve/qemu-server ] || [ -d ./etc/pve/lxc ] || echo "no pmxcfs"' "$GUEST") || rc=$?
case $rc in
  0) printf '%s\n' "$found" | while read -r name value; do
      case $name in
        type) if [ "$value" = lxc ]; then tell guest type ct; else tell guest type vm; fi ;;
        no) tell guest unknown '/etc/pve holds nothing: is pve-cluster running?' ;;
        ?*) tell guest "$name" "$value" ;;
      esac
    done
    tell guest looked yes ;;
  *) tell guest unknown "/etc/pve gave no answer (exit $rc)" ;;
esac
pid=
{ read -r pid <"/run/qemu-server/$GUEST.pid"; } 2>/dev/null
if [ -n "$pid" ] && stat_of "$pid"; then tell guest kvm "$pid $state"; fi
awk '$5 == "/mnt/vzsnap0" || index($5, "/mnt/vzsnap0/") == 1 { print "leftover\tmount\t" $5 }' /proc/self/mountinfo
limited 5 'ls -A /mnt/vzsnap0' | head -n 3 | while read -r entry; do tell leftover entry "/mnt/vzsnap0/$entry"; done
:`;
