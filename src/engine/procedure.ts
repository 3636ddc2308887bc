import { ProvisionError } from '../model/errors.ts';
import type { Context, Host } from '../model/host.ts';
import type { Procedure, ProcedureStep } from '../model/procedure.ts';
import type { Resource } from '../model/resource.ts';
import type { HostRun, HostWork, ShownStep } from '../model/run.ts';
import type { Session } from '../remote/session.ts';
import { sh } from '../shell/sh.ts';
import type { Engine } from './engine.ts';
import { execute } from './execute.ts';
import { emptyRun, onHost } from './fleet.ts';
import { apart, type HostView, look } from './look.ts';
import { unmet } from './unmet.ts';

export interface ProcedureOptions {
  /** Look at guards and verifications, run nothing. */
  readonly dryRun: boolean;
  /** Shows the steps and asks; null: agreed beforehand (--yes). */
  readonly approve: ((run: HostRun) => Promise<boolean>) | null;
}

/**
 * Runs a procedure step by step: what its verification already proves is not done again, a guard that does not hold stops
 * everything after it, and a step counts as done only when its verification holds afterwards.
 */
export async function runProcedure(
  work: HostWork,
  procedure: Procedure,
  engine: Engine,
  options: ProcedureOptions,
): Promise<HostRun> {
  const planned: HostRun = {
    ...emptyRun(work.host.name),
    total: procedure.steps.length,
    steps: procedure.steps.map((step) => shown(step, 'planned')),
  };
  if (options.approve && !options.dryRun && !(await options.approve(planned))) return planned;
  return onHost(work, engine, async (session) => {
    if (!session.live && !options.dryRun) throw noSystem(work.host);
    const context = { host: work.host.name, platform: work.host.platform, live: session.live };
    const steps: ShownStep[] = [];
    for (const [index, step] of procedure.steps.entries()) {
      const failed = steps.some(({ outcome }) => outcome === 'failed' || outcome === 'unknown');
      const ahead = steps.some(({ outcome }) => outcome === 'planned');
      engine.progress(work.host.name, `step ${index + 1} of ${procedure.steps.length}: ${step.about}`);
      steps.push(
        failed
          ? shown(step, 'skipped', 'a step before it did not succeed')
          : await oneStep(session, work.host, step, context, engine, { ...options, ahead }),
      );
    }
    return { ...planned, steps };
  });
}

/** What a step runs would reach the system that holds the tree: its services, its guests, its storages. */
export function noSystem(host: Host): ProvisionError {
  return new ProvisionError('refused', 'a procedure needs a running system, and this is a directory tree', {
    host: host.name,
    where: host.from,
    hint: 'nothing was run; --dry-run shows the steps',
  });
}

async function oneStep(
  session: Session,
  host: Host,
  step: ProcedureStep,
  context: Context,
  engine: Engine,
  options: ProcedureOptions & { readonly ahead: boolean },
): Promise<ShownStep> {
  const proofs = apart([...step.guard, ...step.verify]);
  const [guard, verify] = [proofs.slice(0, step.guard.length), proofs.slice(step.guard.length)];
  const view = await look(session, host, proofs, engine);
  if (verify.length > 0 && troubles(verify, view, context).length === 0) {
    return shown(step, 'already', 'it holds already; nothing was run');
  }
  const blocked = troubles(guard, view, context);
  // Of a dry run: what the steps before it would have done is not done, so its guard says nothing about it.
  if (blocked.length > 0 && options.dryRun && options.ahead)
    return shown(step, 'planned', 'its guard does not hold yet; the steps before it are to see to that');
  if (blocked.length > 0) {
    const unknown = blocked.some(({ known }) => !known);
    return shown(
      step,
      unknown ? 'unknown' : 'failed',
      `not run, because its guard does not hold: ${blocked.map(({ text }) => text).join('; ')}`,
    );
  }
  if (options.dryRun) return shown(step, 'planned');
  // exec: no word of a role is taken for a builtin or for a function of ours.
  const run = sh`exec ${step.run}`;
  const said = await execute(session, host, { run, limit: step.limit }, view, engine);
  if (said.failed) return shown(step, 'failed', said.text);
  if (verify.length === 0) return shown(step, 'done', said.text || undefined);
  const left = troubles(verify, await look(session, host, verify, engine), context);
  if (left.length === 0) return shown(step, 'done', said.text || undefined);
  const unknown = left.some(({ known }) => !known);
  return shown(
    step,
    unknown ? 'unknown' : 'failed',
    `it ran, but is not proven: ${left.map(({ text }) => text).join('; ')}\n${said.text}`.trim(),
  );
}

interface Trouble {
  readonly text: string;
  readonly known: boolean;
}

/** What of these expectations does not hold, and whether that is known. */
function troubles(resources: readonly Resource[], view: HostView, context: Context): Trouble[] {
  return resources.flatMap((resource): Trouble[] => {
    const observed = view.observed.get(resource.id) ?? { unknown: 'the host said nothing about it' };
    const name = resource.type.identity(resource.spec);
    if ('unknown' in observed) return [{ text: `${name}: ${observed.unknown}`, known: false }];
    const want = resource.type.want(resource.spec, context);
    const reasons = unmet('it', want, observed.have, resource.secret);
    return reasons.length === 0 ? [] : [{ text: `${name}: ${reasons.join('\n')}`, known: true }];
  });
}

function shown(step: ProcedureStep, outcome: ShownStep['outcome'], message?: string): ShownStep {
  return { about: step.about, command: step.run.join(' '), outcome, message };
}
