import { type ErrorCode, exitCodes } from '../model/errors.ts';
import type { Command, HostRun } from '../model/run.ts';

/** Worst first: when several things happened on several hosts, the exit code is that of the first of these. */
const worstFirst: readonly ErrorCode[] = [
  'input',
  'failed',
  'changed',
  'refused',
  'unreachable',
  'locked',
  'unknown',
];

/** The exit code of a command over all its hosts; the table is in docs/cli.md. */
export function exitCode(command: Command, runs: readonly HostRun[]): number {
  const found = new Set(runs.flatMap((run) => codes(command, run)));
  const worst = worstFirst.find((code) => found.has(code));
  if (worst !== undefined) return exitCodes[worst];
  const differs = runs.some((run) => run.changes.some(({ outcome }) => outcome === 'planned'));
  return differs ? exitCodes.differences : exitCodes.ok;
}

function codes(command: Command, run: HostRun): ErrorCode[] {
  const found: ErrorCode[] = run.error ? [run.error.code] : [];
  if (run.unknown.length > 0 || run.checks.some(({ outcome }) => outcome === 'unknown'))
    found.push('unknown');
  if (run.checks.some(({ outcome }) => outcome === 'fail')) found.push('failed');
  for (const { outcome } of run.changes) {
    // A skipped change tells nothing new: the one it waited for has a code of its own.
    if (outcome === 'failed') found.push('failed');
    if (outcome === 'changed-since-plan') found.push('changed');
    if (outcome === 'refused') found.push('refused');
  }
  for (const { outcome } of command === 'run' ? run.steps : []) {
    if (outcome === 'failed') found.push('failed');
    if (outcome === 'unknown') found.push('unknown');
  }
  return found;
}
