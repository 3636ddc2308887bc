import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type {
  Answers,
  ComputedPlan,
  ComputedProcedure,
  ComputedStep,
  Parameters,
  Question,
  Reason,
} from '../model/procedure.ts';
import type { HostRun, ShownError, ShownStep } from '../model/run.ts';
import { type Contacts, contacts } from './contacts.ts';
import type { Engine } from './engine.ts';
import { type Executed, execute } from './execute.ts';
import { emptyRun, shownError } from './fleet.ts';

/** A procedure that computes, where it starts from, and how its hosts are reached. */
export interface ComputedWork<Site> {
  readonly procedure: ComputedProcedure<Site>;
  readonly site: Site;
  readonly host: string;
  readonly parameters: Parameters;
  /** How a host of the inventory is reached; contacted are those that it asks. */
  find(name: string): Promise<Host>;
}

export interface ComputedOptions {
  /** Ask and show the steps, run nothing. */
  readonly dryRun: boolean;
  /** Shows the plan and asks; null: agreed beforehand (--yes). */
  readonly approve: ((runs: readonly HostRun[]) => Promise<boolean>) | null;
  /** Lets some milliseconds pass. */
  pause(milliseconds: number): Promise<void>;
}

/** Milliseconds between two looks at whether a step has done its work: short at first, for most are quick. */
const firstPause = 500;
const longestPause = 10_000;

/**
 * Asks, plans, shows, and goes through the steps. Before each step its questions are asked again: what is proven is not done again, a
 * guard that does not hold stops everything after it, and a step counts as done only when its verification has come to hold.
 * Answers with a run for each host that has a step, the one it starts from first.
 */
export async function runComputed<Site>(
  work: ComputedWork<Site>,
  engine: Engine,
  options: ComputedOptions,
): Promise<HostRun[]> {
  const { procedure, site, host, parameters } = work;
  const began = engine.now();
  const reached = contacts(work.find, engine);
  const finish = (runs: readonly HostRun[]): HostRun[] =>
    runs.map((run) => ({ ...run, seconds: (engine.now() - began) / 1000 }));
  try {
    engine.progress(host, 'asking');
    const questions = procedure.questions(site, host, parameters);
    const first = await reached.ask(questions, [host]);
    const lost = first.errors.get(host);
    if (lost !== undefined) return finish([{ ...emptyRun(host), error: shownError(lost) }]);
    const plan = procedure.plan(site, host, parameters, first.answers);
    const errors = new Map([...first.errors].map(([name, error]) => [name, shownError(error)]));
    if (plan.refused) return finish(told(host, plan, [], errors));
    const ahead = foreseen(plan.steps, first.answers);
    if (options.dryRun) return finish(told(host, plan, ahead, errors));
    engine.progress(host, '');
    if (options.approve && !(await options.approve(told(host, plan, ahead, errors))))
      return finish(told(host, plan, ahead, errors));
    const steps: ShownStep[] = [];
    let stop = false;
    for (const [index, step] of plan.steps.entries()) {
      engine.progress(step.host, `step ${index + 1} of ${plan.steps.length}: ${step.about}`);
      const one: Done = stop
        ? { step: shown(step, 'skipped', 'a step before it did not succeed') }
        : await oneStep(step, step.questions ?? questions, reached, engine, options);
      engine.progress(step.host, '');
      steps.push(one.step);
      if (one.error) errors.set(step.host, one.error);
      stop ||= one.error !== undefined || ['failed', 'unknown'].includes(one.step.outcome);
    }
    return finish(told(host, plan, steps, errors));
  } finally {
    engine.progress(host, '');
    await reached.close();
  }
}

interface Done {
  readonly step: ShownStep;
  readonly error?: ShownError | undefined;
}

async function oneStep(
  step: ComputedStep,
  questions: readonly Question[],
  reached: Contacts,
  engine: Engine,
  options: ComputedOptions,
): Promise<Done> {
  const before = await reached.ask(questions, [step.host]);
  const seen = before.seen.get(step.host);
  if (seen === undefined) {
    const error = shownError(before.errors.get(step.host));
    return { step: shown(step, 'skipped', `not run: ${error.message}`), error };
  }
  if (step.verify(before.answers) === null)
    return { step: shown(step, 'already', 'it holds already; nothing was run') };
  const blocked = step.guard(before.answers);
  if (blocked) return { step: shown(step, outcomeOf(blocked), notRun(blocked)) };
  let said: Executed = { failed: false, text: '' };
  let broken: ShownError | undefined;
  try {
    said = await execute(await reached.session(step.host), await reached.host(step.host), step, seen, engine);
  } catch (error) {
    await reached.drop(step.host);
    broken = withNext(shownError(error));
    if (!(error instanceof ProvisionError && error.begun))
      return { step: shown(step, 'skipped', `not run: ${broken.message}`), error: broken };
  }
  // What failed may have done its work all the same; but nobody waits for it.
  const within = said.failed ? 0 : step.within;
  const left = await proven(step, questions, within, reached, engine, options);
  if (left === null) return { step: shown(step, 'done', said.text || undefined) };
  const how = said.failed || broken ? (broken?.message ?? said.text) : said.text;
  if (step.mayFail && !left.unknown && !broken)
    return { step: shown(step, 'done', `it did not suffice: ${left.why}\n${how}`.trim()) };
  const outcome = broken ? 'unknown' : outcomeOf(left);
  const lead = said.failed ? 'it failed' : 'it ran, but is not proven';
  const shownOne = shown(step, outcome, `${lead}: ${left.why}\n${how}`.trim());
  return { step: shownOne, error: broken };
}

/** Asks until the verification holds or cannot come to hold any more; null, or why not. A connection lost meanwhile is opened again. */
async function proven(
  step: ComputedStep,
  questions: readonly Question[],
  within: number,
  reached: Contacts,
  engine: Engine,
  options: ComputedOptions,
): Promise<Reason | null> {
  const until = engine.now() + within * 1000;
  for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
    const left = step.verify((await reached.ask(questions, [step.host])).answers);
    if (left === null || left.final || engine.now() >= until) return left;
    await options.pause(Math.min(pause, Math.max(until - engine.now(), 50)));
  }
}

/** What each step would come to as things are now. Guards of steps after a planned one say nothing: that one is to see to them. */
function foreseen(steps: readonly ComputedStep[], answers: Answers): ShownStep[] {
  const found: ShownStep[] = [];
  for (const step of steps) {
    const ahead = found.some(({ outcome }) => outcome === 'planned');
    const stop = found.some(({ outcome }) => outcome === 'failed' || outcome === 'unknown');
    // Its own questions are asked in its turn only.
    const blocked = step.questions || ahead ? null : step.guard(answers);
    if (stop) found.push(shown(step, 'skipped', 'a step before it cannot be done'));
    else if (!step.questions && !ahead && step.verify(answers) === null)
      found.push(shown(step, 'already', 'it holds already; nothing is to be run'));
    else if (blocked) found.push(shown(step, outcomeOf(blocked), notRun(blocked)));
    else found.push(shown(step, 'planned'));
  }
  return found;
}

/** One run for each host concerned: found and refused belong to the one it starts from. */
function told(
  from: string,
  plan: ComputedPlan,
  steps: readonly ShownStep[],
  errors: ReadonlyMap<string, ShownError>,
): HostRun[] {
  const names = [...new Set([from, ...plan.steps.map((step) => step.host), ...errors.keys()])];
  return names.map((name) => {
    const own = steps.flatMap((step, index) =>
      plan.steps[index]?.host === name ? [{ ...step, number: index + 1 }] : [],
    );
    const error = errors.get(name) ?? (name === from && plan.refused ? refusal(plan.refused) : undefined);
    return {
      ...emptyRun(name),
      total: own.length,
      steps: own,
      ...(name === from ? { found: plan.found } : {}),
      ...(error ? { error } : {}),
    };
  });
}

function refusal({ why, unknown, hint }: Reason): ShownError {
  return { code: unknown ? 'unknown' : 'refused', message: why, hint: hint ?? 'nothing was changed' };
}

/** After a lost connection: what is proven by then is not done again. */
function withNext(error: ShownError): ShownError {
  if (!error.begun) return error;
  return { ...error, hint: `${error.hint ?? ''}; then run the procedure again: it does only what is left` };
}

function outcomeOf(reason: Reason): 'failed' | 'unknown' {
  return reason.unknown ? 'unknown' : 'failed';
}

function notRun({ why, hint }: Reason): string {
  return `not run, because its guard does not hold: ${why}${hint ? `\n${hint}` : ''}`;
}

function shown(step: ComputedStep, outcome: ShownStep['outcome'], message?: string): ShownStep {
  return { about: step.about, command: step.run.text, outcome, message };
}
