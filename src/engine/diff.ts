import type { Symptom } from '../model/finding.ts';
import type { Context } from '../model/host.ts';
import type { Plan } from '../model/plan.ts';
import type { Resource } from '../model/resource.ts';
import type { HostRun, HostWork } from '../model/run.ts';
import { compare } from '../plan/compare.ts';
import { order } from '../plan/order.ts';
import type { Session } from '../remote/session.ts';
import { detail } from './details.ts';
import type { Engine } from './engine.ts';
import { emptyRun, inParallel, onHost } from './fleet.ts';
import { type HostView, look } from './look.ts';
import { showUnknown } from './show.ts';

/** Which resources of a host are meant: all, or those of some roles or ids. */
export type Selection = (resource: Resource) => boolean;

/** A host, looked at and compared. */
export interface Planned {
  readonly plan: Plan;
  readonly view: HostView;
  readonly context: Context;
  /** The selected resources. */
  readonly resources: readonly Resource[];
  readonly run: HostRun;
}

/** What differs, on every host at once. Changes nothing. */
export async function diff(
  work: readonly HostWork[],
  engine: Engine,
  selected: Selection = () => true,
): Promise<{ runs: HostRun[]; plans: Plan[] }> {
  const plans: Plan[] = [];
  const runs = await inParallel(work, engine.forks, (one) =>
    onHost(one, engine, async (session) => {
      const planned = await planHost(session, one, engine, selected);
      plans.push(planned.plan);
      return { ...planned.run, symptoms: symptomsOf(planned) };
    }),
  );
  return { runs, plans: work.flatMap(({ host }) => plans.filter((plan) => plan.host === host.name)) };
}

/** What the resources of a host show of troubles whose cause may lie elsewhere. Of those that hold a secret nothing is told. */
function symptomsOf({ resources, view }: Planned): Symptom[] {
  return resources.flatMap(({ id, type, spec, secret }) => {
    const observed = view.observed.get(id);
    return observed === undefined || secret ? [] : (type.symptoms?.(observed, spec as never) ?? []);
  });
}

/** Looks at one host and says what differs: one round trip, a second one only when something does. */
export async function planHost(
  session: Session,
  work: HostWork,
  engine: Engine,
  selected: Selection,
  texts = true,
): Promise<Planned> {
  const { host } = work;
  const context = { host: host.name, platform: host.platform, live: session.live };
  const ordered = order(work.resources, context);
  const resources = ordered.resources.filter(selected);
  engine.progress(host.name, `looking at ${resources.length} resources`);
  const view = await look(session, host, resources, engine);
  const compared = compare(ordered, view, context, selected);
  if (compared.changes.length > 0) engine.progress(host.name, 'reading what differs');
  const { plan, shown } = await detail(session, compared, context, engine, texts);
  const run: HostRun = {
    ...emptyRun(host.name),
    total: resources.length,
    changes: shown,
    unknown: showUnknown(plan),
    orphans: resources.length === work.resources.length ? orphans(view, work) : [],
    notices: [...(work.notices ?? []), ...view.notices],
  };
  return { plan, view, context, resources, run };
}

/** What was applied once and is no longer mentioned. Never removed by itself: the repository says `state: absent` for that. */
function orphans(view: HostView, work: HostWork): string[] {
  const known = new Set(work.resources.map(({ id }) => id));
  return [...view.record].filter(([id, state]) => state !== null && !known.has(id)).map(([id]) => id);
}
