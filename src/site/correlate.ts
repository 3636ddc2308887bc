import type { Finding } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import { damageCases, groupCases, nasCases, ownCases, stuckCases } from './correlate-rest.ts';
import { servingCases } from './correlate-serving.ts';
import { certificateCases, storeCases } from './correlate-store.ts';
import { type Case, coded, type Evidence, evidenceOf, nameOf, without } from './evidence.ts';
import type { Fleet } from './fleet.ts';

/**
 * Troubles that several hosts show, told once each, with the component at the bottom of it and what mends it. Every symptom goes into
 * exactly one finding; what is shared is looked for first, what is left is the own trouble of a host. A host that was not looked at is
 * named as such where it would matter, and never counts as one that is well.
 */
export function correlate(fleet: Fleet, runs: readonly HostRun[]): Finding[] {
  const evidence = settled(evidenceOf(runs));
  const cases: Case[] = [];
  const rest = () => without(evidence, cases);
  cases.push(...servingCases(fleet, runs, rest()));
  cases.push(...certificateCases(fleet, runs, rest()));
  cases.push(...storeCases(fleet, runs, rest()));
  cases.push(...nasCases(fleet, runs, rest()));
  cases.push(...stuckCases(rest()));
  cases.push(...groupCases(rest()));
  cases.push(...damageCases(rest()));
  // It explains other troubles; without one it is none.
  cases.push(...ownCases(rest().filter(({ symptom }) => symptom.code !== 'older-than-mount')));
  return cases.map(({ finding }) => finding);
}

/** A guest whose backup runs is locked by it: that is no trouble, and to end that backup would make one. */
function settled(evidence: readonly Evidence[]): Evidence[] {
  const running = coded(evidence, ['backup-running']);
  const atWork = ({ host, symptom }: Evidence): boolean =>
    running.some((one) => one.host === host && nameOf(one.symptom.of) === nameOf(symptom.of));
  return evidence.filter(
    (one) =>
      !running.includes(one) &&
      !(one.symptom.code === 'guest-locked' && one.symptom.data?.lock === 'backup' && atWork(one)),
  );
}
