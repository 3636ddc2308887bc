import type { Check, CheckResult } from '../model/check.ts';
import type { Symptom } from '../model/finding.ts';
import type { Context, Host } from '../model/host.ts';
import type { HostRun, HostWork } from '../model/run.ts';
import type { Observed } from '../model/state.ts';
import type { Session } from '../remote/session.ts';
import type { Engine } from './engine.ts';
import { emptyRun, inParallel, onHost } from './fleet.ts';
import { apart, look } from './look.ts';
import { unmet } from './unmet.ts';

/** The validation checklist of every host. Changes nothing. */
export async function check(work: readonly HostWork[], engine: Engine): Promise<HostRun[]> {
  return inParallel(work, engine.forks, (one) =>
    onHost(one, engine, async (session) => {
      const context = { host: one.host.name, platform: one.host.platform, live: session.live };
      const checks = await checkHost(session, one.host, one.checks, context, engine);
      return { ...emptyRun(one.host.name), total: one.checks.length, checks, notices: one.notices ?? [] };
    }),
  );
}

/** Observes what the checks expect, all in one round trip, and judges each. */
export async function checkHost(
  session: Session,
  host: Host,
  checks: readonly Check[],
  context: Context,
  engine: Engine,
): Promise<CheckResult[]> {
  if (checks.length === 0) return [];
  engine.progress(host.name, `proving ${checks.length} checks`);
  const proofs = apart(checks.map(({ resource }) => resource));
  const view = await look(session, host, proofs, engine);
  return checks.map((one, index) => judge(one, view.observed.get(proofs[index]?.id ?? ''), context));
}

/** pass, fail or unknown. Could not look is never fine. */
export function judge(check: Check, observed: Observed | undefined, context: Context): CheckResult {
  const { resource } = check;
  const result: Omit<CheckResult, 'outcome' | 'message'> & { symptoms?: readonly Symptom[] } = {
    host: context.host,
    id: check.id,
    about: check.about,
    from: check.from,
  };
  if (observed === undefined)
    return { ...result, outcome: 'unknown', message: 'the host said nothing about it' };
  // What a secret shows is told to nobody.
  const symptoms = resource.secret ? [] : (resource.type.symptoms?.(observed, resource.spec as never) ?? []);
  if (symptoms.length > 0) result.symptoms = symptoms;
  if ('unknown' in observed) return { ...result, outcome: 'unknown', message: observed.unknown };
  const name = resource.type.identity(resource.spec);
  const reasons = unmet(name, resource.type.want(resource.spec, context), observed.have, resource.secret);
  if (reasons.length === 0) return { ...result, outcome: 'pass', message: '' };
  return { ...result, outcome: 'fail', message: reasons.join('\n') };
}
