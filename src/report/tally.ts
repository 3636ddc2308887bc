import type { Outcome } from '../model/check.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { Cause } from '../model/plan.ts';
import type { ChangeOutcome, HostRun, ShownStep } from '../model/run.ts';

/** The counts of one host or of several. */
export interface Tally {
  readonly hosts: number;
  readonly resources: number;
  readonly changes: Readonly<Record<ChangeOutcome, number>>;
  readonly causes: Readonly<Record<Cause, number>>;
  readonly unknown: number;
  readonly checks: Readonly<Record<Outcome, number>>;
  readonly steps: Readonly<Record<ShownStep['outcome'], number>>;
  /** Hosts that ended in an error, by its code. */
  readonly errors: Readonly<Partial<Record<ErrorCode, number>>>;
}

/** Counts everything in these runs. */
export function tally(runs: readonly HostRun[]): Tally {
  const changes = { planned: 0, done: 0, failed: 0, skipped: 0, refused: 0, 'changed-since-plan': 0 };
  const causes = { drift: 0, pending: 0, conflict: 0, new: 0 };
  const checks = { pass: 0, fail: 0, unknown: 0 };
  const steps = { planned: 0, done: 0, already: 0, failed: 0, skipped: 0, unknown: 0 };
  const errors: Partial<Record<ErrorCode, number>> = {};
  let resources = 0;
  let unknown = 0;
  for (const run of runs) {
    resources += run.total;
    unknown += run.unknown.length;
    for (const change of run.changes) {
      changes[change.outcome] += 1;
      causes[change.cause] += 1;
    }
    for (const check of run.checks) checks[check.outcome] += 1;
    for (const step of run.steps) steps[step.outcome] += 1;
    if (run.error) errors[run.error.code] = (errors[run.error.code] ?? 0) + 1;
  }
  return { hosts: runs.length, resources, changes, causes, unknown, checks, steps, errors };
}

/** All resources that differ or differed, whatever became of them. */
export function differing(counts: Tally): number {
  return Object.values(counts.changes).reduce((sum, count) => sum + count, 0);
}

/** 0: nothing to look at; higher is worse. For "failures first". */
export function severity(run: HostRun): number {
  const { changes, checks, steps, unknown } = tally([run]);
  if (run.error) return 5;
  if (changes.failed || changes['changed-since-plan'] || checks.fail || steps.failed) return 4;
  if (changes.refused) return 3;
  if (unknown || checks.unknown || steps.unknown) return 2;
  return run.changes.length > 0 ? 1 : 0;
}
