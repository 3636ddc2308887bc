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
  /** Seconds that it may take by limits of its own; a host that takes longer counts as not asked. */
  readonly limit: number;
}

/** What one host said, by identity. */
export type Said = ReadonlyMap<string, Facts>;

/** Answers by host. A host that could not be asked has its reason in place of answers. */
export type Answers = ReadonlyMap<string, Said | { readonly unknown: string }>;

/** Why something does not hold, or must not be done. */
export interface Reason {
  readonly why: string;
  /** It could not be looked at: that is never "fine", and never "broken". */
  readonly unknown?: true;
  /** Waiting longer will not make it hold. */
  readonly final?: true;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** One step on one host: a detached run of its own there. Before it and after it the questions are asked again. */
export interface ComputedStep {
  readonly host: string;
  readonly about: string;
  readonly run: Sh;
  /** Seconds that `run` may take. */
  readonly limit: number;
  /** What its guard and verification are told; without it: the questions of the procedure. */
  readonly questions?: readonly Question[];
  /** Why it must not be done, as things are now; null: it may. */
  guard(now: Answers): Reason | null;
  /** Why it is not done yet; null: it is. When it holds beforehand, nothing is run. */
  verify(now: Answers): Reason | null;
  /** Seconds within which `verify` must hold after `run`; asked again until then. */
  readonly within: number;
  /** When it does not come to hold, the step after it goes further: TERM before KILL. */
  readonly mayFail?: true;
}

/** What is the case, and what would mend it. */
export interface ComputedPlan {
  /** What was found, one line each, in the order a person would want to read it. */
  readonly found: readonly string[];
  readonly steps: readonly ComputedStep[];
  /** Why nothing may be done; then there are no steps. */
  readonly refused?: Reason;
}

/** Values of parameters, typed and judged by their schemas. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * A procedure that must compute: one file in src/procedures each. All but the questions and steps it returns is pure; the engine asks,
 * shows the plan, asks for agreement, and goes through the steps.
 */
export interface ComputedProcedure<Site = unknown> {
  /** `vzdump/unstick` */
  readonly id: string;
  readonly about: string;
  /** For its page: what it proves before it does anything, what it never does, how to undo it. Markdown paragraphs. */
  readonly notes?: string;
  /** Properties by name, as in a role: without `default` a value must be given. */
  readonly parameters: Readonly<Record<string, Schema>>;
  /** Names of those that may be given without --set, in their order. */
  readonly positional?: readonly string[];
  /** It reads what roles make of the hosts: all of them are expanded first. */
  readonly expands?: true;
  /** Names of the hosts it can start from with these parameters; with none given, of all it could ever start from. */
  hosts(site: Site, parameters: Parameters): readonly string[];
  /** What must be known before a plan can be made. `host` is the one that it starts from. */
  questions(site: Site, host: string, parameters: Parameters): readonly Question[];
  plan(site: Site, host: string, parameters: Parameters, answers: Answers): ComputedPlan;
}
