import { ProvisionError } from '../model/errors.ts';
import type { Plan, PlannedChange } from '../model/plan.ts';
import type { HostRun } from '../model/run.ts';
import { canonical } from '../model/state.ts';
import { recordable } from '../plan/record.ts';
import { sha256 } from '../shell/sh.ts';

/** A plan as it was reviewed: which hosts, which part of them, and each change by its two states. No contents, no secrets. */
export interface SavedPlan {
  readonly provision_plan: 1;
  /** What the plan was asked about: roles and ids, empty for all. It is applied to the same part. */
  readonly role: readonly string[];
  readonly only: readonly string[];
  readonly hosts: readonly SavedHost[];
}

interface SavedHost {
  readonly host: string;
  /** Hash over have and want of each change. */
  readonly changes: readonly { readonly id: string; readonly state: string }[];
}

/** Text of a plan file. */
export function writePlan(plans: readonly Plan[], asked: Pick<SavedPlan, 'role' | 'only'>): string {
  const { role, only } = asked;
  return `${JSON.stringify({ provision_plan: 1, role, only, hosts: plans.map(savedHost) } satisfies SavedPlan, null, 2)}\n`;
}

/** @throws ProvisionError input, when this is no plan file. */
export function readPlan(text: string, file: string): SavedPlan {
  const broken = (why: string): ProvisionError =>
    new ProvisionError('input', `this is not a plan file: ${why}`, {
      where: { file, line: 1, column: 1 },
      hint: 'make one with `provision diff --out FILE`',
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw broken('it is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || !('provision_plan' in parsed))
    throw broken('`provision_plan` is missing');
  if (parsed.provision_plan !== 1)
    throw broken(`version ${String(parsed.provision_plan)}, this program knows 1`);
  const plan = parsed as SavedPlan;
  const whole =
    Array.isArray(plan.role) &&
    Array.isArray(plan.only) &&
    Array.isArray(plan.hosts) &&
    plan.hosts.every((one) => typeof one?.host === 'string' && Array.isArray(one.changes));
  if (!whole) throw broken('a part of it is missing');
  return plan;
}

/** Why a saved plan no longer fits what the hosts have and the repository wants; undefined when it fits exactly. */
export function stale(
  saved: SavedPlan,
  runs: readonly HostRun[],
  plans: readonly Plan[],
): ProvisionError | undefined {
  const failed = runs.find(({ error }) => error !== undefined);
  if (failed?.error) {
    return new ProvisionError(
      failed.error.code,
      `${failed.error.message}; the plan needs all of its hosts, so none was changed`,
      {
        host: failed.host,
        hint: failed.error.hint,
      },
    );
  }
  const moved = saved.hosts.flatMap((before) => {
    const now = plans.find(({ host }) => host === before.host);
    return now
      ? movedIds(before, savedHost(now)).map((id) => `${before.host}: ${id}`)
      : [`${before.host}: not looked at`];
  });
  const added = plans
    .filter(({ host }) => !saved.hosts.some((one) => one.host === host))
    .map(({ host }) => `${host}: not in the plan`);
  const all = [...moved, ...added];
  if (all.length === 0) return undefined;
  return new ProvisionError(
    'changed',
    `the plan no longer fits; since it was made these have moved:\n  ${all.join('\n  ')}`,
    {
      hint: 'nothing was changed; make and review a new plan with `provision diff --out FILE`',
    },
  );
}

function movedIds(before: SavedHost, now: SavedHost): string[] {
  const old = new Map(before.changes.map(({ id, state }) => [id, state]));
  const current = new Map(now.changes.map(({ id, state }) => [id, state]));
  return [...new Set([...old.keys(), ...current.keys()])].filter((id) => old.get(id) !== current.get(id));
}

function savedHost(plan: Plan): SavedHost {
  return {
    host: plan.host,
    changes: plan.changes.map((change) => ({ id: change.resource.id, state: fingerprint(change) })),
  };
}

function fingerprint({ resource, have, want, refused }: PlannedChange): string {
  const { secret } = resource;
  return sha256(
    `${canonical(recordable(have, secret))}\n${canonical(recordable(want, secret))}\n${refused ?? ''}`,
  );
}
