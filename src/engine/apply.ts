import { ProvisionError } from '../model/errors.ts';
import type { Context, Host } from '../model/host.ts';
import type { PlannedChange } from '../model/plan.ts';
import type { HostRun, HostWork } from '../model/run.ts';
import { type Record, recordable, recordLines } from '../plan/record.ts';
import type { Session } from '../remote/session.ts';
import { applyScript } from '../shell/apply.ts';
import { type Frame, parseFrames } from '../shell/frames.ts';
import type { Action } from '../shell/program.ts';
import { actions } from './actions.ts';
import { checkHost } from './check.ts';
import { runName, stopped } from './detached.ts';
import { type Planned, planHost, type Selection } from './diff.ts';
import { applyLimit, type Engine } from './engine.ts';
import { inParallel, onHost } from './fleet.ts';
import { looks, readLooks } from './look.ts';
import { type SavedPlan, stale } from './saved.ts';
import { judged, sideEffects } from './verdict.ts';

export interface ApplyOptions {
  readonly selected?: Selection;
  /** Shows what will be done and asks; null: agreed beforehand (--yes). */
  readonly approve: ((runs: readonly HostRun[]) => Promise<boolean>) | null;
  /** Apply exactly this plan, or nothing. */
  readonly saved?: SavedPlan | undefined;
  /** Read what lies in files that change, for text diffs; false where nobody will see them. Default: true. */
  readonly texts?: boolean;
  /** Seconds to wait for another apply on the same host. */
  readonly wait?: number;
}

/** Free KiB that must remain where runs are staged, besides what is sent. */
const spareKiB = 64 * 1024;

/** Makes every host as wanted: look, (ask,) change, look again, run the checklist of the roles that were touched. */
export async function apply(
  work: readonly HostWork[],
  engine: Engine,
  options: ApplyOptions,
): Promise<HostRun[]> {
  const selected = options.selected ?? (() => true);
  if (options.approve === null && options.saved === undefined) {
    return inParallel(work, engine.forks, (one) =>
      onHost(one, engine, (session) => planAndMake(session, one, engine, selected, options)),
    );
  }
  const planned = new Map<string, Planned>();
  const runs = await inParallel(work, engine.forks, (one) =>
    onHost(one, engine, async (session) => {
      const plan = await planHost(session, one, engine, selected);
      planned.set(one.host.name, plan);
      return plan.run;
    }),
  );
  if (options.saved) {
    const moved = stale(
      options.saved,
      runs,
      [...planned.values()].map(({ plan }) => plan),
    );
    if (moved) throw moved;
  }
  const idle = [...planned.values()].every((plan) => plannable(plan).length === 0);
  if (options.approve && !idle && !(await options.approve(runs))) return runs;
  return inParallel(work, engine.forks, async (one) => {
    const plan = planned.get(one.host.name);
    const run = runs.find(({ host }) => host === one.host.name);
    if (!plan || !run || !needsRun(plan)) return run as HostRun;
    return onHost(one, engine, (session) => make(session, one, plan, engine, options));
  });
}

/** How often a host is looked at anew because another apply ran while it was looked at. */
const looksAnew = 3;

/** For a run that was agreed to beforehand: when another apply came in between, the host is looked at again and judged anew. */
async function planAndMake(
  session: Session,
  work: HostWork,
  engine: Engine,
  selected: Selection,
  options: ApplyOptions,
): Promise<HostRun> {
  for (let looked = 1; ; looked += 1) {
    const planned = await planHost(session, work, engine, selected, options.texts ?? true);
    try {
      return await make(session, work, planned, engine, options);
    } catch (error) {
      const overtaken = error instanceof ProvisionError && error.code === 'changed';
      if (!overtaken || looked === looksAnew) throw error;
    }
  }
}

/** Changes that will be tried. */
function plannable(planned: Planned): PlannedChange[] {
  return planned.plan.changes.filter((change) => change.refused === null);
}

function needsRun(planned: Planned): boolean {
  return (
    plannable(planned).length > 0 ||
    planned.view.runLeft ||
    recordBase(planned).text !== recordLines(planned.view.record).join('\n')
  );
}

async function make(
  session: Session,
  work: HostWork,
  planned: Planned,
  engine: Engine,
  options: ApplyOptions,
): Promise<HostRun> {
  if (!needsRun(planned)) return planned.run;
  const { host } = work;
  const { view, context, resources } = planned;
  const changes = plannable(planned);
  const tasks = actions(changes, context, view.mounts);
  preflight(host, planned, tasks);
  const nonce = engine.nonce();
  const run = runName(engine);
  const script = applyScript(tasks, {
    nonce,
    root: session.root,
    run,
    holder: `${engine.controller} since ${new Date(engine.now()).toISOString()}`,
    wait: options.wait ?? 0,
    recordBase: recordBase(planned).lines,
    machineId: view.machineId,
    newestRun: view.newestRun,
    verify: looks(resources),
  });
  engine.progress(host.name, changes.length === 0 ? 'writing the record' : `change 1 of ${changes.length}`);
  const result = await session.run(script, {
    limit: applyLimit * 1000,
    onOutput: follow(host, changes, nonce, engine),
  });
  const frames = parseFrames(result.stdout, nonce);
  stopped(host, frames, result, run);
  const again = readLooks(afterVerify(frames), resources, view.tools, context).observed;
  const shown = planned.run.changes.map((one) => judged(one, changes, frames, again, context));
  const also = sideEffects(planned, again);
  const applied: HostRun = {
    ...planned.run,
    changes: [...shown, ...also.changes],
    unknown: [...planned.run.unknown, ...also.unknown],
  };
  return checklist(session, work, applied, context, engine);
}

/** The record as it will be: what was applied before, and everything selected that is as wanted already. */
function recordBase(planned: Planned): { lines: string[]; text: string } {
  const record = new Map<string, ReturnType<Record['get']>>(planned.view.record);
  const differing = new Map(planned.plan.changes.map((change) => [change.resource.id, change]));
  const unknown = new Set(planned.plan.unknown.map(({ resource }) => resource.id));
  for (const { id, type, spec, secret } of planned.resources) {
    if (unknown.has(id)) continue;
    if (!differing.has(id)) record.set(id, recordable(type.want(spec, planned.context), secret));
  }
  const keep = new Map([...record].map(([id, state]) => [id, state ?? null]));
  const text = recordLines(keep).join('\n');
  for (const change of plannable(planned)) keep.delete(change.resource.id);
  return { lines: recordLines(keep), text };
}

function preflight(host: Host, { view }: Planned, tasks: readonly Action[]): void {
  const refuse = (message: string, hint: string): never => {
    throw new ProvisionError('refused', message, { host: host.name, hint: `${hint}. Nothing was changed` });
  };
  if (view.recordNewer)
    refuse('a newer version of provision has applied to this host', 'use that version to apply; diff works');
  if (!view.tools.has('flock'))
    refuse(
      'flock is not installed, so two applies could run at once',
      'install util-linux (flock); diff works without it',
    );
  const bytes = tasks
    .flatMap((action) => action.steps.flatMap((step) => step.blobs))
    .reduce((sum, blob) => sum + blob.bytes.length, 0);
  const needed = Math.ceil(bytes / 1024) + spareKiB;
  if (view.free !== null && view.free < needed) {
    refuse(
      `only ${view.free} KiB are free where this host keeps its state, ${needed} KiB are needed`,
      'free some space',
    );
  }
}

/** Tells the progress display which change is being made, from the stream as it comes. */
function follow(
  host: Host,
  changes: readonly PlannedChange[],
  nonce: string,
  engine: Engine,
): (chunk: Buffer) => void {
  const pattern = new RegExp(`${nonce} change (\\d+) start`, 'g');
  return (chunk) => {
    for (const [, index] of chunk.toString('latin1').matchAll(pattern)) {
      const change = changes[Number(index)];
      if (change)
        engine.progress(host.name, `change ${Number(index) + 1} of ${changes.length}: ${change.resource.id}`);
    }
  };
}

function afterVerify(frames: readonly Frame[]): readonly Frame[] {
  return frames.slice(frames.findIndex(({ name }) => name === 'verify') + 1);
}

/** The checks of the roles that were touched. */
async function checklist(
  session: Session,
  work: HostWork,
  run: HostRun,
  context: Context,
  engine: Engine,
): Promise<HostRun> {
  const touched = new Set(run.changes.map(({ role }) => role));
  const checks = work.checks.filter(({ role }) => touched.has(role));
  if (checks.length === 0 || run.changes.length === 0) return run;
  return { ...run, checks: await checkHost(session, work.host, checks, context, engine) };
}
