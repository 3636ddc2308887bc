import type { Finding, Symptom } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import type { Fleet, FleetDatastore } from './fleet.ts';

/** One symptom that one host shows. */
export interface Evidence {
  readonly host: string;
  readonly symptom: Symptom;
}

/** What was made of some of it. */
export interface Case {
  readonly finding: Finding;
  readonly uses: readonly Evidence[];
}

/** All that the hosts show, each thing once. */
export function evidenceOf(runs: readonly HostRun[]): Evidence[] {
  return runs.flatMap((run) => {
    const all = [...(run.symptoms ?? []), ...run.checks.flatMap((check) => check.symptoms ?? [])];
    const first = new Map<string, Symptom>();
    for (const symptom of all) {
      const key = `${symptom.code} ${symptom.of}`;
      if (!first.has(key)) first.set(key, symptom);
    }
    return [...first.values()].map((symptom) => ({ host: run.host, symptom }));
  });
}

/** Names of the hosts, each once, in the order given. */
export function hostsOf(evidence: readonly Evidence[]): string[] {
  return [...new Set(evidence.map(({ host }) => host))];
}

export function coded(evidence: readonly Evidence[], codes: readonly string[]): Evidence[] {
  return evidence.filter(({ symptom }) => codes.includes(symptom.code));
}

/** Without what cases have been made of. */
export function without(evidence: readonly Evidence[], cases: readonly Case[]): Evidence[] {
  const used = new Set(cases.flatMap(({ uses }) => uses));
  return evidence.filter((one) => !used.has(one));
}

/** In groups with the same key; what has none is left out. */
export function grouped(
  evidence: readonly Evidence[],
  keyOf: (one: Evidence) => string | undefined,
): Map<string, Evidence[]> {
  const groups = new Map<string, Evidence[]>();
  for (const one of evidence) {
    const key = keyOf(one);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}

/** Second half of `kind:name`. */
export function nameOf(component: string): string {
  return component.slice(component.indexOf(':') + 1);
}

/** The datastore that a symptom is of: seen by a client as its storage, on the server by name, path or mount. */
export function datastoreOf(fleet: Fleet, { host, symptom }: Evidence): FleetDatastore | undefined {
  const name = nameOf(symptom.of);
  if (symptom.of.startsWith('storage:')) {
    const storage = fleet.storages.find((one) => one.host === host && one.id === name);
    if (storage?.datastore === undefined) return undefined;
    const { server, datastore } = storage;
    const known = fleet.datastores.find((one) => one.host === server && one.name === datastore);
    return known ?? { host: server, name: datastore, path: '' };
  }
  if (symptom.of.startsWith('datastore:') || symptom.of.startsWith('mount:')) {
    const known = fleet.datastores.find(
      (one) => one.host === host && [one.name, one.path, one.mount].includes(name),
    );
    // A store of which the repository says nothing is one all the same.
    return known ?? (symptom.of.startsWith('datastore:') ? { host, name, path: name } : undefined);
  }
  return undefined;
}

/** The machine that serves what a symptom is of: of a storage or of what lies on a mount. */
export function serverOf(fleet: Fleet, { host, symptom }: Evidence): string | undefined {
  const name = nameOf(symptom.of);
  if (symptom.of.startsWith('storage:'))
    return fleet.storages.find((one) => one.host === host && one.id === name)?.server;
  if (!symptom.of.startsWith('mount:') && !symptom.of.startsWith('dumps:')) return undefined;
  const below = fleet.mounts.filter(
    (one) => one.host === host && (one.path === name || name.startsWith(`${one.path}/`)),
  );
  return below.sort((a, b) => b.path.length - a.path.length)[0]?.server;
}

/** How a host came out of the run, for those that show no symptom: silence is only fine when it was looked at. */
export function blindness(runs: readonly HostRun[], host: string): string | null {
  const run = runs.find((one) => one.host === host);
  if (run === undefined) return `${host} was not asked`;
  if (run.error !== undefined) return `${host} could not be looked at (${run.error.message})`;
  const unknown = run.unknown.length + run.checks.filter(({ outcome }) => outcome === 'unknown').length;
  return unknown > 0 ? `of ${host} ${unknown} answers are missing` : null;
}

/** "; hikurangi could not be looked at (...)" for those of the hosts of which not all is known. */
export function blindHosts(runs: readonly HostRun[], hosts: readonly string[]): string {
  const blind = hosts.flatMap((host) => blindness(runs, host) ?? []);
  return blind.length === 0 ? '' : `. Not known: ${blind.join('; ')}`;
}

/** "ruapehu, pihanga and hikurangi" */
export function joined(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
