import type { Where } from './errors.ts';
import type { Facts, Resource, Schema } from './resource.ts';
import type { Sh } from './sh.ts';

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

/** A procedure that a role writes down. */
export interface Procedure {
  /** `vzdump-hook/recover-wal` */
  readonly id: string;
  readonly about: string;
  readonly role: string;
  readonly steps: readonly ProcedureStep[];
  readonly from: Where;
}

/** What a computed procedure asks one host: shell in the manner of `observe`, printing lines `identity TAB name TAB value`. */
export interface Question {
  readonly host: string;
  readonly look: Sh;
  /** Seconds; what takes longer is "could not look". */
  readonly limit: number;
}

/** Answers by host, then by identity. A host that could not be asked has its reason in place of answers. */
export type Answers = ReadonlyMap<string, ReadonlyMap<string, Facts> | { readonly unknown: string }>;

/** One step on one host. Before it and after it the questions are asked again. */
export interface ComputedStep {
  readonly host: string;
  readonly about: string;
  readonly run: Sh;
  /** Seconds that `run` may take. */
  readonly limit: number;
  /** Why it must not be done, as things are now; null: it may. "Could not look" is a reason. */
  guard(now: Answers): string | null;
  /** Why it is not done yet; null: it is. When it holds beforehand, nothing is run. */
  verify(now: Answers): string | null;
  /** Seconds within which `verify` must hold after `run`; asked again until then. */
  readonly within: number;
  /** When it does not come to hold, the steps after it decide what to do: TERM before KILL. */
  readonly mayFail?: true;
}

/** What is the case, and what would mend it. */
export interface ComputedPlan {
  /** What was found, one line each, in the order a person would want to read it. */
  readonly found: readonly string[];
  readonly steps: readonly ComputedStep[];
  /** Why nothing may be done; then there are no steps. */
  readonly refused?: string;
}

/**
 * A procedure that must compute: one file in src/procedures each. All but the questions and steps it returns is pure; the engine asks,
 * shows the plan, asks for agreement, and goes through the steps.
 */
export interface ComputedProcedure<Site = unknown> {
  /** `vzdump/unstick` */
  readonly id: string;
  readonly about: string;
  /** Properties by name, as in a role; `positional` names those that may be given without --set, in their order. */
  readonly parameters: Readonly<Record<string, Schema>>;
  readonly positional?: readonly string[];
  /** Names of the hosts it can start from: those it offers for --host. */
  hosts(site: Site): readonly string[];
  /** What must be known before a plan can be made. `host` is the one that it starts from. */
  questions(site: Site, host: string, parameters: Readonly<Record<string, unknown>>): readonly Question[];
  plan(
    site: Site,
    host: string,
    parameters: Readonly<Record<string, unknown>>,
    answers: Answers,
  ): ComputedPlan;
}
