/**
 * Functions for the steps of resource types, in POSIX sh:
 * `put STAGED PATH MODE OWNER:GROUP` replaces a file in one step; the old one is kept in the run's directory.
 * `take_away PATH` removes a file or link, keeping a copy. `old_of PATH` sets `old` to where its bytes can be read. `say TEXT`
 * explains a failure.
 * All refuse a directory that others may write to, unless the file is to belong to the directory's owner: then the work is
 * done as that user, who can so only harm himself. (As root, a name in such a directory could be a planted link.)
 * In a tree all refuse a directory that a link puts outside of it: that would be the system that holds the tree.
 */
export const applyPrelude = `: "\${BAD= }" "\${CHANGE=0}" "\${PUTS=0}"
[ -n "\${TRUSTED:-}" ] || TRUSTED='
'
export NONCE ROOT RUN RUNDIR STAGE CHANGE TRUSTED
say() { printf '%s\\n' "$*"; }
above() {
  case $1 in
    ./) above= ;;
    ./*/*) above=\${1%/*} ;;
    *) above=./ ;;
  esac
}
# uid gid mode: nobody but root can change names in it (group 50 is Debian's staff, 0 is root's own)
safe_bits() {
  [ "$1" = 0 ] || return 1
  case $3 in
    1???) return 0 ;;
    *[2367]) return 1 ;;
    *[2367]?) [ "$2" = 0 ] || [ "$2" = 50 ] ;;
  esac
}
# Directories in path order; each is trusted when it is safe and the one above is trusted. Those on network mounts are asked in
# their turn only: one that hangs would keep the change from being made that is to replace it.
look_at_parents() {
  for p do
    shift
    remote_path "$p" || set -- "$@" "$p"
  done
  [ $# -gt 0 ] || return 0
  while IFS='|' read -r uid gid bits directory; do
    safe_bits "$uid" "$gid" "$bits" || continue
    above "$directory"
    [ -z "$above" ] || known_safe "$above" || continue
    TRUSTED="$TRUSTED$directory
"
  done <<LIST
$(stat -L -c '%u|%g|%a|%n' -- "$@" 2>/dev/null)
LIST
}
known_safe() {
  case "$TRUSTED" in
    *"
$1
"*) return 0 ;;
  esac
  return 1
}
trusted() {
  known_safe "$1" && return 0
  above "$1"
  [ -z "$above" ] || (trusted "$above") || return 1
  safe_bits $(stat -L -c '%u %g %a' -- "$1" || echo none none none)
}
# In a tree: whether a directory really lies in it. An absolute link leads to the system that holds the tree.
inside() {
  [ -n "$ROOT" ] || return 0
  physical=$(cd -P -- "$1" && pwd -P) || return 1
  case $physical/ in "$ROOT"/*) return 0 ;; esac
  say "\${1#.} leads out of the tree; nothing was changed"
  return 1
}
# What was there before this run; once per path, however many lines of a file are changed. Fails when no copy could be made.
keep() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  if [ -f "$RUNDIR/kept/list" ]; then
    while IFS='	' read -r _ kept; do [ "$kept" != "\${1#.}" ] || return 0; done <"$RUNDIR/kept/list"
  fi
  above "$1"
  # A name that others can swap may have become a pipe, from which cp would read for ever.
  limit=
  trusted "$above" || limit='timeout -k 1 20'
  # Its callers stand in conditions, where set -e is off.
  if { [ -d "$RUNDIR/kept" ] || mkdir "$RUNDIR/kept"; } &&
    $limit cp -pP -- "$1" "$RUNDIR/kept/$CHANGE.$PUTS" &&
    printf '%s\\t%s\\n' "$CHANGE.$PUTS" "\${1#.}" >>"$RUNDIR/kept/list"; then return 0; fi
  rm -f -- "$RUNDIR/kept/$CHANGE.$PUTS"
  say "no copy of \${1#.} could be kept; it was left as it is"
  return 1
}
put() {
  PUTS=$((PUTS + 1))
  above "$2"
  parent=$above
  [ -d "$parent" ] || { say "the directory \${parent#.} does not exist"; return 1; }
  inside "$parent" || return 1
  if [ -d "$2" ] && [ ! -L "$2" ]; then say "\${2#.} is a directory; it is never removed to make room"; return 1; fi
  temp=\${2%/*}/.provision.$RUN.$CHANGE.$PUTS
  eval "ready=\\\${AHEAD_$CHANGE-}"
  if [ "$ready" = "$temp" ] && [ -f "$temp" ]; then
    keep "$2" && mv -T -- "$temp" "$2" && return 0
    rm -f -- "$temp"
    return 1
  fi
  printf '%s\\n' "$temp" >>"$RUNDIR/temps"
  if ! trusted "$parent"; then
    put_as_owner "$1" "$2" "$3" "$4" "$temp"
    return
  fi
  if fill "$1" "$3" "$4" && sync "$temp" && keep "$2" && mv -T -- "$temp" "$2"; then return 0; fi
  rm -f -- "$temp"
  return 1
}
# Writes what \`put\` with the same words will put in place, as change $CHANGE, before its turn. What cannot be prepared is left to put.
ahead() {
  above "$2"
  parent=$above
  [ -d "$parent" ] && inside "$parent" >/dev/null && trusted "$parent" || return 0
  temp=\${2%/*}/.provision.$RUN.$CHANGE.1
  printf '%s\\n' "$temp" >>"$RUNDIR/temps"
  if fill "$1" "$3" "$4" 2>/dev/null; then UNFLUSHED="\${UNFLUSHED-} $CHANGE"; eval "AHEAD_$CHANGE=\\$temp"
  else rm -f -- "$temp"
  fi
}
# One wait for the disk for all that was prepared. When that fails, nothing counts as prepared.
flush_ahead() {
  set --
  for change in \${UNFLUSHED-}; do eval "set -- \\"\\$@\\" \\"\\$AHEAD_$change\\""; done
  UNFLUSHED=
  [ $# -eq 0 ] || sync -- "$@" || rm -f -- "$@"
}
drop_ahead() {
  eval "ready=\\\${AHEAD_$1-}"
  [ -z "$ready" ] || rm -f -- "$ready"
}
# The content, with its owner and mode before anyone can see it, and never through a name that is there already: in a directory
# like /tmp that could be a planted link. The common modes come with the creation of the file: one process less for each of many
# files. Where an ACL of the directory says otherwise, reading again shows it.
fill() {
  set_mode=
  case "$2 $3" in
    '0644 root:root' | '644 root:root') umask 133 ;;
    '0640 root:root' | '640 root:root') umask 137 ;;
    '0600 root:root' | '600 root:root') ;;
    *) set_mode=$2 ;;
  esac
  set -C
  pour "$1" && poured=yes || poured=
  set +C
  umask 077
  [ -n "$poured" ] && give "$3" "$temp" || return 1
  [ -z "$set_mode" ] || chmod "$set_mode" "$temp"
}
# A short text is in the program as TEXT_HASH too: writing it costs no process.
pour() {
  text=
  case \${1##*/} in
    *[!0-9a-f]*) ;;
    *) eval "text=\\\${TEXT_\${1##*/}-}" ;;
  esac
  if [ -n "$text" ]; then printf '%s' "$text" >"$temp"
  else cat -- "$1" >"$temp"
  fi
}
# A new file of root in a directory without setgid belongs to root:root already.
give() {
  if [ "$1" = root:root ] && [ ! -g "$parent" ]; then return 0; fi
  chown "$1" "$2"
}
put_as_owner() {
  user=\${4%%:*}
  if [ "$user" = root ] || [ "$(stat -c '%U' -- "$parent")" != "$user" ]; then
    say "others than root can write to \${parent#.}: a file there could be redirected; nothing was written"
    return 1
  fi
  keep "$2" || return 1
  timeout -k 5 30 su -s /bin/sh "$user" -c 'umask 077; set -C; cat >"$1" && chmod "$3" "$1" && sync "$1" && mv -T -- "$1" "$2" || { rm -f -- "$1"; exit 1; }' sh "$5" "$2" "$3" <"$1"
}
take_away() {
  PUTS=$((PUTS + 1))
  [ -e "$1" ] || [ -L "$1" ] || return 0
  if [ -d "$1" ] && [ ! -L "$1" ]; then say "\${1#.} is a directory; it is not removed"; return 1; fi
  above "$1"
  parent=$above
  inside "$parent" || return 1
  if [ -n "$ROOT" ] || trusted "$parent"; then
    keep "$1" && rm -f -- "$1"
    return
  fi
  owner_of "$parent" || return 1
  keep "$1" || return 1
  timeout -k 5 30 su -s /bin/sh "$user" -c 'rm -f -- "$1"' sh "$1"
}
# Sets old to a path from which root may read what is in a file: a copy where others can swap the name, made as the owner of
# the directory. Else he could put a link there, and be given what only root may read.
old_of() {
  old=$1
  above "$1"
  parent=$above
  if [ -n "$ROOT" ] || trusted "$parent"; then return 0; fi
  owner_of "$parent" || return 1
  old=$STAGE/old.$CHANGE
  timeout -k 5 30 su -s /bin/sh "$user" -c 'cat -- "$1"' sh "$1" >"$old"
}
owner_of() {
  user=$(stat -L -c '%U' -- "$1") && [ "$user" != root ] && return 0
  say "others than root can write to \${1#.}: a name there could be redirected; nothing was changed"
  return 1
}`;

/**
 * `attempt INDEX NEEDS GUARDED EXPECTED RECORD` makes one change: skipped when one it needs did not succeed, stopped when
 * looking at it again prints something else than the plan was made from. `guard_INDEX` and `steps_INDEX` are defined before.
 * `look_before INDEX EXPECTED` looks at one before the first change, because a change before it may alter what is seen.
 */
export const attemptFunction = `MOVED=' '
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
  [ -z "$5" ] || printf '%s\\n' "$5" >>"$RUNDIR/record.done"
  frame "change $1 done"
}`;
