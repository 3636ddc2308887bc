import type { Where } from './errors.ts';
import type { Resource } from './resource.ts';

/** A guarded step: guard must hold before, verify must hold after. Both are observations that never change anything. */
export interface ProcedureStep {
  readonly about: string;
  readonly guard: readonly Resource[];
  /** argv, run without a shell. */
  readonly run: readonly string[];
  readonly verify: readonly Resource[];
  /** Seconds. */
  readonly limit: number;
  readonly from: Where;
}

export interface Procedure {
  /** `vzdump-hook/recover-wal` */
  readonly id: string;
  readonly about: string;
  readonly role: string;
  readonly steps: readonly ProcedureStep[];
  readonly from: Where;
}
