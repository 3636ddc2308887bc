import type { Sh } from '../model/sh.ts';
import { atAll, sh } from './sh.ts';

/** Seconds that a path on a network or FUSE mount has to answer. */
export const pathLimit = 5;

/**
 * Runs `body` over paths of the host as "$@". Local paths go in one call; a path at or below a network or FUSE mount is
 * looked at alone under a time limit, because touching a dead mount blocks for ever and must not take the others with it.
 * `body` is plain POSIX sh, sees its paths with a leading dot (./etc/x), and prints `path TAB name TAB value` lines.
 */
export function eachPath(paths: readonly string[], body: string): Sh {
  return sh`each_path ${body} ${atAll(paths)}`;
}

/**
 * Functions for the bodies, defined once per script:
 * `why_missing PATH...` prints for those that are not there `path absent 1` (and `path no-directory 1` when there is nothing they
 * could be put into) or `path unknown REASON`. "Not there" is not "could not look" (I/O error, stale handle), so the reason is
 * asked for: of one path with a redirection, which costs no program (a guard asks about one), of several in one call of stat,
 * whose answers are matched by order, because coreutils and busybox quote names there in ways of their own.
 * `stat_paths PATH...` prints for every path `path stat TYPE|MODE|OWNER|GROUP|UID|GID`, or what `why_missing` says. In a tree, names
 * come from the tree's own passwd and group. No size: that of a directory changes with every file made in it, and a guard
 * compares this text.
 * `hash_paths PATH...` prints `path sha256 HEX` for the regular files among them. Never opens a pipe or device.
 */
export const pathFunctions = String.raw`why_missing() {
  for p do
    shift
    [ -e "$p" ] || [ -L "$p" ] || set -- "$@" "$p"
  done
  case $# in
    0) ;;
    1)
      if [ -O "${'${1%/*}'}" ] && [ -n "${'${RUNDIR-}'}" ]; then
        said=
        { true <"$1"; } 2>"$RUNDIR/why"
        IFS= read -r said <"$RUNDIR/why"
        missing "$1" "$said"
      elif [ -O "${'${1%/*}'}" ]; then missing "$1" "$( { true <"$1"; } 2>&1)"
      else missing "$1" "$(stat -c '' -- "$1" 2>&1 >/dev/null)"
      fi
      ;;
    *) stat -c '' -- "$@" 2>&1 >/dev/null | for p do
        IFS= read -r said || said=
        missing "$p" "$said"
      done ;;
  esac
}
missing() {
  case $2 in
    *': No such file'* | *': no such file'* | *': Not a directory' | *': not a directory')
      printf '%s\tabsent\t1\n' "${'${1#.}'}"
      [ -d "${'${1%/*}'}" ] || printf '%s\tno-directory\t1\n' "${'${1#.}'}"
      ;;
    '') printf '%s\tunknown\tit came and went while looking\n' "${'${1#.}'}" ;;
    *) printf '%s\tunknown\t%s\n' "${'${1#.}'}" "${'${2##*: }'}" ;;
  esac
}
stat_paths() {
  why_missing "$@"
  for p do
    shift
    if [ -e "$p" ] || [ -L "$p" ]; then set -- "$@" "$p"; fi
  done
  [ $# -eq 0 ] || stat -c '%n	stat	%F|%a|%U|%G|%u|%g' -- "$@" 2>/dev/null | if [ -z "${'${ROOT:-}'}" ]; then
    sed 's/^\.//'
  else
    awk -F'|' -v OFS='|' '
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
      }'
  fi
}
hash_paths() {
  for p do
    shift
    if [ -f "$p" ] && [ ! -L "$p" ]; then set -- "$@" "$p"; fi
  done
  # Where others can swap a name, it may have become a pipe by now.
  slow=
  for p do [ -O "${'${p%/*}'}" ] || slow='timeout -k 1 20'; done
  [ $# -eq 0 ] || $slow sha256sum -- "$@" 2>/dev/null | sed -e '/^\\/{s/^.//;s/\\\\/\\/g;}' -e 's/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'
}`;
