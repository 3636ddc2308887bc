import type { Resource } from './resource.ts';
import type { State } from './state.ts';

/**
 * Who moved: `drift` the host moved away from what was last applied, `pending` the repository moved on,
 * `conflict` both, `new` never applied here before.
 */
export type Cause = 'drift' | 'pending' | 'conflict' | 'new';

/** One resource that differs. */
export interface PlannedChange {
  readonly resource: Resource;
  readonly have: State | null;
  readonly want: State | null;
  /** The state the plan was made from, before changes of the same plan were taken into account. */
  readonly observed: State | null;
  readonly differs: readonly string[];
  readonly cause: Cause;
  /** Why this will not be done (a reason, or the id of a refused change it depends on). */
  readonly refused: string | null;
  /** Ids in the same plan that this one depends on; when one fails, this is skipped. */
  readonly dependsOn: readonly string[];
  /** Exactly what `observe` printed for it: the guard compares against this on the host. */
  readonly seen: string;
}

/** A resource that could not be looked at. */
export interface UnknownResource {
  readonly resource: Resource;
  readonly reason: string;
}

export interface Plan {
  readonly host: string;
  /** In the order they will be made. */
  readonly changes: readonly PlannedChange[];
  readonly unknown: readonly UnknownResource[];
  /** How many resources were looked at. */
  readonly total: number;
}
