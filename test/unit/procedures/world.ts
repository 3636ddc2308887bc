import type { Answers, ComputedPlan, ComputedProcedure, Said } from '../../../src/model/procedure.ts';
import type { ProcedureHost, ProcedureSite } from '../../../src/procedures/site.ts';
import { parseFacts } from '../../../src/shell/facts.ts';

/** What hosts printed, by host: lines with ` | ` for tabs. null: it could not be asked. */
export function answersOf(said: Readonly<Record<string, readonly string[] | null>>): Answers {
  const answers = new Map<string, Said | { readonly unknown: string }>();
  for (const [host, lines] of Object.entries(said)) {
    const bytes = Buffer.from((lines ?? []).map((line) => line.replaceAll(' | ', '\t')).join('\n'));
    const facts = [...parseFacts(bytes)].map(([identity, seen]) => [identity, seen.facts] as const);
    answers.set(host, lines === null ? { unknown: 'no route to host' } : new Map(facts));
  }
  return answers;
}

export function siteOf(
  ...hosts: readonly (Partial<ProcedureHost> & { readonly name: string })[]
): ProcedureSite {
  return {
    hosts: hosts.map((host) => ({
      platform: 'pve',
      address: undefined,
      from: { file: `inventory/hosts/${host.name}.yaml`, line: 1, column: 1 },
      roles: [],
      guests: [],
      values: new Map(),
      storages: [],
      datastores: [],
      jobs: [],
      ...host,
    })),
  };
}

/** The plan of a procedure, with the reason why it is refused in short. */
export function planned(
  procedure: ComputedProcedure<ProcedureSite>,
  site: ProcedureSite,
  host: string,
  parameters: Readonly<Record<string, unknown>>,
  said: Readonly<Record<string, readonly string[] | null>>,
): ComputedPlan & { readonly abouts: readonly string[] } {
  const plan = procedure.plan(site, host, parameters, answersOf(said));
  return { ...plan, abouts: plan.steps.map(({ about }) => about) };
}
