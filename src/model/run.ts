import type { Check, CheckResult } from './check.ts';
import type { ErrorCode, Where } from './errors.ts';
import type { Symptom } from './finding.ts';
import type { Host } from './host.ts';
import type { Cause } from './plan.ts';
import type { Procedure } from './procedure.ts';
import type { Resource } from './resource.ts';
import type { Value } from './state.ts';

/** All that the repository asks of one host, expanded and validated, before any connection. */
export interface HostWork {
  readonly host: Host;
  /** As the roles say them; `plan` puts them in an order that works. */
  readonly resources: readonly Resource[];
  readonly checks: readonly Check[];
  readonly procedures: readonly Procedure[];
  /** What the rules of the site found worth knowing; told with the result of the host. */
  readonly notices?: readonly string[];
}

/** What became of one change. `planned`: shown by diff, nothing was tried. */
export type ChangeOutcome = 'planned' | 'done' | 'failed' | 'skipped' | 'refused' | 'changed-since-plan';

/** One change, ready to be shown: values of secret resources are already replaced. */
export interface ShownChange {
  readonly id: string;
  readonly role: string;
  readonly from: Where;
  readonly cause: Cause;
  readonly action: 'create' | 'change' | 'remove';
  readonly properties: readonly { readonly name: string; readonly have: Value; readonly want: Value }[];
  /** Unified diff of the content, control characters made visible; absent for binary, huge and secret content. */
  readonly text?: string | undefined;
  /** What will be or was done, one line per step. */
  readonly steps: readonly string[];
  readonly outcome: ChangeOutcome;
  /** Why it is refused, failed or was skipped; the output of a failing step or validator. */
  readonly message?: string | undefined;
}

export interface ShownUnknown {
  readonly id: string;
  readonly from: Where;
  readonly reason: string;
}

/** One step of a procedure. */
export interface ShownStep {
  readonly about: string;
  readonly command: string;
  readonly outcome: 'planned' | 'done' | 'already' | 'failed' | 'skipped' | 'unknown';
  readonly message?: string | undefined;
  /** Its place among all steps of a procedure that works on several hosts, from 1. */
  readonly number?: number | undefined;
}

export interface ShownError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly where?: Where | undefined;
  /** Something on the host had begun to change, or may have. */
  readonly begun?: boolean | undefined;
}

/** What one command did on one host. Everything that is printed, in any format, comes from a list of these. */
export interface HostRun {
  readonly host: string;
  /** Seconds from first contact to result. */
  readonly seconds: number;
  /** Resources looked at. */
  readonly total: number;
  readonly changes: readonly ShownChange[];
  readonly unknown: readonly ShownUnknown[];
  readonly checks: readonly CheckResult[];
  readonly steps: readonly ShownStep[];
  /** What a procedure found before it made its steps, one line each. */
  readonly found?: readonly string[];
  /** Ids the record knows and the repository no longer mentions: listed, never removed. */
  readonly orphans: readonly string[];
  /** Things worth knowing that are no error: "the host's clock is 3 h ahead", "run X finished without you". */
  readonly notices: readonly string[];
  /** What its resources show of troubles whose cause may lie elsewhere; those of checks are with the checks. */
  readonly symptoms?: readonly Symptom[];
  readonly error?: ShownError | undefined;
}

export type Command = 'diff' | 'apply' | 'check' | 'run';
