import { sh } from '../shell/sh.ts';

/**
 * `spoken KEY SECONDS SHELL_TEXT`: as `ask`, with what a program complains of in place of its output when it fails; complaints of one
 * that succeeds are dropped, for they would spoil its JSON.
 */
export const spokenFunction = sh`spoken() {
  ask "$1" "$2" "out=\\$({ $3
} 2>\\"\\$1\\") && printf '%s\\\\n' \\"\\$out\\" || { rc=\\$?; cat \\"\\$1\\"; exit \\"\\$rc\\"; }" "$SCRATCH/said"
}`;
