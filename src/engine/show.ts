import type { Context } from '../model/host.ts';
import type { Plan, PlannedChange } from '../model/plan.ts';
import type { ChangeOutcome, ShownChange, ShownUnknown } from '../model/run.ts';
import type { Value } from '../model/state.ts';
import { recordable } from '../plan/record.ts';

/** A change as reports show it. Values of secret resources never get here: only "differs". */
export function showChange(
  change: PlannedChange,
  context: Context,
  extra: Partial<Pick<ShownChange, 'text' | 'message' | 'outcome'>> = {},
): ShownChange {
  const { resource, have, want } = change;
  const shown = (name: string, state: typeof have): Value =>
    recordable(state, resource.secret)?.[name] ?? null;
  const outcome: ChangeOutcome = extra.outcome ?? (change.refused === null ? 'planned' : 'refused');
  return {
    id: resource.id,
    role: resource.role,
    from: resource.from,
    cause: change.cause,
    action: want === null ? 'remove' : have === null ? 'create' : 'change',
    properties: change.differs.map((name) => ({ name, have: shown(name, have), want: shown(name, want) })),
    text: extra.text,
    steps: change.refused === null ? stepNames(change, context) : [],
    outcome,
    message: extra.message ?? change.refused ?? undefined,
  };
}

export function showUnknown(plan: Plan): ShownUnknown[] {
  return plan.unknown.map(({ resource, reason }) => ({ id: resource.id, from: resource.from, reason }));
}

function stepNames(change: PlannedChange, context: Context): string[] {
  return change.resource.type.steps(typeChange(change, context)).map((step) => step.about);
}

/** The change as a resource type sees it. */
export function typeChange(
  change: PlannedChange,
  context: Context,
): Parameters<PlannedChange['resource']['type']['steps']>[0] {
  return {
    spec: change.resource.spec,
    have: change.have,
    want: change.want,
    differs: change.differs,
    context,
  };
}
