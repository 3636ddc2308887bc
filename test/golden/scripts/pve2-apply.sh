{
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/syno/sbin:/usr/syno/bin
unset CDPATH ENV IFS BAD CHANGE PUTS TRUSTED SCRATCH RUN RUNDIR STAGE
umask 077
NONCE=00112233445566778899aabbccddeeff
ROOT=''
frame() { printf '\n%s %s\n' "$NONCE" "$1"; }
cd / || { frame 'no-root'; exit 1; }
RUN=20260101T000000000-00112233
STATE=${PWD%/}/var/lib/provision
RUNDIR=$STATE/runs/$RUN
STAGE=$RUNDIR/stage
trap '' HUP
read -r stat </proc/$$/stat
set -- ${stat##*) }
printf '%s\t%s\t%s\t%s\n' "$RUN" "$$" "${20}" 'admin@controller since 2026-01-01T00:00:00.000Z' >"$STATE/holder"
NETWORK=
while read -r _ _ _ _ point rest; do
  case "${rest##* - }" in
    nfs*|cifs*|smb*|fuse*|ceph*|9p*|glusterfs*|afs*|autofs*) NETWORK="$NETWORK $point" ;;
  esac
done 2>/dev/null </proc/self/mountinfo
export ROOT
PATH_FUNCTIONS='why_missing() {
  for p do
    shift
    [ -e "$p" ] || [ -L "$p" ] || set -- "$@" "$p"
  done
  case $# in
    0) ;;
    1)
      if [ -O "${1%/*}" ] && [ -n "${RUNDIR-}" ]; then
        said=
        { true <"$1"; } 2>"$RUNDIR/why"
        IFS= read -r said <"$RUNDIR/why"
        missing "$1" "$said"
      elif [ -O "${1%/*}" ]; then missing "$1" "$( { true <"$1"; } 2>&1)"
      else missing "$1" "$(stat -c '\'''\'' -- "$1" 2>&1 >/dev/null)"
      fi
      ;;
    *) stat -c '\'''\'' -- "$@" 2>&1 >/dev/null | for p do
        IFS= read -r said || said=
        missing "$p" "$said"
      done ;;
  esac
}
missing() {
  case $2 in
    *'\'': No such file'\''* | *'\'': no such file'\''* | *'\'': Not a directory'\'' | *'\'': not a directory'\'')
      printf '\''%s\tabsent\t1\n'\'' "${1#.}"
      [ -d "${1%/*}" ] || printf '\''%s\tno-directory\t1\n'\'' "${1#.}"
      ;;
    '\'''\'') printf '\''%s\tunknown\tit came and went while looking\n'\'' "${1#.}" ;;
    *) printf '\''%s\tunknown\t%s\n'\'' "${1#.}" "${2##*: }" ;;
  esac
}
stat_paths() {
  why_missing "$@"
  for p do
    shift
    if [ -e "$p" ] || [ -L "$p" ]; then set -- "$@" "$p"; fi
  done
  [ $# -eq 0 ] || stat -c '\''%n	stat	%F|%a|%U|%G|%u|%g'\'' -- "$@" 2>/dev/null | if [ -z "${ROOT:-}" ]; then
    sed '\''s/^\.//'\''
  else
    awk -F'\''|'\'' -v OFS='\''|'\'' '\''
      function names(file, into,   line, part) {
        into[0] = "root"
        while ((getline line < file) > 0) { split(line, part, ":"); if (!(part[3] in into)) into[part[3]] = part[1] }
      }
      BEGIN { names("./etc/passwd", user); names("./etc/group", group) }
      {
        sub(/^\./, "")
        $(NF - 3) = $(NF - 1) in user ? user[$(NF - 1)] : "UNKNOWN"
        $(NF - 2) = $NF in group ? group[$NF] : "UNKNOWN"
        print
      }'\''
  fi
}
hash_paths() {
  for p do
    shift
    if [ -f "$p" ] && [ ! -L "$p" ]; then set -- "$@" "$p"; fi
  done
  # Where others can swap a name, it may have become a pipe by now.
  slow=
  for p do [ -O "${p%/*}" ] || slow='\''timeout -k 1 20'\''; done
  [ $# -eq 0 ] || $slow sha256sum -- "$@" 2>/dev/null | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}'
eval "$PATH_FUNCTIONS"
set -f
remote_path() {
  absolute=$ROOT${1#.}
  # As the table of mounts writes it.
  case $absolute in *' '* | *\\*) absolute=$(printf '%s' "$absolute" | sed 's/\\/\\134/g; s/ /\\040/g') ;; esac
  for point in $NETWORK; do
    case "$absolute/" in "$point"/*) return 0 ;; esac
  done
  return 1
}
SCRATCH=/tmp/provision.$NONCE
[ ! -w /run ] || SCRATCH=/run/provision.$NONCE
trap '[ ! -d "$SCRATCH" ] || rm -rf -- "$SCRATCH"' EXIT
scratch() { [ -d "$SCRATCH" ] || mkdir -m 0700 -- "$SCRATCH"; }
was_hung() {
  [ -f "$SCRATCH/hung" ] || return 1
  while IFS= read -r one; do [ "$one" != "$1" ] || return 0; done <"$SCRATCH/hung"
  return 1
}
ask() {
  if was_hung "$1"; then return 124; fi
  rc=0
  limited "$2" "$3" "${4-}" || rc=$?
  [ "$rc" -ne 124 ] || printf '%s\n' "$1" >>"$SCRATCH/hung"
  return "$rc"
}
limited() {
  scratch || return 125
  rc=0
  timeout -k 1 "$1" /bin/sh -c "$2" sh "${3-}" >"$SCRATCH/out" 2>/dev/null </dev/null || rc=$?
  case $rc in
    124|137|143) return 124 ;;
  esac
  # What cannot be handed on was not seen, however well it went.
  cat "$SCRATCH/out" || return 125
  return "$rc"
}
each_path() {
  body=$1
  shift
  far=
  [ -z "$NETWORK" ] || for p do if remote_path "$p"; then far=1; break; fi; done
  if [ -n "$far" ]; then
    for p do
      shift
      if remote_path "$p"; then
        rc=0
        ask "mount $point" 5 "$PATH_FUNCTIONS
$body" "$p" || rc=$?
        if [ "$rc" -eq 124 ]; then
          printf '%s\tunknown\tno answer in 5 s: the network mount it lies on hangs\n' "${p#.}"
        fi
      else
        set -- "$@" "$p"
      fi
    done
  fi
  [ $# -eq 0 ] || eval "$body"
}
. "$STAGE/prelude"
MOVED=' '
look_before() {
  seen=$(guard_$1 2>/dev/null 9>&-)
  [ "$seen" = "$2" ] || MOVED="$MOVED$1 "
}
attempt() {
  CHANGE=$1
  for bad in $BAD; do
    case "$2" in
      *" $bad "*) drop_ahead "$1"; frame "change $1 skipped $bad"; BAD="$BAD$1 "; return ;;
    esac
  done
  case "$MOVED" in *" $1 "*) drop_ahead "$1"; frame "change $1 moved"; BAD="$BAD$1 "; return ;; esac
  if [ -n "$3" ]; then
    seen=$(guard_$1 2>/dev/null 9>&-)
    if [ "$seen" != "$4" ]; then drop_ahead "$1"; frame "change $1 moved"; BAD="$BAD$1 "; return; fi
  fi
  frame "change $1 start"
  # This shell keeps the lock, its programs do not have it: should the run be killed alone, nobody else begins before this is over.
  (set -eu; { steps_$1; } 9>&-)
  rc=$?
  if [ "$rc" -ne 0 ]; then frame "change $1 failed $rc"; BAD="$BAD$1 "; return; fi
  [ -z "$5" ] || printf '%s\n' "$5" >>"$RUNDIR/record.done"
  frame "change $1 done"
}
if [ "$({
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/chrony/sources.d/provision.sources ./usr/local/bin/vzdump-hook.pl ./etc/vzdump.conf ./usr/local/share/runbooks/vzdump-hook.md
remote_path ./var/lib/vz/vzdump-tmp || [ -e ./var/lib/vz/vzdump-tmp ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /var/lib/vz/vzdump-tmp
remote_path ./usr/local/bin/vzdump-hook.pl || [ -e ./usr/local/bin/vzdump-hook.pl ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /usr/local/bin/vzdump-hook.pl
} 2>/dev/null 9>&- | sort)" != '/etc/chrony/sources.d/provision.sources	absent	1
/etc/vzdump.conf	absent	1
/usr/local/bin/vzdump-hook.pl	absent	1
/usr/local/share/runbooks/vzdump-hook.md	absent	1' ]; then
guard_5() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/chrony/sources.d/provision.sources
}
look_before 5 '/etc/chrony/sources.d/provision.sources	absent	1'
guard_10() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./usr/local/bin/vzdump-hook.pl
}
look_before 10 '/usr/local/bin/vzdump-hook.pl	absent	1'
guard_11() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/vzdump.conf
remote_path ./var/lib/vz/vzdump-tmp || [ -e ./var/lib/vz/vzdump-tmp ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /var/lib/vz/vzdump-tmp
remote_path ./usr/local/bin/vzdump-hook.pl || [ -e ./usr/local/bin/vzdump-hook.pl ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /usr/local/bin/vzdump-hook.pl
}
look_before 11 '/etc/vzdump.conf	absent	1'
guard_21() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./usr/local/share/runbooks/vzdump-hook.md
}
look_before 21 '/usr/local/share/runbooks/vzdump-hook.md	absent	1'
fi
if [ "$({
export ROOT TZ=UTC
ask() { printf '%s\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\t" $0 }'; }
is_enabled() { for u do printf 'enabled\t%s\t%s\n' "$u" "$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\t%s\tby links\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp -- "$@") || shown=
  printf '%s\n' "$shown" | tagged show
  set -- $(printf '%s\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\t%s\t%s\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\t%s\t%s\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
  done
}
{
ask 'unit	chrony.service	chrony.service	active runs' 'file	text	/etc/systemd/system/chrony.service' 'file	config	/etc/chrony/sources.d/provision.sources' 'unit	vzdump-hook-repair.service	vzdump-hook-repair.service	' 'file	text	/etc/systemd/system/vzdump-hook-repair.service' 'unit	vzdump-hook-repair.timer	vzdump-hook-repair.timer	active' 'file	text	/etc/systemd/system/vzdump-hook-repair.timer'
each_unit_path() {
each_path 'stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '\''%s\tlink\t%s\n'\'' "${p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '\''%n	ctime	%z'\'' -- "$@" | sed '\''s/^\.//'\''
  sha256sum -- "$@" | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}' ./etc/systemd/system/chrony.service ./etc/chrony/sources.d/provision.sources ./etc/systemd/system/vzdump-hook-repair.service ./etc/systemd/system/vzdump-hook-repair.timer
}
each_unit_path | tagged path
manager chrony.service vzdump-hook-repair.service vzdump-hook-repair.timer
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps chrony.service
leftovers 
} | awk 'BEGIN { FS = "\t"; OFS = "\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\x5c/, "\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}'
} 2>/dev/null 9>&- | sort)" != 'chrony.service	absent	1
vzdump-hook-repair.service	absent	1
vzdump-hook-repair.timer	absent	1' ]; then
guard_6() {
export ROOT TZ=UTC
ask() { printf '%s\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\t" $0 }'; }
is_enabled() { for u do printf 'enabled\t%s\t%s\n' "$u" "$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\t%s\tby links\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp -- "$@") || shown=
  printf '%s\n' "$shown" | tagged show
  set -- $(printf '%s\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\t%s\t%s\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\t%s\t%s\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
  done
}
{
ask 'unit	chrony.service	chrony.service	active runs' 'file	text	/etc/systemd/system/chrony.service' 'file	config	/etc/chrony/sources.d/provision.sources'
each_unit_path() {
each_path 'stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '\''%s\tlink\t%s\n'\'' "${p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '\''%n	ctime	%z'\'' -- "$@" | sed '\''s/^\.//'\''
  sha256sum -- "$@" | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}' ./etc/systemd/system/chrony.service ./etc/chrony/sources.d/provision.sources
}
each_unit_path | tagged path
manager chrony.service
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps chrony.service
leftovers 
} | awk 'BEGIN { FS = "\t"; OFS = "\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\x5c/, "\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}'
}
look_before 6 'chrony.service	absent	1'
guard_22() {
export ROOT TZ=UTC
ask() { printf '%s\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\t" $0 }'; }
is_enabled() { for u do printf 'enabled\t%s\t%s\n' "$u" "$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\t%s\tby links\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp -- "$@") || shown=
  printf '%s\n' "$shown" | tagged show
  set -- $(printf '%s\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\t%s\t%s\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\t%s\t%s\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
  done
}
{
ask 'unit	vzdump-hook-repair.service	vzdump-hook-repair.service	' 'file	text	/etc/systemd/system/vzdump-hook-repair.service'
each_unit_path() {
each_path 'stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '\''%s\tlink\t%s\n'\'' "${p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '\''%n	ctime	%z'\'' -- "$@" | sed '\''s/^\.//'\''
  sha256sum -- "$@" | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}' ./etc/systemd/system/vzdump-hook-repair.service
}
each_unit_path | tagged path
manager vzdump-hook-repair.service
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps 
leftovers 
} | awk 'BEGIN { FS = "\t"; OFS = "\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\x5c/, "\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}'
}
look_before 22 'vzdump-hook-repair.service	absent	1'
guard_23() {
export ROOT TZ=UTC
ask() { printf '%s\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\t" $0 }'; }
is_enabled() { for u do printf 'enabled\t%s\t%s\n' "$u" "$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\t%s\tby links\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp -- "$@") || shown=
  printf '%s\n' "$shown" | tagged show
  set -- $(printf '%s\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\t%s\t%s\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\t%s\t%s\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
  done
}
{
ask 'unit	vzdump-hook-repair.timer	vzdump-hook-repair.timer	active' 'file	text	/etc/systemd/system/vzdump-hook-repair.timer'
each_unit_path() {
each_path 'stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '\''%s\tlink\t%s\n'\'' "${p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '\''%n	ctime	%z'\'' -- "$@" | sed '\''s/^\.//'\''
  sha256sum -- "$@" | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}' ./etc/systemd/system/vzdump-hook-repair.timer
}
each_unit_path | tagged path
manager vzdump-hook-repair.timer
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps 
leftovers 
} | awk 'BEGIN { FS = "\t"; OFS = "\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\x5c/, "\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}'
}
look_before 23 'vzdump-hook-repair.timer	absent	1'
fi
guard_15() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
[ ! -e jobs.cfg ] || cat jobs.cfg') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in pve2-truenas-bu-busy-media; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || { printf '%s
' pve2-truenas-bu-busy-media .; printf '%s
' "$seen"; } | awk '!raw && $0 == "." { raw = 1; next }
!raw { id[++n] = $0; next }
{ line[++m] = $0 }
function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, value, part, count, i) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  key = text
  sub(/[ \t].*/, "", key)
  value = substr(text, length(key) + 1)
  if (key == "comment") {
    gsub(/%[0-9A-Fa-f][0-9A-Fa-f]/, "", value)
    gsub(/[^A-Za-z0-9]/, "", value)
  }
  if (key == "fleecing") gsub(/enabled=/, "", value)
  gsub(/[,;\t]/, " ", value)
  count = split(value, part, " ")
  sorted(part, count)
  value = key
  for (i = 1; i <= count; i++) value = value " " part[i]
  return value
}
END {
  for (k = 1; k <= n; k++) {
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "" && line[i] ~ /^[^ \t]+:/) {
        head = line[i]
        sub(/^[^ \t]+:[ \t]*/, "", head)
        sub(/[ \t]+$/, "", head)
        inside = head
        if (inside == id[k]) mine[++count] = "job " line[i]
        continue
      }
      if (inside != id[k] || inside == "") continue
      text = plain(line[i])
      if (text != "enabled 1") mine[++count] = text
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}'
} | awk -F '\t' '$2 != "file"'
}
look_before 15 'pve2-truenas-bu-busy-media	absent	1'
guard_16() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
[ ! -e jobs.cfg ] || cat jobs.cfg') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in pve2-local-busy-media; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || { printf '%s
' pve2-local-busy-media .; printf '%s
' "$seen"; } | awk '!raw && $0 == "." { raw = 1; next }
!raw { id[++n] = $0; next }
{ line[++m] = $0 }
function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, value, part, count, i) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  key = text
  sub(/[ \t].*/, "", key)
  value = substr(text, length(key) + 1)
  if (key == "comment") {
    gsub(/%[0-9A-Fa-f][0-9A-Fa-f]/, "", value)
    gsub(/[^A-Za-z0-9]/, "", value)
  }
  if (key == "fleecing") gsub(/enabled=/, "", value)
  gsub(/[,;\t]/, " ", value)
  count = split(value, part, " ")
  sorted(part, count)
  value = key
  for (i = 1; i <= count; i++) value = value " " part[i]
  return value
}
END {
  for (k = 1; k <= n; k++) {
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "" && line[i] ~ /^[^ \t]+:/) {
        head = line[i]
        sub(/^[^ \t]+:[ \t]*/, "", head)
        sub(/[ \t]+$/, "", head)
        inside = head
        if (inside == id[k]) mine[++count] = "job " line[i]
        continue
      }
      if (inside != id[k] || inside == "") continue
      text = plain(line[i])
      if (text != "enabled 1") mine[++count] = text
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}'
} | awk -F '\t' '$2 != "file"'
}
look_before 16 'pve2-local-busy-media	absent	1'
guard_17() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
[ ! -e jobs.cfg ] || cat jobs.cfg') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in pve2-pbs-pihanga-database; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || { printf '%s
' pve2-pbs-pihanga-database .; printf '%s
' "$seen"; } | awk '!raw && $0 == "." { raw = 1; next }
!raw { id[++n] = $0; next }
{ line[++m] = $0 }
function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, value, part, count, i) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  key = text
  sub(/[ \t].*/, "", key)
  value = substr(text, length(key) + 1)
  if (key == "comment") {
    gsub(/%[0-9A-Fa-f][0-9A-Fa-f]/, "", value)
    gsub(/[^A-Za-z0-9]/, "", value)
  }
  if (key == "fleecing") gsub(/enabled=/, "", value)
  gsub(/[,;\t]/, " ", value)
  count = split(value, part, " ")
  sorted(part, count)
  value = key
  for (i = 1; i <= count; i++) value = value " " part[i]
  return value
}
END {
  for (k = 1; k <= n; k++) {
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "" && line[i] ~ /^[^ \t]+:/) {
        head = line[i]
        sub(/^[^ \t]+:[ \t]*/, "", head)
        sub(/[ \t]+$/, "", head)
        inside = head
        if (inside == id[k]) mine[++count] = "job " line[i]
        continue
      }
      if (inside != id[k] || inside == "") continue
      text = plain(line[i])
      if (text != "enabled 1") mine[++count] = text
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}'
} | awk -F '\t' '$2 != "file"'
}
look_before 17 'pve2-pbs-pihanga-database	absent	1'
TEXT_9a58a3644d91c01f69da535e4331f4d1222691f2a2f4fb30f71a97cb470baf37='pve2
'
TEXT_887b84bcabe8fbcd08a4ae9a8ff88646770151b1f6fc88f97dbd1a549002a9a3='# Kept by provision: edits here are found and taken back. Change the inventory instead.
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters

# The hosts of the site. Every host, this one too, is known by an address that the others can reach.
10.10.0.178 hikurangi.lan hikurangi
10.10.0.151 pbs.lan pbs
10.10.0.20 pihanga.lan pihanga
192.168.1.127 pve.lan pve
10.10.0.30 pve2.lan pve2
10.10.0.10 ruapehu.lan ruapehu
192.168.1.13 synology.lan synology
10.10.0.104 truenas-bu.lan truenas-bu
10.10.0.103 truenas-hdd.lan truenas-hdd
'
TEXT_46e62e44f21a475278b7b0f7399bcef375c9e4ebbf0941f0e821892aa010b42c='# Kept by provision. Time servers besides those that chrony comes with.
'
TEXT_2bc8b53add01e91f75f311c35c62ca19e6f1c07cce633c2ddb065342227003fa='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f controller'
TEXT_1f8afa89c84df829702872dcb74944d2b969bcc8ad150e6b5a6d55735c503ac6='# Kept by provision: edits here are found and taken back. Change the inventory instead.
tmpdir: /var/lib/vz/vzdump-tmp
mode: snapshot
compress: zstd
prune-backups: keep-last=3,keep-weekly=4
script: /usr/local/bin/vzdump-hook.pl
'
TEXT_6b48efdac9f735fd877a0a43936f4f57d79ba6c69c71ccb1f0774e10b239fca5='# Services of guests that are stopped for backups, on pve2

Kept by provision, from the same declaration as the hook itself. Everything here can be done on this host, without provision.

| what | where |
|---|---|
| the hook | `/usr/local/bin/vzdump-hook.pl` |
| named by | the line `script:` in `/etc/vzdump.conf` |
| what is to be started again | one file per guest in `/var/lib/vzdump-hook` |
| the safety net | `vzdump-hook-repair.timer`, every 5min and after each boot |

## Is all well?

    /usr/local/bin/vzdump-hook.pl check
    systemctl list-timers vzdump-hook-repair.timer

## A service stayed down after a backup

    /usr/local/bin/vzdump-hook.pl repair

It starts what the notes in `/var/lib/vzdump-hook` name, once no vzdump is at work, and removes a note only when the service is up.
Do not remove notes by hand: they are the only trace of what was running.

## Guest 111, InfluxDB

Stopped for a backup and started again: `influxdb3-core` 

Look into the guest through its agent:

    /usr/local/bin/vzdump-hook.pl guest 111 30 -- systemctl status influxdb3-core
    /usr/local/bin/vzdump-hook.pl guest 111 30 -- journalctl -u influxdb3-core -n 50 --no-pager

### It does not start, or stops by itself: damaged WAL

Signs in its journal: `WAL file too small: ... got 0 bytes`, and `invoking shutdown after attempt to persist a WAL file that already exists`.
Its WAL files are in `/var/lib/influxdb3/data/node0/wal`. Those of zero bytes are in its way; they hold nothing. No other file is touched, and none is deleted.

    /usr/local/bin/vzdump-hook.pl recover-wal 111 stop
    /usr/local/bin/vzdump-hook.pl recover-wal 111 list
    /usr/local/bin/vzdump-hook.pl recover-wal 111 quarantine
    /usr/local/bin/vzdump-hook.pl recover-wal 111 start
    /usr/local/bin/vzdump-hook.pl recover-wal 111 prove

or, with provision, each step guarded and proven: `provision run vzdump-hook/recover-wal --host pve2 --set guest=111`.
A zero-byte file in `/var/lib/influxdb3/data/node0/catalog` is another matter: it keeps the server from starting, and deleting it can orphan all
history. It needs a restore.

## Take the hook out again

    /usr/local/bin/vzdump-hook.pl disable
    /usr/local/bin/vzdump-hook.pl repair
    systemctl disable --now vzdump-hook-repair.timer

or `provision run vzdump-hook/rollback --host pve2`. Backups of a running database are then not whole.
'
TEXT_a642c4a61d895e896e5b155af860b336686279cf2d272ab9a2a77057a7655cf4='# Kept by provision: edits here are found and taken back. Change the inventory instead.
[Unit]
Description=Start services inside VMs that an interrupted vzdump left stopped
Documentation=man:vzdump(1)
After=pve-cluster.service
ConditionPathExists=/var/lib/vzdump-hook

[Service]
Type=oneshot
ExecStart=/usr/local/bin/vzdump-hook.pl repair
# Each call has a limit of its own; this one is for the day when those do not hold.
TimeoutStartSec=1h
Nice=5
NoNewPrivileges=yes
# No ProcSubset=pid: it hides /proc/locks, which says whether a backup runs. No PrivateDevices, no ReadWritePaths:
# qm talks to the guest through sockets below /run and reads /etc/pve.
ProtectSystem=full
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectHostname=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
'
TEXT_39a96c1bd7bb64dd70d3097dbba5408dd017bcf3fdddab2693f6a91ee5c09081='# Kept by provision: edits here are found and taken back. Change the inventory instead.
[Unit]
Description=Look for services inside VMs that an interrupted vzdump left stopped

[Timer]
# From boot and from the last run, not from the calendar: there is no missed run to catch up with, so no Persistent=.
OnBootSec=1min
OnUnitActiveSec=5min
AccuracySec=10s

[Install]
WantedBy=timers.target
'
look_at_parents ./ ./etc ./etc/chrony ./etc/chrony/sources.d ./etc/pve ./etc/systemd ./etc/systemd/system ./usr ./usr/local ./usr/local/bin ./usr/local/share ./usr/local/share/runbooks ./var ./var/lib ./var/lib/vz
guard_0() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/hostname
}
steps_0() {
timeout -k 5 60 /bin/sh -c 'set -eu
. "$STAGE/prelude"
sh -c '\''name=$(cat "$1")
[ ! -d ./etc/pve/nodes ] || [ -d "./etc/pve/nodes/$name" ] || {
  echo "there is no /etc/pve/nodes/$name: a node of Proxmox VE cannot be renamed, its guests would be gone"
  exit 1
}
'\'' sh "$STAGE/9a58a3644d91c01f69da535e4331f4d1222691f2a2f4fb30f71a97cb470baf37"
owner=root:root
put "$STAGE/9a58a3644d91c01f69da535e4331f4d1222691f2a2f4fb30f71a97cb470baf37" ./etc/hostname 0644 "$owner"'
}
attempt 0 '' guarded '/etc/hostname	absent	1' 'file:/etc/hostname	{"group":"root","mode":"0644","owner":"root","sha256":"9a58a3644d91c01f69da535e4331f4d1222691f2a2f4fb30f71a97cb470baf37","type":"file"}'
guard_1() {
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/hosts
}
steps_1() {
timeout -k 5 60 /bin/sh -c 'set -eu
. "$STAGE/prelude"
awk '\''/^[ \t]*(#|$)/ { next }
$1 !~ /^([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/ {
  print "line " NR " does not start with an IP address: " $0
  bad = 1
}
$1 ~ /^127\./ && $2 != "localhost" { print "line " NR " gives a host name to a loopback address: " $0; bad = 1 }
END { exit bad }
'\'' "$STAGE/887b84bcabe8fbcd08a4ae9a8ff88646770151b1f6fc88f97dbd1a549002a9a3"
owner=root:root
put "$STAGE/887b84bcabe8fbcd08a4ae9a8ff88646770151b1f6fc88f97dbd1a549002a9a3" ./etc/hosts 0644 "$owner"'
}
attempt 1 '' guarded '/etc/hosts	absent	1' 'file:/etc/hosts	{"group":"root","mode":"0644","owner":"root","sha256":"887b84bcabe8fbcd08a4ae9a8ff88646770151b1f6fc88f97dbd1a549002a9a3","type":"file"}'
guard_2() {
if [ -n "$ROOT" ]; then admin=--admindir=./var/lib/dpkg; else admin=--admindir=/var/lib/dpkg; fi
rc=0
[ -f "${admin#*=}/status" ] && found=$(dpkg-query "$admin" -W -f='${Package}	${db:Status-Status}	${Version}
' -- rsync 2>/dev/null) || rc=$?
if [ "$rc" -le 1 ] && [ -f "${admin#*=}/status" ]; then
  printf '%s
' "$found" rsync | awk -F'	' '
NF > 1 {
  if ($2 == "not-installed" || $2 == "config-files") next
  if (!($1 in status) || $2 == "installed") { status[$1] = $2; version[$1] = $3 }
  next
}
$1 == "" || done[$1]++ { next }
$1 in status { print $1 "\tstatus\t" status[$1]; print $1 "\tversion\t" version[$1]; next }
{ print $1 "\tstatus\tnone" }'
fi
}
steps_2() {
timeout -k 5 900 /bin/sh -c 'set -eu
. "$STAGE/prelude"
apt-cache show rsync 2>/dev/null | grep -q '\''^Package:'\'' || DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold update
gone=$(DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold -s install --no-install-recommends rsync 2>/dev/null | awk '\''$1 == "Remv" { print $2 }'\'')
for other in $gone; do
  case '\''  '\'' in *" $other "*) continue ;; esac
  say "apt would remove $other to install "rsync"; if it may go, name it in replaces"
  exit 1
done
DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold install --no-install-recommends rsync'
}
attempt 2 '' guarded 'rsync	absent	1' 'package:rsync	{"status":"installed"}'
guard_3() {
if [ -n "$ROOT" ]; then admin=--admindir=./var/lib/dpkg; else admin=--admindir=/var/lib/dpkg; fi
rc=0
[ -f "${admin#*=}/status" ] && found=$(dpkg-query "$admin" -W -f='${Package}	${db:Status-Status}	${Version}
' -- smartmontools 2>/dev/null) || rc=$?
if [ "$rc" -le 1 ] && [ -f "${admin#*=}/status" ]; then
  printf '%s
' "$found" smartmontools | awk -F'	' '
NF > 1 {
  if ($2 == "not-installed" || $2 == "config-files") next
  if (!($1 in status) || $2 == "installed") { status[$1] = $2; version[$1] = $3 }
  next
}
$1 == "" || done[$1]++ { next }
$1 in status { print $1 "\tstatus\t" status[$1]; print $1 "\tversion\t" version[$1]; next }
{ print $1 "\tstatus\tnone" }'
fi
}
steps_3() {
timeout -k 5 900 /bin/sh -c 'set -eu
. "$STAGE/prelude"
apt-cache show smartmontools 2>/dev/null | grep -q '\''^Package:'\'' || DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold update
gone=$(DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold -s install --no-install-recommends smartmontools 2>/dev/null | awk '\''$1 == "Remv" { print $2 }'\'')
for other in $gone; do
  case '\''  '\'' in *" $other "*) continue ;; esac
  say "apt would remove $other to install "smartmontools"; if it may go, name it in replaces"
  exit 1
done
DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold install --no-install-recommends smartmontools'
}
attempt 3 '' guarded 'smartmontools	absent	1' 'package:smartmontools	{"status":"installed"}'
guard_4() {
if [ -n "$ROOT" ]; then admin=--admindir=./var/lib/dpkg; else admin=--admindir=/var/lib/dpkg; fi
rc=0
[ -f "${admin#*=}/status" ] && found=$(dpkg-query "$admin" -W -f='${Package}	${db:Status-Status}	${Version}
' -- chrony 2>/dev/null) || rc=$?
if [ "$rc" -le 1 ] && [ -f "${admin#*=}/status" ]; then
  printf '%s
' "$found" chrony | awk -F'	' '
NF > 1 {
  if ($2 == "not-installed" || $2 == "config-files") next
  if (!($1 in status) || $2 == "installed") { status[$1] = $2; version[$1] = $3 }
  next
}
$1 == "" || done[$1]++ { next }
$1 in status { print $1 "\tstatus\t" status[$1]; print $1 "\tversion\t" version[$1]; next }
{ print $1 "\tstatus\tnone" }'
fi
}
steps_4() {
timeout -k 5 900 /bin/sh -c 'set -eu
. "$STAGE/prelude"
apt-cache show chrony 2>/dev/null | grep -q '\''^Package:'\'' || DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold update
gone=$(DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold -s install --no-install-recommends chrony 2>/dev/null | awk '\''$1 == "Remv" { print $2 }'\'')
for other in $gone; do
  case '\'' systemd-timesyncd ntp ntpsec openntpd '\'' in *" $other "*) continue ;; esac
  say "apt would remove $other to install "chrony"; if it may go, name it in replaces"
  exit 1
done
DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold install --no-install-recommends chrony'
}
attempt 4 '' guarded 'chrony	absent	1' 'package:chrony	{"status":"installed"}'
steps_5() {
owner=root:root
put "$STAGE/46e62e44f21a475278b7b0f7399bcef375c9e4ebbf0941f0e821892aa010b42c" ./etc/chrony/sources.d/provision.sources 0644 "$owner"
}
attempt 5 ' 4 ' '' '' 'file:/etc/chrony/sources.d/provision.sources	{"group":"root","mode":"0644","owner":"root","sha256":"46e62e44f21a475278b7b0f7399bcef375c9e4ebbf0941f0e821892aa010b42c","type":"file"}'
steps_6() {
timeout -k 5 300 /bin/sh -c 'set -eu
. "$STAGE/prelude"
systemctl --no-ask-password enable -- chrony.service
unit=chrony.service
tell() {
  systemctl status --no-pager --full --lines=20 -- "$unit" || :
  exit 1
}
note_files() {
  for p do
    shift
    if [ -f "$p" ]; then set -- "$@" "$p"; else printf '\''file\t%s\tabsent\n'\'' "${p#.}"; fi
  done
  [ $# -eq 0 ] || sha256sum -- "$@" |
    sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/file\t\2\t\1/'\''
}
notes=$(note_files ./etc/systemd/system/chrony.service ./etc/chrony/sources.d/provision.sources)
systemctl restart -- "$unit" || tell
case $(systemctl show -p Type -- "$unit") in *=simple|*=exec|*=idle) sleep 1 ;; esac
systemctl is-active --quiet -- "$unit" || tell
mkdir -p ./run/provision/units
invocation=$(systemctl show -p InvocationID -- chrony.service)
printf '\''invocation	%s
%s
'\'' "${invocation#*=}" "$notes" >./run/provision/units/.new
mv -- ./run/provision/units/.new ./run/provision/units/chrony.service'
}
attempt 6 ' 5 . 4 ' '' '' 'unit:chrony.service	{"active":"active","enabled":"enabled","runs":"current"}'
guard_7() {
home_of() {
  home= uid= gid=
  while IFS=: read -r name _ uid gid _ home _; do
    [ "$name" != "$1" ] || return 0
  done <./etc/passwd
  return 1
}
if [ ! -r ./etc/passwd ]; then :
elif home_of root && [ -n "$home" ]; then
  export OWNER="$uid"
  each_path 'file=$1 directory=${1%/*}
for_all() { for id in root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA; do printf '\''%s	%s	%s
'\'' "$id" "$1" "$2"; done; }
if [ -L "$directory" ] || [ -L "$file" ]; then
  for_all blocked '\''the keys of root lie behind a symbolic link'\''
elif [ -e "$file" ] && [ ! -f "$file" ]; then
  for_all blocked '\''the keys of root are not in a file'\''
else
  missing=
  [ -e "$file" ] || missing=$(why_missing "$file")
  case $missing in
    *'\''	unknown	'\''*) for_all unknown "${missing##*	}" ;;
    *)
      printf '\''%s
'\'' '\''root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA	ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'\'' | FILE=$file THERE=${missing:-yes} timeout -k 1 20 awk -F'\''	'\'' '\''
function place(text, key,   at) {
  sub(/\r$/, "", text)
  gsub(/\t/, " ", text)
  sub(/^ +/, "", text)
  if (text ~ /^#/) return 0
  at = index(" " text " ", " " key " ")
  options = substr(text, 1, at - 1)
  sub(/ +$/, "", options)
  return at
}
{ id[++n] = $1; key[n] = $2 }
END {
  file = ENVIRON["FILE"]
  while ((got = (getline text < file)) > 0)
    for (i = 1; i <= n; i++) if (!(i in found) && place(text, key[i])) found[i] = options
  if (got < 0 && ENVIRON["THERE"] == "yes") exit
  for (i = 1; i <= n; i++) print id[i] (i in found ? "\toptions\t" found[i] : "\tnone\t1")
}'\''
      unsafe=$(stat -c '\''%u %a'\'' -- "$directory" "$file" 2>/dev/null | while read -r owner bits; do
        case $owner in 0 | "$OWNER") ;; *) echo owner ;; esac
        case $bits in *[2367] | *[2367]?) echo mode ;; esac
      done)
      [ -z "$unsafe" ] || for_all unsafe 1
      ;;
  esac
fi' ".${home%/}/.ssh/authorized_keys"
else
  for id in root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA; do printf '%s	none	1
' "$id"; done
fi
}
steps_7() {
timeout -k 5 30 /bin/sh -c 'set -eu
. "$STAGE/prelude"
home_of() {
  home= uid= gid=
  while IFS=: read -r name _ uid gid _ home _; do
    [ "$name" != "$1" ] || return 0
  done <./etc/passwd
  return 1
}
home_of root || { say '\''there is no user root'\''; exit 1; }
home=.${home%/}
[ -d "$home/" ] || { say "the home of "root" is missing: ${home#.}"; exit 1; }
inside "$home/"
directory=$home/.ssh file=$home/.ssh/authorized_keys who=root
if [ -L "$directory" ] || [ -L "$file" ]; then say "${directory#.} or the file in it is a symbolic link"; exit 1; fi
# In a tree nobody runs who could swap a name.
if [ "$uid" = 0 ] || [ -n "$ROOT" ]; then as_owner() { /bin/sh -c "$1" sh "$2"; }
else as_owner() { su -s /bin/sh "$who" -c "$1" sh "$2"; }
fi
if [ ! -d "$directory" ]; then
  as_owner '\''mkdir -m 700 -- "$1"'\'' "$directory"
  [ -z "$ROOT" ] || chown -h "$uid:$gid" "$directory"
fi
case $(stat -c %u -- "$directory") in 0 | "$uid") ;; *) chown -h "$uid:$gid" "$directory" ;; esac
case $(stat -c %a -- "$directory") in 700) ;; *) as_owner '\''chmod 700 -- "$1"'\'' "$directory" ;; esac
there= old=
if [ -e "$file" ]; then
  there=yes
  old_of "$file" || { say "${file#.} could not be read as its owner"; exit 1; }
fi
FILE=$old THERE=$there KEY='\''ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'\'' NEW="$STAGE/2bc8b53add01e91f75f311c35c62ca19e6f1c07cce633c2ddb065342227003fa" awk '\''
function place(text, key,   at) {
  sub(/\r$/, "", text)
  gsub(/\t/, " ", text)
  sub(/^ +/, "", text)
  if (text ~ /^#/) return 0
  at = index(" " text " ", " " key " ")
  options = substr(text, 1, at - 1)
  sub(/ +$/, "", options)
  return at
}
BEGIN {
  key = ENVIRON["KEY"]
  if (ENVIRON["NEW"] != "" && (getline entry < ENVIRON["NEW"]) < 1) exit 1
  while ((got = (getline text < ENVIRON["FILE"])) > 0) {
    if (!place(text, key)) print text
    else if (entry != "" && !written++) print entry
  }
  if (got < 0 && ENVIRON["THERE"] != "") exit 1
  if (entry != "" && !written) print entry
}'\'' >"$STAGE/keys.$CHANGE"
if [ "$uid" = 0 ]; then owner=root:root
elif [ -z "$ROOT" ]; then owner=$who:$gid
else owner=$uid:$gid TRUSTED="$TRUSTED$directory
"
fi
put "$STAGE/keys.$CHANGE" "$file" 0600 "$owner"'
}
attempt 7 '' guarded 'root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA	absent	1' 'ssh_key:root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA	{"options":"","safe":true}'
guard_8() {
each_path 'stat_paths "$@"' ./var/lib/vz/vzdump-tmp
}
steps_8() {
[ -d ./var/lib/vz ] || { say 'the directory /var/lib/vz does not exist, and no resource makes it'; exit 1; }
inside ./var/lib/vz
owner=root:root
above ./var/lib/vz/vzdump-tmp
parent=$above
if [ -n "$ROOT" ] || trusted "$parent"; then
  mkdir -m 0755 -- ./var/lib/vz/vzdump-tmp
  give "$owner" ./var/lib/vz/vzdump-tmp
else
  user=${owner%%:*}
  if [ "$user" = root ] || [ "$(stat -L -c %U -- "$parent")" != "$user" ]; then
    say 'others than root can write to /var/lib/vz: a directory made there could be redirected'
    exit 1
  fi
  su -s /bin/sh "$user" -c 'mkdir -m "$2" -- "$1"' sh ./var/lib/vz/vzdump-tmp 0755
fi
}
attempt 8 '' guarded '/var/lib/vz/vzdump-tmp	absent	1' 'directory:/var/lib/vz/vzdump-tmp	{"group":"root","mode":"0755","owner":"root","type":"directory"}'
guard_9() {
each_path 'stat_paths "$@"' ./var/lib/vzdump-hook
}
steps_9() {
[ -d ./var/lib ] || { say 'the directory /var/lib does not exist, and no resource makes it'; exit 1; }
inside ./var/lib
owner=root:root
above ./var/lib/vzdump-hook
parent=$above
if [ -n "$ROOT" ] || trusted "$parent"; then
  mkdir -m 0700 -- ./var/lib/vzdump-hook
  give "$owner" ./var/lib/vzdump-hook
else
  user=${owner%%:*}
  if [ "$user" = root ] || [ "$(stat -L -c %U -- "$parent")" != "$user" ]; then
    say 'others than root can write to /var/lib: a directory made there could be redirected'
    exit 1
  fi
  su -s /bin/sh "$user" -c 'mkdir -m "$2" -- "$1"' sh ./var/lib/vzdump-hook 0700
fi
}
attempt 9 '' guarded '/var/lib/vzdump-hook	absent	1' 'directory:/var/lib/vzdump-hook	{"group":"root","mode":"0700","owner":"root","type":"directory"}'
steps_10() {
timeout -k 5 60 /bin/sh -c 'set -eu
. "$STAGE/prelude"
perl -c "$STAGE/e391f8ab91fc336c4f42e28b458c07d7d0d1da66664fc0f0bde7431b262ca28f"
owner=root:root
put "$STAGE/e391f8ab91fc336c4f42e28b458c07d7d0d1da66664fc0f0bde7431b262ca28f" ./usr/local/bin/vzdump-hook.pl 0755 "$owner"'
}
attempt 10 ' 9 ' '' '' 'file:/usr/local/bin/vzdump-hook.pl	{"group":"root","mode":"0755","owner":"root","sha256":"e391f8ab91fc336c4f42e28b458c07d7d0d1da66664fc0f0bde7431b262ca28f","type":"file"}'
steps_11() {
[ -e ./var/lib/vz/vzdump-tmp ] || { say 'its new content names /var/lib/vz/vzdump-tmp, which is not there, and no resource makes it'; exit 1; }
[ -e ./usr/local/bin/vzdump-hook.pl ] || { say 'its new content names /usr/local/bin/vzdump-hook.pl, which is not there, and no resource makes it'; exit 1; }
owner=root:root
put "$STAGE/1f8afa89c84df829702872dcb74944d2b969bcc8ad150e6b5a6d55735c503ac6" ./etc/vzdump.conf 0644 "$owner"
}
attempt 11 ' 8 . 10 . 9 ' '' '' 'file:/etc/vzdump.conf	{"group":"root","mode":"0644","owner":"root","sha256":"1f8afa89c84df829702872dcb74944d2b969bcc8ad150e6b5a6d55735c503ac6","type":"file"}'
guard_12() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
if [ "$pmxcfs" != fuse ]; then
  for id in local; do printf '%s\tmounted\t%s\n' "$id" "${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs 5 'cd ./etc/pve || exit 3
set -- .members
[ ! -e storage.cfg ] || set -- "$@" storage.cfg
awk '\''FILENAME == ".members" { print "m\t" $0; next }
/^[ \t]+password([ \t]|$)/ { sub(/password.*/, "password -") }
{ print "c\t" $0 }'\'' "$@" || exit 4
printf '\''r\t%s\n'\'' "${2-absent}"
set --
for id in local; do
  file=priv/storage/$id
  [ ! -e "$file.enc" ] || printf '\''e\t%s\n'\'' "$id"
  [ ! -e "$file.pw" ] || { printf '\''p\t%s\n'\'' "$id"; set -- "$@" "$file.pw"; }
done
[ $# -eq 0 ] || sha256sum -- "$@"
exit 0') || rc=$?
  plugins=
  set +f
  for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || plugins=yes; done
  set -f
  case $rc in
    0) { printf '%s\n' local "$plugins."; printf '%s\n' "$seen"; } | awk 'function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, part, count, i) {
  gsub(/[ \t\r,;]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  key = text
  sub(/ .*/, "", key)
  if (key == text) return key " 1"
  count = split(substr(text, length(key) + 2), part, " ")
  sorted(part, count)
  text = key
  for (i = 1; i <= count; i++) text = text " " part[i]
  return text
}
!begun && $0 ~ /^(yes)?\.$/ { begun = 1; plugins = $0 == "yes."; next }
!begun { id[++n] = $0; next }
/^m\t/ { members = members substr($0, 3); next }
/^c\t/ { line[++m] = substr($0, 3); next }
/^r\t/ { read = substr($0, 3); next }
/^e\t/ { key[substr($0, 3)] = 1; next }
/^p\t/ { pw[substr($0, 3)] = "unreadable"; next }
length($0) > 67 { name = substr($0, 67); sub(/^priv\/storage\//, "", name); sub(/\.pw$/, "", name); pw[name] = substr($0, 1, 64) }
END {
  gsub(/[ \t]/, "", members)
  # Right after a change the kernel cuts it at its former length.
  if (members ~ /^\{"nodename".*\}$/) {
    if (members ~ /"quorate":0/) quorate = "no"
    else if (members ~ /"quorate":1/ || members !~ /"cluster"/) quorate = "yes"
  }
  for (k = 1; k <= n; k++) {
    print id[k] "\tread\t" read
    if (quorate != "") print id[k] "\tquorate\t" quorate
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    if (plugins) print id[k] "\tplugins\tyes"
    if (id[k] in key) print id[k] "\tkey\tyes"
    print id[k] "\tpw\t" (id[k] in pw ? pw[id[k]] : "none")
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t\r]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "") {
        inside = "-"
        if (line[i] !~ /^[^ \t]+:[ \t]*[^ \t]+[ \t\r]*$/) { inside = ""; continue }
        head = line[i]
        sub(/[ \t\r]+$/, "", head)
        type = head
        sub(/:[^:]*$/, "", type)
        sub(/^.*:[ \t]*/, "", head)
        inside = head
        if (head == id[k]) mine[++count] = "type " tolower(type)
      } else if (inside == id[k]) mine[++count] = plain(line[i])
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}' ;;
    124) for id in local; do printf '%s\tunknown\tno answer in 5 s: /etc/pve hangs\n' "$id"; done ;;
    *) for id in local; do printf '%s\tunknown\t/etc/pve could not be read\n' "$id"; done ;;
  esac
fi
} | awk -F '\t' '$2 != "file" && $2 != "read"'
}
steps_12() {
timeout -k 5 180 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
[ "$pmxcfs" = fuse ] || { say '\''/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it; nothing was changed'\''; exit 1; }
members=$(timeout -k 1 5 cat ./etc/pve/.members | tr -d '\'' \t\n'\'')
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
case $quorum in
  yes) ;;
  no) say '\''this node has no quorum: until enough nodes of the cluster see each other, /etc/pve refuses every write, even of root; nothing was changed'\''; exit 1 ;;
  *) say '\''/etc/pve/.members could not be read: whether this node may write is not known; nothing was changed'\''; exit 1 ;;
esac
pvesm add dir local --path /var/lib/vz --content backup,images,iso,rootdir,snippets,vztmpl'
}
attempt 12 '' guarded 'local	absent	1' 'pve_storage:local	{"content":"backup,images,iso,rootdir,snippets,vztmpl","disable":false,"path":"/var/lib/vz","type":"dir"}'
guard_13() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
if [ "$pmxcfs" != fuse ]; then
  for id in truenas-bu; do printf '%s\tmounted\t%s\n' "$id" "${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs 5 'cd ./etc/pve || exit 3
set -- .members
[ ! -e storage.cfg ] || set -- "$@" storage.cfg
awk '\''FILENAME == ".members" { print "m\t" $0; next }
/^[ \t]+password([ \t]|$)/ { sub(/password.*/, "password -") }
{ print "c\t" $0 }'\'' "$@" || exit 4
printf '\''r\t%s\n'\'' "${2-absent}"
set --
for id in truenas-bu; do
  file=priv/storage/$id
  [ ! -e "$file.enc" ] || printf '\''e\t%s\n'\'' "$id"
  [ ! -e "$file.pw" ] || { printf '\''p\t%s\n'\'' "$id"; set -- "$@" "$file.pw"; }
done
[ $# -eq 0 ] || sha256sum -- "$@"
exit 0') || rc=$?
  plugins=
  set +f
  for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || plugins=yes; done
  set -f
  case $rc in
    0) { printf '%s\n' truenas-bu "$plugins."; printf '%s\n' "$seen"; } | awk 'function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, part, count, i) {
  gsub(/[ \t\r,;]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  key = text
  sub(/ .*/, "", key)
  if (key == text) return key " 1"
  count = split(substr(text, length(key) + 2), part, " ")
  sorted(part, count)
  text = key
  for (i = 1; i <= count; i++) text = text " " part[i]
  return text
}
!begun && $0 ~ /^(yes)?\.$/ { begun = 1; plugins = $0 == "yes."; next }
!begun { id[++n] = $0; next }
/^m\t/ { members = members substr($0, 3); next }
/^c\t/ { line[++m] = substr($0, 3); next }
/^r\t/ { read = substr($0, 3); next }
/^e\t/ { key[substr($0, 3)] = 1; next }
/^p\t/ { pw[substr($0, 3)] = "unreadable"; next }
length($0) > 67 { name = substr($0, 67); sub(/^priv\/storage\//, "", name); sub(/\.pw$/, "", name); pw[name] = substr($0, 1, 64) }
END {
  gsub(/[ \t]/, "", members)
  # Right after a change the kernel cuts it at its former length.
  if (members ~ /^\{"nodename".*\}$/) {
    if (members ~ /"quorate":0/) quorate = "no"
    else if (members ~ /"quorate":1/ || members !~ /"cluster"/) quorate = "yes"
  }
  for (k = 1; k <= n; k++) {
    print id[k] "\tread\t" read
    if (quorate != "") print id[k] "\tquorate\t" quorate
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    if (plugins) print id[k] "\tplugins\tyes"
    if (id[k] in key) print id[k] "\tkey\tyes"
    print id[k] "\tpw\t" (id[k] in pw ? pw[id[k]] : "none")
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t\r]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "") {
        inside = "-"
        if (line[i] !~ /^[^ \t]+:[ \t]*[^ \t]+[ \t\r]*$/) { inside = ""; continue }
        head = line[i]
        sub(/[ \t\r]+$/, "", head)
        type = head
        sub(/:[^:]*$/, "", type)
        sub(/^.*:[ \t]*/, "", head)
        inside = head
        if (head == id[k]) mine[++count] = "type " tolower(type)
      } else if (inside == id[k]) mine[++count] = plain(line[i])
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}' ;;
    124) for id in truenas-bu; do printf '%s\tunknown\tno answer in 5 s: /etc/pve hangs\n' "$id"; done ;;
    *) for id in truenas-bu; do printf '%s\tunknown\t/etc/pve could not be read\n' "$id"; done ;;
  esac
fi
} | awk -F '\t' '$2 != "file" && $2 != "read"'
}
steps_13() {
timeout -k 5 180 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
[ "$pmxcfs" = fuse ] || { say '\''/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it; nothing was changed'\''; exit 1; }
members=$(timeout -k 1 5 cat ./etc/pve/.members | tr -d '\'' \t\n'\'')
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
case $quorum in
  yes) ;;
  no) say '\''this node has no quorum: until enough nodes of the cluster see each other, /etc/pve refuses every write, even of root; nothing was changed'\''; exit 1 ;;
  *) say '\''/etc/pve/.members could not be read: whether this node may write is not known; nothing was changed'\''; exit 1 ;;
esac
pvesm add nfs truenas-bu --server 10.10.0.104 --export /mnt/main_pool/bu --content backup --options '\''vers=4.2'\'''
}
attempt 13 '' guarded 'truenas-bu	absent	1' 'pve_storage:truenas-bu	{"content":"backup","disable":false,"export":"/mnt/main_pool/bu","options":"vers=4.2","server":"10.10.0.104","type":"nfs"}'
guard_14() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
if [ "$pmxcfs" != fuse ]; then
  for id in pbs-pihanga; do printf '%s\tmounted\t%s\n' "$id" "${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs 5 'cd ./etc/pve || exit 3
set -- .members
[ ! -e storage.cfg ] || set -- "$@" storage.cfg
awk '\''FILENAME == ".members" { print "m\t" $0; next }
/^[ \t]+password([ \t]|$)/ { sub(/password.*/, "password -") }
{ print "c\t" $0 }'\'' "$@" || exit 4
printf '\''r\t%s\n'\'' "${2-absent}"
set --
for id in pbs-pihanga; do
  file=priv/storage/$id
  [ ! -e "$file.enc" ] || printf '\''e\t%s\n'\'' "$id"
  [ ! -e "$file.pw" ] || { printf '\''p\t%s\n'\'' "$id"; set -- "$@" "$file.pw"; }
done
[ $# -eq 0 ] || sha256sum -- "$@"
exit 0') || rc=$?
  plugins=
  set +f
  for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || plugins=yes; done
  set -f
  case $rc in
    0) { printf '%s\n' pbs-pihanga "$plugins."; printf '%s\n' "$seen"; } | awk 'function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, part, count, i) {
  gsub(/[ \t\r,;]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  key = text
  sub(/ .*/, "", key)
  if (key == text) return key " 1"
  count = split(substr(text, length(key) + 2), part, " ")
  sorted(part, count)
  text = key
  for (i = 1; i <= count; i++) text = text " " part[i]
  return text
}
!begun && $0 ~ /^(yes)?\.$/ { begun = 1; plugins = $0 == "yes."; next }
!begun { id[++n] = $0; next }
/^m\t/ { members = members substr($0, 3); next }
/^c\t/ { line[++m] = substr($0, 3); next }
/^r\t/ { read = substr($0, 3); next }
/^e\t/ { key[substr($0, 3)] = 1; next }
/^p\t/ { pw[substr($0, 3)] = "unreadable"; next }
length($0) > 67 { name = substr($0, 67); sub(/^priv\/storage\//, "", name); sub(/\.pw$/, "", name); pw[name] = substr($0, 1, 64) }
END {
  gsub(/[ \t]/, "", members)
  # Right after a change the kernel cuts it at its former length.
  if (members ~ /^\{"nodename".*\}$/) {
    if (members ~ /"quorate":0/) quorate = "no"
    else if (members ~ /"quorate":1/ || members !~ /"cluster"/) quorate = "yes"
  }
  for (k = 1; k <= n; k++) {
    print id[k] "\tread\t" read
    if (quorate != "") print id[k] "\tquorate\t" quorate
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    if (plugins) print id[k] "\tplugins\tyes"
    if (id[k] in key) print id[k] "\tkey\tyes"
    print id[k] "\tpw\t" (id[k] in pw ? pw[id[k]] : "none")
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t\r]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "") {
        inside = "-"
        if (line[i] !~ /^[^ \t]+:[ \t]*[^ \t]+[ \t\r]*$/) { inside = ""; continue }
        head = line[i]
        sub(/[ \t\r]+$/, "", head)
        type = head
        sub(/:[^:]*$/, "", type)
        sub(/^.*:[ \t]*/, "", head)
        inside = head
        if (head == id[k]) mine[++count] = "type " tolower(type)
      } else if (inside == id[k]) mine[++count] = plain(line[i])
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}' ;;
    124) for id in pbs-pihanga; do printf '%s\tunknown\tno answer in 5 s: /etc/pve hangs\n' "$id"; done ;;
    *) for id in pbs-pihanga; do printf '%s\tunknown\t/etc/pve could not be read\n' "$id"; done ;;
  esac
fi
} | awk -F '\t' '$2 != "file" && $2 != "read"'
}
steps_14() {
timeout -k 5 180 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
[ "$pmxcfs" = fuse ] || { say '\''/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it; nothing was changed'\''; exit 1; }
members=$(timeout -k 1 5 cat ./etc/pve/.members | tr -d '\'' \t\n'\'')
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
case $quorum in
  yes) ;;
  no) say '\''this node has no quorum: until enough nodes of the cluster see each other, /etc/pve refuses every write, even of root; nothing was changed'\''; exit 1 ;;
  *) say '\''/etc/pve/.members could not be read: whether this node may write is not known; nothing was changed'\''; exit 1 ;;
esac
pvesm add pbs pbs-pihanga --server 10.10.0.151 --datastore pbs-datastore --content backup --prune-backups '\''keep-all=1'\'' --username '\''backup@pbs!pve'\'' --fingerprint 3f:a1:0c:55:9e:72:d8:04:b6:e1:47:2a:90:cd:13:8b:5e:f0:66:21:ba:7d:39:c4:18:ef:52:a7:0b:93:dc:6e'
}
attempt 14 '' guarded 'pbs-pihanga	absent	1' 'pve_storage:pbs-pihanga	{"content":"backup","datastore":"pbs-datastore","disable":false,"fingerprint":"3f:a1:0c:55:9e:72:d8:04:b6:e1:47:2a:90:cd:13:8b:5e:f0:66:21:ba:7d:39:c4:18:ef:52:a7:0b:93:dc:6e","prune_backups":"keep-all=1","server":"10.10.0.151","type":"pbs","username":"backup@pbs!pve"}'
steps_15() {
timeout -k 5 120 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pvesh create /cluster/backup --id pve2-truenas-bu-busy-media --vmid 1031 --schedule 03:00 --storage truenas-bu --mode stop --notes-template '\''{{guestname}}'\'' --enabled 1 --node pve2 >/dev/null'
}
attempt 15 ' 13 ' '' '' 'pve_backup_job:pve2-truenas-bu-busy-media	{"bwlimit":"not set","comment":"not set","compress":"not set","enabled":true,"fleecing":"off","guests":"1031","mailnotification":"always","mailto":"not set","mode":"stop","node":"pve2","notes_template":"{{guestname}}","notification_mode":"auto","others":"","protected":false,"prune_backups":"not set","repeat_missed":false,"schedule":"every day at 03:00","storage":"truenas-bu"}'
steps_16() {
timeout -k 5 120 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pvesh create /cluster/backup --id pve2-local-busy-media --vmid 1034 --schedule 03:00 --storage local --mode stop --notes-template '\''{{guestname}}'\'' --enabled 1 --node pve2 >/dev/null'
}
attempt 16 ' 12 ' '' '' 'pve_backup_job:pve2-local-busy-media	{"bwlimit":"not set","comment":"not set","compress":"not set","enabled":true,"fleecing":"off","guests":"1034","mailnotification":"always","mailto":"not set","mode":"stop","node":"pve2","notes_template":"{{guestname}}","notification_mode":"auto","others":"","protected":false,"prune_backups":"not set","repeat_missed":false,"schedule":"every day at 03:00","storage":"local"}'
steps_17() {
timeout -k 5 120 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pvesh create /cluster/backup --id pve2-pbs-pihanga-database --vmid 111 --schedule 02:00 --storage pbs-pihanga --mode snapshot --notes-template '\''{{guestname}}'\'' --enabled 1 --node pve2 >/dev/null'
}
attempt 17 ' 14 ' '' '' 'pve_backup_job:pve2-pbs-pihanga-database	{"bwlimit":"not set","comment":"not set","compress":"not set","enabled":true,"fleecing":"off","guests":"111","mailnotification":"always","mailto":"not set","mode":"snapshot","node":"pve2","notes_template":"{{guestname}}","notification_mode":"auto","others":"","protected":false,"prune_backups":"not set","repeat_missed":false,"schedule":"every day at 02:00","storage":"pbs-pihanga"}'
guard_18() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
node=$(uname -n)
node=${node%%.*}
for vmid in 111; do
  printf '\''%s	looked	1
'\'' "$vmid"
  for conf in nodes/*/qemu-server/"$vmid".conf nodes/*/lxc/"$vmid".conf; do
    [ -e "$conf" ] || continue
    printf '\''%s	conf	%s
'\'' "$vmid" "$conf"
    case $conf in nodes/"$node"/*) ;; *) printf '\''%s	elsewhere	1
'\'' "$vmid" ;; esac
    awk -v vmid="$vmid" '\''BEGIN { part = "now" }
/^\[/ { part = tolower($0) ~ /^\[(pve:)?pending\][ \t\r]*$/ ? "next" : ""; next }
part != "" && /^(lock|agent|hookscript|delete|mp[0-9]+|scsi[0-9]+|virtio[0-9]+|sata[0-9]+|ide[0-9]+|efidisk0):/ {
  print vmid "\t" part "\t" $0
}'\'' "$conf" || exit 4
  done
done') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in 111; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || printf '%s
' "$seen"
export ROOT
workers() { awk 'function number(hex,  i, n) {
  n = 0
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", toupper(substr(hex, i, 1))) - 1
  return n
}
function process(upid,  part, file, line, word) {
  if (ENVIRON["ROOT"] != "") return ""
  split(upid, part, ":")
  file = "/proc/" number(part[3]) "/stat"
  line = ""
  getline line < file
  close(file)
  if (line == "") return ""
  sub(/^.*\) /, "", line)
  split(line, word, " ")
  return word[20] == number(part[4]) ? word[1] : ""
}
{
  n = split($1, upid, ":")
  if (n < 8 || upid[6] != "vzdump" || process($1) == "") next
  print upid[7] == "" ? "-" : upid[7]
}' ./var/log/pve/tasks/active 2>/dev/null; }
for vmid in 111; do
  case $seen in *"
$vmid	now	lock: backup"*) for id in $(workers); do printf '%s	worker	%s
' "$vmid" "$id"; done ;; esac
done
} | awk -F '\t' '$2 != "worker"'
}
steps_18() {
timeout -k 5 120 /bin/sh -c 'set -eu
. "$STAGE/prelude"
qm set 111 --agent '\''enabled=1'\'' >/dev/null'
}
attempt 18 '' guarded '111	absent	1' 'pve_guest_option:111	{"agent":true}'
guard_19() {
{
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
node=$(uname -n)
node=${node%%.*}
for vmid in 1031; do
  printf '\''%s	looked	1
'\'' "$vmid"
  for conf in nodes/*/qemu-server/"$vmid".conf nodes/*/lxc/"$vmid".conf; do
    [ -e "$conf" ] || continue
    printf '\''%s	conf	%s
'\'' "$vmid" "$conf"
    case $conf in nodes/"$node"/*) ;; *) printf '\''%s	elsewhere	1
'\'' "$vmid" ;; esac
    awk -v vmid="$vmid" '\''BEGIN { part = "now" }
/^\[/ { part = tolower($0) ~ /^\[(pve:)?pending\][ \t\r]*$/ ? "next" : ""; next }
part != "" && /^(lock|agent|hookscript|delete|mp[0-9]+|scsi[0-9]+|virtio[0-9]+|sata[0-9]+|ide[0-9]+|efidisk0):/ {
  print vmid "\t" part "\t" $0
}'\'' "$conf" || exit 4
  done
done') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in 1031; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || printf '%s
' "$seen"
export ROOT
workers() { awk 'function number(hex,  i, n) {
  n = 0
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", toupper(substr(hex, i, 1))) - 1
  return n
}
function process(upid,  part, file, line, word) {
  if (ENVIRON["ROOT"] != "") return ""
  split(upid, part, ":")
  file = "/proc/" number(part[3]) "/stat"
  line = ""
  getline line < file
  close(file)
  if (line == "") return ""
  sub(/^.*\) /, "", line)
  split(line, word, " ")
  return word[20] == number(part[4]) ? word[1] : ""
}
{
  n = split($1, upid, ":")
  if (n < 8 || upid[6] != "vzdump" || process($1) == "") next
  print upid[7] == "" ? "-" : upid[7]
}' ./var/log/pve/tasks/active 2>/dev/null; }
for vmid in 1031; do
  case $seen in *"
$vmid	now	lock: backup"*) for id in $(workers); do printf '%s	worker	%s
' "$vmid" "$id"; done ;; esac
done
} | awk -F '\t' '$2 != "worker"'
}
steps_19() {
timeout -k 5 120 /bin/sh -c 'set -eu
. "$STAGE/prelude"
pct set 1031 --mp0 '\''backup=0'\'' >/dev/null'
}
attempt 19 '' guarded '1031	absent	1' 'pve_guest_option:1031	{"mp0":"left out"}'
guard_20() {
each_path 'stat_paths "$@"' ./usr/local/share/runbooks
}
steps_20() {
[ -d ./usr/local/share ] || { say 'the directory /usr/local/share does not exist, and no resource makes it'; exit 1; }
inside ./usr/local/share
owner=root:root
above ./usr/local/share/runbooks
parent=$above
if [ -n "$ROOT" ] || trusted "$parent"; then
  mkdir -m 0755 -- ./usr/local/share/runbooks
  give "$owner" ./usr/local/share/runbooks
else
  user=${owner%%:*}
  if [ "$user" = root ] || [ "$(stat -L -c %U -- "$parent")" != "$user" ]; then
    say 'others than root can write to /usr/local/share: a directory made there could be redirected'
    exit 1
  fi
  su -s /bin/sh "$user" -c 'mkdir -m "$2" -- "$1"' sh ./usr/local/share/runbooks 0755
fi
}
attempt 20 '' guarded '/usr/local/share/runbooks	absent	1' 'directory:/usr/local/share/runbooks	{"group":"root","mode":"0755","owner":"root","type":"directory"}'
look_at_parents ./usr/local/share/runbooks
steps_21() {
owner=root:root
put "$STAGE/6b48efdac9f735fd877a0a43936f4f57d79ba6c69c71ccb1f0774e10b239fca5" ./usr/local/share/runbooks/vzdump-hook.md 0644 "$owner"
}
attempt 21 ' 20 ' '' '' 'file:/usr/local/share/runbooks/vzdump-hook.md	{"group":"root","mode":"0644","owner":"root","sha256":"6b48efdac9f735fd877a0a43936f4f57d79ba6c69c71ccb1f0774e10b239fca5","type":"file"}'
steps_22() {
timeout -k 5 300 /bin/sh -c 'set -eu
. "$STAGE/prelude"
sh -c '\''command -v systemd-analyze >/dev/null 2>&1 || exit 0
UNIT_NAME=$1
UNIT_DIR=$(mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d) || { echo '\''\'\'''\''no place for a copy of the unit'\''\'\'''\''; exit 1; }
export UNIT_DIR UNIT_NAME
trap '\''\'\'''\''rm -rf -- "$UNIT_DIR"'\''\'\'''\'' EXIT
cat -- "$2" >"$UNIT_DIR/$1"
judge_unit() {
  found=$(timeout -k 1 20 systemd-analyze verify --man=no -- "$1/$2" 2>&1) && rc=0 || rc=$?
  own=$(printf '\''\'\'''\''%s\n'\''\'\'''\'' "$found" | awk -v lenient="$3" '\''\'\'''\''
    BEGIN { dir = ENVIRON["UNIT_DIR"] "/"; name = ENVIRON["UNIT_NAME"]; stem = name; sub(/@\..*/, "@", stem) }
    $0 == "" { next }
    lenient && (/is not executable: No such file or directory/ || /Unit [^ ]* not found/) { missing = 1; next }
    (at = index($0, dir)) { print substr($0, 1, at - 1) substr($0, at + length(dir)); next }
    index($0, name ":") == 1 || index($0, "Unit " name " ") == 1 { print; next }
    stem != name && index($0, stem) == 1 { print }
    END { if (missing) print "missing" }'\''\'\'''\'')
  case "$own" in
    missing) return 0 ;;
    '\''\'\'''\'''\''\'\'''\'') [ "$rc" -eq 0 ] || printf '\''\'\'''\''%s\n'\''\'\'''\'' "$found"; return "$rc" ;;
  esac
  printf '\''\'\'''\''%s\n'\''\'\'''\'' "$own" | grep -v '\''\'\'''\''^missing$'\''\'\'''\''
  return 1
}
judge_unit "$UNIT_DIR" "$1" 1'\'' sh vzdump-hook-repair.service "$STAGE/a642c4a61d895e896e5b155af860b336686279cf2d272ab9a2a77057a7655cf4"
if command -v systemd-analyze >/dev/null 2>&1; then (
UNIT_NAME=vzdump-hook-repair.service
UNIT_DIR=$(mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d) || { echo '\''no place for a copy of the unit'\''; exit 1; }
export UNIT_DIR UNIT_NAME
trap '\''rm -rf -- "$UNIT_DIR"'\'' EXIT
judge_unit() {
  found=$(timeout -k 1 20 systemd-analyze verify --man=no -- "$1/$2" 2>&1) && rc=0 || rc=$?
  own=$(printf '\''%s\n'\'' "$found" | awk -v lenient="$3" '\''
    BEGIN { dir = ENVIRON["UNIT_DIR"] "/"; name = ENVIRON["UNIT_NAME"]; stem = name; sub(/@\..*/, "@", stem) }
    $0 == "" { next }
    lenient && (/is not executable: No such file or directory/ || /Unit [^ ]* not found/) { missing = 1; next }
    (at = index($0, dir)) { print substr($0, 1, at - 1) substr($0, at + length(dir)); next }
    index($0, name ":") == 1 || index($0, "Unit " name " ") == 1 { print; next }
    stem != name && index($0, stem) == 1 { print }
    END { if (missing) print "missing" }'\'')
  case "$own" in
    missing) return 0 ;;
    '\'''\'') [ "$rc" -eq 0 ] || printf '\''%s\n'\'' "$found"; return "$rc" ;;
  esac
  printf '\''%s\n'\'' "$own" | grep -v '\''^missing$'\''
  return 1
}
own="$STAGE/a642c4a61d895e896e5b155af860b336686279cf2d272ab9a2a77057a7655cf4"
[ -n "$own" ] || exit 0
cat -- "$own" >"$UNIT_DIR/$UNIT_NAME"
mkdir "$UNIT_DIR/$UNIT_NAME.d"

judge_unit "$UNIT_DIR" "$UNIT_NAME" '\'''\''
); fi
put "$STAGE/a642c4a61d895e896e5b155af860b336686279cf2d272ab9a2a77057a7655cf4" ./etc/systemd/system/vzdump-hook-repair.service 0644 root:root
systemctl daemon-reload'
}
attempt 22 ' 10 . 9 ' '' '' 'unit:vzdump-hook-repair.service	{"mode":"0644","owner":"root:root","reload_needed":"no","text":"a642c4a61d895e896e5b155af860b336686279cf2d272ab9a2a77057a7655cf4"}'
steps_23() {
timeout -k 5 300 /bin/sh -c 'set -eu
. "$STAGE/prelude"
sh -c '\''command -v systemd-analyze >/dev/null 2>&1 || exit 0
UNIT_NAME=$1
UNIT_DIR=$(mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d) || { echo '\''\'\'''\''no place for a copy of the unit'\''\'\'''\''; exit 1; }
export UNIT_DIR UNIT_NAME
trap '\''\'\'''\''rm -rf -- "$UNIT_DIR"'\''\'\'''\'' EXIT
cat -- "$2" >"$UNIT_DIR/$1"
judge_unit() {
  found=$(timeout -k 1 20 systemd-analyze verify --man=no -- "$1/$2" 2>&1) && rc=0 || rc=$?
  own=$(printf '\''\'\'''\''%s\n'\''\'\'''\'' "$found" | awk -v lenient="$3" '\''\'\'''\''
    BEGIN { dir = ENVIRON["UNIT_DIR"] "/"; name = ENVIRON["UNIT_NAME"]; stem = name; sub(/@\..*/, "@", stem) }
    $0 == "" { next }
    lenient && (/is not executable: No such file or directory/ || /Unit [^ ]* not found/) { missing = 1; next }
    (at = index($0, dir)) { print substr($0, 1, at - 1) substr($0, at + length(dir)); next }
    index($0, name ":") == 1 || index($0, "Unit " name " ") == 1 { print; next }
    stem != name && index($0, stem) == 1 { print }
    END { if (missing) print "missing" }'\''\'\'''\'')
  case "$own" in
    missing) return 0 ;;
    '\''\'\'''\'''\''\'\'''\'') [ "$rc" -eq 0 ] || printf '\''\'\'''\''%s\n'\''\'\'''\'' "$found"; return "$rc" ;;
  esac
  printf '\''\'\'''\''%s\n'\''\'\'''\'' "$own" | grep -v '\''\'\'''\''^missing$'\''\'\'''\''
  return 1
}
judge_unit "$UNIT_DIR" "$1" 1'\'' sh vzdump-hook-repair.timer "$STAGE/39a96c1bd7bb64dd70d3097dbba5408dd017bcf3fdddab2693f6a91ee5c09081"
if command -v systemd-analyze >/dev/null 2>&1; then (
UNIT_NAME=vzdump-hook-repair.timer
UNIT_DIR=$(mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d) || { echo '\''no place for a copy of the unit'\''; exit 1; }
export UNIT_DIR UNIT_NAME
trap '\''rm -rf -- "$UNIT_DIR"'\'' EXIT
judge_unit() {
  found=$(timeout -k 1 20 systemd-analyze verify --man=no -- "$1/$2" 2>&1) && rc=0 || rc=$?
  own=$(printf '\''%s\n'\'' "$found" | awk -v lenient="$3" '\''
    BEGIN { dir = ENVIRON["UNIT_DIR"] "/"; name = ENVIRON["UNIT_NAME"]; stem = name; sub(/@\..*/, "@", stem) }
    $0 == "" { next }
    lenient && (/is not executable: No such file or directory/ || /Unit [^ ]* not found/) { missing = 1; next }
    (at = index($0, dir)) { print substr($0, 1, at - 1) substr($0, at + length(dir)); next }
    index($0, name ":") == 1 || index($0, "Unit " name " ") == 1 { print; next }
    stem != name && index($0, stem) == 1 { print }
    END { if (missing) print "missing" }'\'')
  case "$own" in
    missing) return 0 ;;
    '\'''\'') [ "$rc" -eq 0 ] || printf '\''%s\n'\'' "$found"; return "$rc" ;;
  esac
  printf '\''%s\n'\'' "$own" | grep -v '\''^missing$'\''
  return 1
}
own="$STAGE/39a96c1bd7bb64dd70d3097dbba5408dd017bcf3fdddab2693f6a91ee5c09081"
[ -n "$own" ] || exit 0
cat -- "$own" >"$UNIT_DIR/$UNIT_NAME"
mkdir "$UNIT_DIR/$UNIT_NAME.d"

judge_unit "$UNIT_DIR" "$UNIT_NAME" '\'''\''
); fi
put "$STAGE/39a96c1bd7bb64dd70d3097dbba5408dd017bcf3fdddab2693f6a91ee5c09081" ./etc/systemd/system/vzdump-hook-repair.timer 0644 root:root
systemctl daemon-reload
systemctl --no-ask-password reenable -- vzdump-hook-repair.timer
unit=vzdump-hook-repair.timer
tell() {
  systemctl status --no-pager --full --lines=20 -- "$unit" || :
  exit 1
}
systemctl start -- vzdump-hook-repair.timer || tell'
}
attempt 23 ' 22 . 10 . 9 ' '' '' 'unit:vzdump-hook-repair.timer	{"active":"active","enabled":"enabled","mode":"0644","owner":"root:root","reload_needed":"no","text":"39a96c1bd7bb64dd70d3097dbba5408dd017bcf3fdddab2693f6a91ee5c09081","wanted_by":"timers.target"}'
frame record
{
  cat "$STAGE/record"
  [ ! -f "$RUNDIR/record.done" ] || cat "$RUNDIR/record.done"
} >"$STATE/record.new" && sync "$STATE/record.new" && mv -T -- "$STATE/record.new" "$STATE/record"
# What hung before the changes may answer after them.
[ ! -f "$SCRATCH/hung" ] || rm -f -- "$SCRATCH/hung"
frame verify
# What is stuck in the kernel while it looks must not keep the lock.
{
:
frame 'look file'
(
each_path 'stat_paths "$@"
hash_paths "$@"' ./etc/hostname ./etc/hosts ./etc/chrony/sources.d/provision.sources ./etc/vzdump.conf ./usr/local/bin/vzdump-hook.pl ./usr/local/share/runbooks/vzdump-hook.md
remote_path ./var/lib/vz/vzdump-tmp || [ -e ./var/lib/vz/vzdump-tmp ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /var/lib/vz/vzdump-tmp
remote_path ./usr/local/bin/vzdump-hook.pl || [ -e ./usr/local/bin/vzdump-hook.pl ] || printf '%s	%s	%s
' /etc/vzdump.conf lacks /usr/local/bin/vzdump-hook.pl
) 2>/dev/null
frame 'look package'
(
if [ -n "$ROOT" ]; then admin=--admindir=./var/lib/dpkg; else admin=--admindir=/var/lib/dpkg; fi
rc=0
[ -f "${admin#*=}/status" ] && found=$(dpkg-query "$admin" -W -f='${Package}	${db:Status-Status}	${Version}
' -- rsync smartmontools chrony 2>/dev/null) || rc=$?
if [ "$rc" -le 1 ] && [ -f "${admin#*=}/status" ]; then
  printf '%s
' "$found" rsync smartmontools chrony | awk -F'	' '
NF > 1 {
  if ($2 == "not-installed" || $2 == "config-files") next
  if (!($1 in status) || $2 == "installed") { status[$1] = $2; version[$1] = $3 }
  next
}
$1 == "" || done[$1]++ { next }
$1 in status { print $1 "\tstatus\t" status[$1]; print $1 "\tversion\t" version[$1]; next }
{ print $1 "\tstatus\tnone" }'
fi
) 2>/dev/null
frame 'look unit'
(
export ROOT TZ=UTC
ask() { printf '%s\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\t" $0 }'; }
is_enabled() { for u do printf 'enabled\t%s\t%s\n' "$u" "$(systemctl ${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\t%s\tby links\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp -- "$@") || shown=
  printf '%s\n' "$shown" | tagged show
  set -- $(printf '%s\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\t%s\t%s\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\t%s\t%s\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\t%s\t%s\n' "$u" "${f#.}"
    done
  done
}
{
ask 'unit	chrony.service	chrony.service	active runs' 'file	text	/etc/systemd/system/chrony.service' 'file	config	/etc/chrony/sources.d/provision.sources' 'unit	vzdump-hook-repair.service	vzdump-hook-repair.service	' 'file	text	/etc/systemd/system/vzdump-hook-repair.service' 'unit	vzdump-hook-repair.timer	vzdump-hook-repair.timer	active' 'file	text	/etc/systemd/system/vzdump-hook-repair.timer'
each_unit_path() {
each_path 'stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '\''%s\tlink\t%s\n'\'' "${p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '\''%n	ctime	%z'\'' -- "$@" | sed '\''s/^\.//'\''
  sha256sum -- "$@" | sed -e '\''/^\\/{s/^.//;s/\\\\/\\/g;}'\'' -e '\''s/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'\''
}' ./etc/systemd/system/chrony.service ./etc/chrony/sources.d/provision.sources ./etc/systemd/system/vzdump-hook-repair.service ./etc/systemd/system/vzdump-hook-repair.timer
}
each_unit_path | tagged path
manager chrony.service vzdump-hook-repair.service vzdump-hook-repair.timer
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps chrony.service
leftovers 
} | awk 'BEGIN { FS = "\t"; OFS = "\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\x5c/, "\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}'
) 2>/dev/null
frame 'look ssh_key'
(
home_of() {
  home= uid= gid=
  while IFS=: read -r name _ uid gid _ home _; do
    [ "$name" != "$1" ] || return 0
  done <./etc/passwd
  return 1
}
if [ ! -r ./etc/passwd ]; then :
elif home_of root && [ -n "$home" ]; then
  export OWNER="$uid"
  each_path 'file=$1 directory=${1%/*}
for_all() { for id in root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA; do printf '\''%s	%s	%s
'\'' "$id" "$1" "$2"; done; }
if [ -L "$directory" ] || [ -L "$file" ]; then
  for_all blocked '\''the keys of root lie behind a symbolic link'\''
elif [ -e "$file" ] && [ ! -f "$file" ]; then
  for_all blocked '\''the keys of root are not in a file'\''
else
  missing=
  [ -e "$file" ] || missing=$(why_missing "$file")
  case $missing in
    *'\''	unknown	'\''*) for_all unknown "${missing##*	}" ;;
    *)
      printf '\''%s
'\'' '\''root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA	ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'\'' | FILE=$file THERE=${missing:-yes} timeout -k 1 20 awk -F'\''	'\'' '\''
function place(text, key,   at) {
  sub(/\r$/, "", text)
  gsub(/\t/, " ", text)
  sub(/^ +/, "", text)
  if (text ~ /^#/) return 0
  at = index(" " text " ", " " key " ")
  options = substr(text, 1, at - 1)
  sub(/ +$/, "", options)
  return at
}
{ id[++n] = $1; key[n] = $2 }
END {
  file = ENVIRON["FILE"]
  while ((got = (getline text < file)) > 0)
    for (i = 1; i <= n; i++) if (!(i in found) && place(text, key[i])) found[i] = options
  if (got < 0 && ENVIRON["THERE"] == "yes") exit
  for (i = 1; i <= n; i++) print id[i] (i in found ? "\toptions\t" found[i] : "\tnone\t1")
}'\''
      unsafe=$(stat -c '\''%u %a'\'' -- "$directory" "$file" 2>/dev/null | while read -r owner bits; do
        case $owner in 0 | "$OWNER") ;; *) echo owner ;; esac
        case $bits in *[2367] | *[2367]?) echo mode ;; esac
      done)
      [ -z "$unsafe" ] || for_all unsafe 1
      ;;
  esac
fi' ".${home%/}/.ssh/authorized_keys"
else
  for id in root:SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA; do printf '%s	none	1
' "$id"; done
fi
) 2>/dev/null
frame 'look directory'
(
each_path 'stat_paths "$@"' ./var/lib/vz/vzdump-tmp ./var/lib/vzdump-hook ./usr/local/share/runbooks
) 2>/dev/null
frame 'look pve_storage'
(
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
if [ "$pmxcfs" != fuse ]; then
  for id in local truenas-bu pbs-pihanga; do printf '%s\tmounted\t%s\n' "$id" "${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs 5 'cd ./etc/pve || exit 3
set -- .members
[ ! -e storage.cfg ] || set -- "$@" storage.cfg
awk '\''FILENAME == ".members" { print "m\t" $0; next }
/^[ \t]+password([ \t]|$)/ { sub(/password.*/, "password -") }
{ print "c\t" $0 }'\'' "$@" || exit 4
printf '\''r\t%s\n'\'' "${2-absent}"
set --
for id in local truenas-bu pbs-pihanga; do
  file=priv/storage/$id
  [ ! -e "$file.enc" ] || printf '\''e\t%s\n'\'' "$id"
  [ ! -e "$file.pw" ] || { printf '\''p\t%s\n'\'' "$id"; set -- "$@" "$file.pw"; }
done
[ $# -eq 0 ] || sha256sum -- "$@"
exit 0') || rc=$?
  plugins=
  set +f
  for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || plugins=yes; done
  set -f
  case $rc in
    0) { printf '%s\n' local truenas-bu pbs-pihanga "$plugins."; printf '%s\n' "$seen"; } | awk 'function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, part, count, i) {
  gsub(/[ \t\r,;]+/, " ", text)
  sub(/^ /, "", text)
  sub(/ $/, "", text)
  key = text
  sub(/ .*/, "", key)
  if (key == text) return key " 1"
  count = split(substr(text, length(key) + 2), part, " ")
  sorted(part, count)
  text = key
  for (i = 1; i <= count; i++) text = text " " part[i]
  return text
}
!begun && $0 ~ /^(yes)?\.$/ { begun = 1; plugins = $0 == "yes."; next }
!begun { id[++n] = $0; next }
/^m\t/ { members = members substr($0, 3); next }
/^c\t/ { line[++m] = substr($0, 3); next }
/^r\t/ { read = substr($0, 3); next }
/^e\t/ { key[substr($0, 3)] = 1; next }
/^p\t/ { pw[substr($0, 3)] = "unreadable"; next }
length($0) > 67 { name = substr($0, 67); sub(/^priv\/storage\//, "", name); sub(/\.pw$/, "", name); pw[name] = substr($0, 1, 64) }
END {
  gsub(/[ \t]/, "", members)
  # Right after a change the kernel cuts it at its former length.
  if (members ~ /^\{"nodename".*\}$/) {
    if (members ~ /"quorate":0/) quorate = "no"
    else if (members ~ /"quorate":1/ || members !~ /"cluster"/) quorate = "yes"
  }
  for (k = 1; k <= n; k++) {
    print id[k] "\tread\t" read
    if (quorate != "") print id[k] "\tquorate\t" quorate
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    if (plugins) print id[k] "\tplugins\tyes"
    if (id[k] in key) print id[k] "\tkey\tyes"
    print id[k] "\tpw\t" (id[k] in pw ? pw[id[k]] : "none")
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t\r]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "") {
        inside = "-"
        if (line[i] !~ /^[^ \t]+:[ \t]*[^ \t]+[ \t\r]*$/) { inside = ""; continue }
        head = line[i]
        sub(/[ \t\r]+$/, "", head)
        type = head
        sub(/:[^:]*$/, "", type)
        sub(/^.*:[ \t]*/, "", head)
        inside = head
        if (head == id[k]) mine[++count] = "type " tolower(type)
      } else if (inside == id[k]) mine[++count] = plain(line[i])
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}' ;;
    124) for id in local truenas-bu pbs-pihanga; do printf '%s\tunknown\tno answer in 5 s: /etc/pve hangs\n' "$id"; done ;;
    *) for id in local truenas-bu pbs-pihanga; do printf '%s\tunknown\t/etc/pve could not be read\n' "$id"; done ;;
  esac
fi
) 2>/dev/null
frame 'look pve_backup_job'
(
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
[ ! -e jobs.cfg ] || cat jobs.cfg') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in pve2-truenas-bu-busy-media pve2-local-busy-media pve2-pbs-pihanga-database; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || { printf '%s
' pve2-truenas-bu-busy-media pve2-local-busy-media pve2-pbs-pihanga-database .; printf '%s
' "$seen"; } | awk '!raw && $0 == "." { raw = 1; next }
!raw { id[++n] = $0; next }
{ line[++m] = $0 }
function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, value, part, count, i) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  key = text
  sub(/[ \t].*/, "", key)
  value = substr(text, length(key) + 1)
  if (key == "comment") {
    gsub(/%[0-9A-Fa-f][0-9A-Fa-f]/, "", value)
    gsub(/[^A-Za-z0-9]/, "", value)
  }
  if (key == "fleecing") gsub(/enabled=/, "", value)
  gsub(/[,;\t]/, " ", value)
  count = split(value, part, " ")
  sorted(part, count)
  value = key
  for (i = 1; i <= count; i++) value = value " " part[i]
  return value
}
END {
  for (k = 1; k <= n; k++) {
    for (i = 1; i <= m; i++) print id[k] "\tfile\t" line[i]
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \t]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "" && line[i] ~ /^[^ \t]+:/) {
        head = line[i]
        sub(/^[^ \t]+:[ \t]*/, "", head)
        sub(/[ \t]+$/, "", head)
        inside = head
        if (inside == id[k]) mine[++count] = "job " line[i]
        continue
      }
      if (inside != id[k] || inside == "") continue
      text = plain(line[i])
      if (text != "enabled 1") mine[++count] = text
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\town\t" mine[i]
  }
}'
) 2>/dev/null
frame 'look pve_guest_option'
(
pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=${rest##* - }; pmxcfs=${pmxcfs%% *}; }
done </proc/self/mountinfo
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs 5 'cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d '\'' \t\n'\'' <.members)
case $members in
  '\''{"nodename"'\''*'\''"quorate":0'\''*'\''}'\'') quorum=no ;;
  '\''{"nodename"'\''*'\''"quorate":1'\''*'\''}'\'') quorum=yes ;;
  *'\''"cluster"'\''*) quorum=unread ;;
  '\''{"nodename"'\''*'\''}'\'') quorum=yes ;;
  *) quorum=unread ;;
esac
echo "$quorum"
node=$(uname -n)
node=${node%%.*}
for vmid in 111 1031; do
  printf '\''%s	looked	1
'\'' "$vmid"
  for conf in nodes/*/qemu-server/"$vmid".conf nodes/*/lxc/"$vmid".conf; do
    [ -e "$conf" ] || continue
    printf '\''%s	conf	%s
'\'' "$vmid" "$conf"
    case $conf in nodes/"$node"/*) ;; *) printf '\''%s	elsewhere	1
'\'' "$vmid" ;; esac
    awk -v vmid="$vmid" '\''BEGIN { part = "now" }
/^\[/ { part = tolower($0) ~ /^\[(pve:)?pending\][ \t\r]*$/ ? "next" : ""; next }
part != "" && /^(lock|agent|hookscript|delete|mp[0-9]+|scsi[0-9]+|virtio[0-9]+|sata[0-9]+|ide[0-9]+|efidisk0):/ {
  print vmid "\t" part "\t" $0
}'\'' "$conf" || exit 4
  done
done') || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost='/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it' ;;
  124) lost='no answer in 5 s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=${seen#"$quorum"}; seen=${seen#?} ;;
  *) quorum=yes; lost=${lost:-/etc/pve could not be read} ;;
esac
for identity in 111 1031; do
  [ -z "$lost" ] || printf '%s\tunknown\t%s\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\tquorum\t%s\n' "$identity" "$quorum"
done
[ -n "$lost" ] || printf '%s
' "$seen"
export ROOT
workers() { awk 'function number(hex,  i, n) {
  n = 0
  for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", toupper(substr(hex, i, 1))) - 1
  return n
}
function process(upid,  part, file, line, word) {
  if (ENVIRON["ROOT"] != "") return ""
  split(upid, part, ":")
  file = "/proc/" number(part[3]) "/stat"
  line = ""
  getline line < file
  close(file)
  if (line == "") return ""
  sub(/^.*\) /, "", line)
  split(line, word, " ")
  return word[20] == number(part[4]) ? word[1] : ""
}
{
  n = split($1, upid, ":")
  if (n < 8 || upid[6] != "vzdump" || process($1) == "") next
  print upid[7] == "" ? "-" : upid[7]
}' ./var/log/pve/tasks/active 2>/dev/null; }
for vmid in 111 1031; do
  case $seen in *"
$vmid	now	lock: backup"*) for id in $(workers); do printf '%s	worker	%s
' "$vmid" "$id"; done ;; esac
done
) 2>/dev/null
} 9>&-
rm -rf -- "$STAGE"
rm -f -- "$RUNDIR/why" "$STATE/holder"
: >"$RUNDIR/ended"
frame ended
exit 0
}
