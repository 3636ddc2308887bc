import type { Where } from './errors.ts';
import type { Symptom } from './finding.ts';
import type { Resource } from './resource.ts';

/** "Could not look" is never "fine": unknown makes the exit code non-zero. */
export type Outcome = 'pass' | 'fail' | 'unknown';

/** A fact to prove: any resource, observed and never changed. */
export interface Check {
  /** `vzdump-hook/hook-runs` */
  readonly id: string;
  readonly about: string;
  readonly role: string;
  readonly resource: Resource;
  readonly from: Where;
}

/** One flat record per check: all report formats are pure functions of a list of these. */
export interface CheckResult {
  readonly host: string;
  /** `vzdump-hook/hook-runs` */
  readonly id: string;
  readonly about: string;
  readonly outcome: Outcome;
  /** What was expected and what was found, one line per property that differs. */
  readonly message: string;
  readonly from: Where;
  /** What it shows of troubles whose cause may lie elsewhere. */
  readonly symptoms?: readonly Symptom[];
}
