import type { Sh } from '../model/sh.ts';
import { atAll, sh } from './sh.ts';

/** Seconds that a path on a network or FUSE mount has to answer. */
export const pathLimit = 5;

/**
 * Runs `body` over paths of the target as "$@". Local paths go in one call; a path at or below a network or FUSE mount is
 * looked at alone under a time limit, because touching a dead mount blocks for ever and must not take the others with it.
 * `body` is plain POSIX sh, sees its paths with a leading dot (./etc/x), and prints `path TAB name TAB value` lines.
 */
export function eachPath(paths: readonly string[], body: string): Sh {
  return sh`each_path ${body} ${atAll(paths)}`;
}

/**
 * For use inside a `body`: prints for every path of "$@" either `path stat TYPE|MODE|OWNER|GROUP|SIZE|UID|GID`, or `path absent 1`,
 * or `path unknown REASON`. The text of stat's message tells "not there" from "could not look" (I/O error, stale handle).
 */
export const statPaths = String.raw`stat -c '%n	stat	%F|%a|%U|%G|%s|%u|%g' -- "$@" 2>&1 | sed \
  -e "s/^stat: [^ ]* [^ ]* '\.\(.*\)': No such file or directory$/\1	absent	1/" \
  -e "s/^stat: [^ ]* [^ ]* '\.\(.*\)': Not a directory$/\1	absent	1/" \
  -e "s/^stat: [^ ]* [^ ]* '\.\(.*\)': \(.*\)$/\1	unknown	\2/" -e 's/^\.//'`;

/** For use inside a `body`: prints `path sha256 HEX` for the regular files among "$@". Never opens a pipe or device. */
export const hashPaths = String.raw`for p do shift; if [ -f "$p" ] && [ ! -L "$p" ]; then set -- "$@" "$p"; fi; done
if [ $# -gt 0 ]; then sha256sum -- "$@" 2>/dev/null | sed -e '/^\\/{s/^.//;s/\\\\/\\/g;}' -e 's/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'; fi`;
