import type { Context } from '../model/host.ts';
import type { PlannedChange } from '../model/plan.ts';
import { type Mount, mayHang, mountOf } from '../plan/mounts.ts';
import { recordable, recordLine } from '../plan/record.ts';
import { validatorLimit, withFile } from '../shell/details.ts';
import { lookShell } from '../shell/observe.ts';
import { type Action, inBytes } from '../shell/program.ts';
import { blob, sh } from '../shell/sh.ts';
import { typeChange } from './show.ts';

/** Seconds that file work on a network mount may take, which is no work of a moment when its server is away. */
const networkLimit = 120;

/** The changes of a plan as the host will make them; `changes` holds only what is not refused, in plan order. */
export function actions(
  changes: readonly PlannedChange[],
  context: Context,
  mounts: readonly Mount[] = [],
): Action[] {
  const index = new Map(changes.map((change, position) => [change.resource.id, position]));
  const single = changes.map((change): Action => {
    const { resource, want } = change;
    const { type, spec } = resource;
    const valid = want === null ? null : type.validator?.(spec);
    const made = type.steps(typeChange(change, context));
    const steps = made.map((step) => step.run);
    const far = paths(change).some((path) => mayHang(mountOf(mounts, path)));
    const limit = type.stepLimit ?? (valid ? validatorLimit : far ? networkLimit : null);
    return {
      guard: guard(change),
      needs: change.dependsOn.flatMap((id) => index.get(id) ?? []),
      steps: valid ? [withFile(valid.argv, blob(valid.content)), ...steps] : steps,
      below: above(change),
      makes: want?.type === 'directory' ? paths(change) : [],
      limit,
      // A step that is watched by a process of its own does not see what this program has prepared.
      ahead: made.length === 1 && limit === null ? made[0]?.ahead : undefined,
      record: recordLine(resource.id, recordable(want, resource.secret)),
    };
  });
  for (const group of neighbours(changes)) join(single, group, changes, context);
  return single;
}

/** Indices of changes that stand next to each other and may be made at once: two at least, none with a secret in it. */
function neighbours(changes: readonly PlannedChange[]): number[][] {
  const groups: number[][] = [];
  let key: string | null = null;
  for (const [index, { resource, dependsOn }] of changes.entries()) {
    const { type, spec, secret } = resource;
    const next: string | null = type.together && !secret ? `${type.name} ${type.together.key(spec)}` : null;
    const last = groups.at(-1);
    const waits = last?.some((other) => dependsOn.includes(changes[other]?.resource.id ?? '')) ?? false;
    if (next !== null && next === key && !waits) last?.push(index);
    else groups.push([index]);
    key = next;
  }
  return groups.filter((group) => group.length > 1);
}

/** The first of a group makes all of it, guarded by what all of them looked like; the others succeed with it, or are skipped. */
function join(
  single: Action[],
  group: readonly number[],
  changes: readonly PlannedChange[],
  context: Context,
): void {
  const [leader = 0, ...others] = group;
  const members = group.flatMap((index) => changes[index] ?? []);
  const [first] = members;
  const action = single[leader];
  const guards = group.map((index) => single[index]?.guard ?? null);
  if (first === undefined || action === undefined || guards.includes(null)) return;
  const { type } = first.resource;
  const specs = members.map(({ resource }) => resource.spec);
  const expect = members
    .flatMap(({ seen }) => seen.split('\n'))
    .sort(inBytes)
    .join('\n');
  const early = members.some(({ dependsOn }) => dependsOn.length > 0);
  single[leader] = {
    ...action,
    guard: { shell: `{\n${lookShell({ type, specs })}\n} | sort`, expect, early, look: { type, specs } },
    needs: [...new Set(group.flatMap((index) => single[index]?.needs ?? []))],
    steps:
      type.together?.steps(members.map((member) => typeChange(member, context))).map((step) => step.run) ??
      [],
    ahead: undefined,
  };
  for (const index of others) {
    const other = single[index];
    if (other)
      single[index] = {
        ...other,
        guard: null,
        needs: [leader],
        steps: [sh`:`],
        limit: null,
        ahead: undefined,
      };
  }
}

/**
 * What must still be seen before the change: all that was, without what other changes of this run may have altered. What could not
 * be seen is planned only behind a change that sees to that; to ask again before it would only hang again.
 */
function guard({ resource: { type, spec }, seen, dependsOn }: PlannedChange): Action['guard'] {
  const early = dependsOn.length > 0;
  if (early && seen.split('\n').some((line) => line.split('\t')[1] === 'unknown')) return null;
  const shell = lookShell({ type, specs: [spec] });
  const shared = type.shared ?? [];
  if (shared.length === 0) return { shell, expect: seen, early, look: { type, specs: [spec] } };
  const others = shared.map((name) => `$2 != "${name}"`).join(' && ');
  return {
    early,
    shell: `{\n${shell}\n} | awk -F '\\t' '${others}'`,
    expect: seen
      .split('\n')
      .filter((line) => !shared.includes(line.split('\t')[1] ?? ''))
      .join('\n'),
  };
}

/** Paths that a change writes. */
function paths({ resource: { type, spec } }: PlannedChange): string[] {
  const places = type.provides?.(spec) ?? [];
  return places.flatMap((place) => /^(?:path|content|part):(\/[^#]*)/.exec(place)?.[1] ?? []);
}

/** Every directory above what a change writes: `/`, `/etc`, `/etc/systemd`. */
function above(change: PlannedChange): string[] {
  const found = new Set<string>();
  for (let path of paths(change)) {
    while (path.length > 1) {
      path = path.slice(0, path.lastIndexOf('/')) || '/';
      found.add(path);
    }
  }
  return [...found];
}
