import type { Context } from '../model/host.ts';
import type { Plan, PlannedChange, UnknownResource } from '../model/plan.ts';
import type { Resource } from '../model/resource.ts';
import { differences, type Observed } from '../model/state.ts';
import { cause } from './drift.ts';
import { type Mount, mountOf } from './mounts.ts';
import type { Ordered } from './order.ts';
import { type Record, recordable } from './record.ts';

/** What one look at a host gave, as far as comparing needs it. */
export interface View {
  readonly observed: ReadonlyMap<string, Observed>;
  /** id -> what the host printed for it, for the guard. */
  readonly seen: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly record: Record;
}

/**
 * The plan for one host. A resource that depends on a change of this plan is judged as it will be by then: what cannot be
 * seen yet is planned as created, what follows a changed file is planned as stale. So what diff shows is what apply does.
 */
export function compare(
  ordered: Ordered,
  view: View,
  context: Context,
  selected: (resource: Resource) => boolean,
): Plan {
  const changes = new Map<string, PlannedChange>();
  const unknown = new Map<string, UnknownResource>();
  /** Ids that a change of this plan may alter, directly or through others. */
  const touched = new Set<string>();

  for (const resource of ordered.resources) {
    const before = ordered.before.get(resource.id) ?? [];
    const waits = before.filter((id) => touched.has(id));
    if (waits.length > 0) touched.add(resource.id);
    if (!selected(resource)) continue;

    const observed = view.observed.get(resource.id) ?? { unknown: 'the host said nothing about it' };
    const makers = ancestors(resource.id, ordered.before).flatMap((id) => changes.get(id) ?? []);
    if ('unknown' in observed && !mayAppear(observed.unknown, makers)) {
      unknown.set(resource.id, { resource, reason: observed.unknown });
      continue;
    }
    const seen = 'have' in observed ? observed.have : null;
    const followed = (ordered.follows.get(resource.id) ?? []).some((id) => changes.has(id));
    const have = followed && resource.type.after ? resource.type.after(seen, resource.spec) : seen;
    const want = resource.type.want(resource.spec, context);
    const differs = differences(want, have);
    if (differs.length === 0) continue;

    const change = { spec: resource.spec, have, want, differs, context };
    changes.set(resource.id, {
      resource,
      have,
      want,
      observed: seen,
      differs,
      cause: cause(
        recordable(seen, resource.secret),
        recordable(want, resource.secret),
        view.record.get(resource.id),
      ),
      refused:
        refusal(resource, before, changes, unknown) ??
        resource.type.refuse?.(change) ??
        (waits.length === 0 && 'have' in observed ? observed.blocked : undefined) ??
        forbidden(resource, view.mounts),
      dependsOn: makers.map((maker) => maker.resource.id),
      seen: view.seen.get(resource.id) ?? '',
    });
    touched.add(resource.id);
  }
  return {
    host: context.host,
    changes: [...changes.values()],
    unknown: [...unknown.values()],
    total: view.observed.size,
  };
}

/**
 * Whether what could not be seen may be there to be seen once the changes before it are made: a mount or a directory brings the path, a
 * package the program that answers. A user or a unit brings nothing, and a path that hangs is not healed by a package.
 */
function mayAppear(reason: string, makers: readonly PlannedChange[]): boolean {
  const places = makers.flatMap(({ resource: { type, spec } }) => type.provides?.(spec) ?? []);
  const hangs = reason.startsWith('no answer');
  return places.some((place) => /^(?:mount|path):/.test(place) || (place.startsWith('package:') && !hangs));
}

function refusal(
  resource: Resource,
  before: readonly string[],
  changes: ReadonlyMap<string, PlannedChange>,
  unknown: ReadonlyMap<string, UnknownResource>,
): string | null {
  if (resource.type.checkOnly) return `a ${resource.type.name} can be checked, not changed`;
  for (const id of before) {
    if (unknown.has(id)) return `it depends on ${id}, which could not be looked at`;
    if (changes.get(id)?.refused) return `it depends on ${id}, which is refused`;
  }
  return null;
}

/** What the mount table forbids: writing below a read-only mount, replacing a file that is itself a mount point. */
function forbidden(resource: Resource, mounts: readonly Mount[]): string | null {
  for (const place of resource.type.provides?.(resource.spec) ?? []) {
    const path = /^(?:path|content|part):(\/[^#]*)/.exec(place)?.[1];
    if (path === undefined) continue;
    const mount = mountOf(mounts, path);
    if (place === `path:${path}` && mount?.point === path) continue; // about the mount itself, not about what lies on it
    if (mount?.readOnly) return `${path} lies on ${mount.point}, which is mounted read-only`;
    if (place.startsWith('content:') && mount?.point === path) {
      return `${path} is itself a mount point (a bind-mounted file) and cannot be replaced in one step`;
    }
  }
  return null;
}

function ancestors(id: string, before: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set<string>();
  const visit = (current: string): void => {
    for (const earlier of before.get(current) ?? []) {
      if (found.has(earlier)) continue;
      found.add(earlier);
      visit(earlier);
    }
  };
  visit(id);
  return [...found];
}
