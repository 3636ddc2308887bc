{ exec </dev/null
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/syno/sbin:/usr/syno/bin
unset CDPATH ENV IFS BAD CHANGE PUTS TRUSTED SCRATCH RUN RUNDIR STAGE
umask 077
NONCE=00112233445566778899aabbccddeeff
ROOT=''
frame() { printf '\n%s %s\n' "$NONCE" "$1"; }
cd / || { frame 'no-root'; exit 1; }
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
frame facts
fact() { printf '%s\t%s\n' "$1" "$2"; }
one() { value=; { read -r value <"$2"; } 2>/dev/null; fact "$1" "$value"; }
one machine-id ./etc/machine-id
fact uid "$(id -u)"
fact clock "$(date +%s)"
[ ! -e ./usr/bin/pveversion ] || fact platform pve
[ ! -e ./usr/sbin/proxmox-backup-manager ] || fact platform pbs
[ ! -e ./etc.defaults/VERSION ] || fact platform synology
[ ! -e ./usr/bin/midclt ] || fact platform truenas
for tool in base64 dpkg-query flock mktemp pct pvesh pvesm qm setsid sha256sum stat systemctl tar timeout; do
  if command -v "$tool" >/dev/null 2>&1; then fact tool "$tool"; fi
done
frame mounts
cat /proc/self/mountinfo 2>/dev/null
frame space
df -P -k . ./var/lib ./run ./var/lib/provision 2>/dev/null
frame record
cat ./var/lib/provision/record 2>/dev/null
frame runs
newest=
{ read -r newest <./var/lib/provision/last; } 2>/dev/null
printf 'newest\t%s\n' "$newest"
if read -r run pid started holder <./var/lib/provision/holder && read -r stat </proc/"$pid"/stat; then
  set -- ${stat##*) }
  [ "${20}" != "$started" ] || printf 'running\t%s\t%s\n' "$run" "$holder"
elif [ -n "$newest" ]; then
  if [ -e "./var/lib/provision/runs/$newest/seen" ]; then :
  elif [ -e "./var/lib/provision/runs/$newest/ended" ]; then printf 'unseen\t%s\n' "$newest"
  else printf 'interrupted\t%s\n' "$newest"
  fi
fi 2>/dev/null
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
frame end
exit 0
}
