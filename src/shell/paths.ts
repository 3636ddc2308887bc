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
