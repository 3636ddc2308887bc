import { ProvisionError } from '../model/errors.ts';
import type { ComputedProcedure, Parameters } from '../model/procedure.ts';
import type { HostRun } from '../model/run.ts';
import type { ProcedureSite } from '../procedures/site.ts';
import type { Site } from '../roles/site.ts';
import { approval, needsYes } from './approval.ts';
import { machinery } from './engine.ts';
import { printReport } from './output.ts';
import { parametersOf } from './parameters.ts';
import { expandedSite, plainSite } from './procedure-site.ts';
import type { RunOptions } from './run.ts';
import { selectHosts } from './selection.ts';
import { expandHosts, hostNamed } from './site.ts';
import type { Terminal } from './terminal.ts';

/** A procedure that computes: on the host it starts from and those it needs besides. */
export async function runComputedCommand(
  terminal: Terminal,
  options: RunOptions,
  site: Site,
  procedure: ComputedProcedure<ProcedureSite>,
  positional: readonly string[],
): Promise<number> {
  const parameters = await parametersOf(procedure, positional, options.set);
  const seen = procedure.expands ? await expanded(site) : plainSite(site);
  const host = startingHost(procedure, seen, parameters, options.host, site);
  if (!options.dryRun) needsYes('run', options, terminal);
  const [{ runComputed }, { exitCode }] = await Promise.all([
    import('../engine/computed.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { engine, progress, stop } = await machinery('run', { ...options, forks: 10 }, terminal);
  let declined = false;
  const approve = async (runs: readonly HostRun[]): Promise<boolean> => {
    progress.clear();
    declined = !(await approval(runs, options, terminal));
    return !declined;
  };
  const find = (name: string) => hostNamed(site, name);
  const runs = await runComputed({ procedure, site: seen, host, parameters, find }, engine, {
    dryRun: options.dryRun,
    approve: options.yes ? null : approve,
    pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  }).finally(stop);
  const exit = exitCode('run', runs);
  if (!declined || options.format !== 'text') printReport('run', runs, exit, options, terminal);
  return exit;
}

/** With what the roles make of every host: a storage of one is the datastore of another. */
export async function expanded(site: Site): Promise<ProcedureSite> {
  const [work, { roleValues }] = await Promise.all([
    expandHosts(site, site.hosts),
    import('../roles/variables.ts'),
  ]);
  return expandedSite(site, work, (host, role) => roleValues(site, host, role));
}

/** The one host that it starts from: the only one it can start from, or the one that was named. */
function startingHost(
  procedure: ComputedProcedure<ProcedureSite>,
  seen: ProcedureSite,
  parameters: Parameters,
  names: readonly string[],
  site: Site,
): string {
  const any = procedure.hosts(seen, {});
  // A host that is named may know better than the inventory: a guest can have moved.
  const can = names.length > 0 ? any : procedure.hosts(seen, parameters);
  const asked = selectHosts(site.hosts, { host: names, group: [], role: [] }).map(({ name }) => name);
  const [first, ...more] = can.filter((name) => asked.includes(name));
  const what = `${procedure.id} ${Object.values(parameters).join(' ')}`.trim();
  if (first === undefined) {
    throw new ProvisionError('input', `${what} cannot start from ${names.join(', ') || 'any host'}`, {
      hint: startable(any, names),
    });
  }
  if (more.length === 0) return first;
  throw new ProvisionError('input', `${what} can start from ${more.length + 1} hosts`, {
    hint: `choose with --host: ${[first, ...more].join(', ')}`,
  });
}

function startable(any: readonly string[], names: readonly string[]): string {
  if (any.length === 0) return 'no host of the inventory is of the kind that it works on';
  const why = names.length > 0 ? '' : 'no host of the inventory has what was named; with --host ';
  return `${why}it can start from: ${any.join(', ')}`;
}
