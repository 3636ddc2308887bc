import { ProvisionError } from '../model/errors.ts';
import type { HostRun } from '../model/run.ts';
import { knownProcedures } from '../roles/catalogue.ts';
import type { Site, SiteHost } from '../roles/site.ts';
import { approval, needsYes } from './approval.ts';
import { machinery } from './engine.ts';
import type { ReportOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectHosts, unknownName } from './selection.ts';
import { expandHosts, openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

export interface RunOptions extends ReportOptions {
  readonly host: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** One procedure on one host. */
export async function runCommand(
  terminal: Terminal,
  options: RunOptions,
  [id = '', ...values]: readonly string[],
): Promise<number> {
  const [site, { computedProcedures }] = await Promise.all([
    openSite(options, terminal),
    import('../procedures/index.ts'),
  ]);
  const computed = computedProcedures.find((one) => one.id === id);
  if (computed !== undefined) {
    const { runComputedCommand } = await import('./run-computed.ts');
    return runComputedCommand(terminal, options, site, computed, values);
  }
  const host = hostWith(
    id,
    options.host,
    site,
    computedProcedures.map((one) => one.id),
  );
  if (values.length > 0) {
    throw new ProvisionError('input', `${values.join(' ')}: ${id} takes no values behind its name`, {
      hint: 'its parameters are given with --set NAME=VALUE',
    });
  }
  const [one] = await expandHosts(site, [host], { procedure: id, parameters: options.set });
  const procedure = one?.procedures.find((candidate) => candidate.id === id);
  if (one === undefined || procedure === undefined) throw unknownName('procedure', id, []);
  if (!options.dryRun) needsYes('run', options, terminal);
  const [{ runProcedure }, { exitCode }] = await Promise.all([
    import('../engine/procedure.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { engine, progress, stop } = await machinery('run', { ...options, forks: 1 }, terminal);
  let declined = false;
  const approve = async (run: HostRun): Promise<boolean> => {
    progress.clear();
    declined = !(await approval([run], options, terminal));
    return !declined;
  };
  const run = await runProcedure(one, procedure, engine, {
    dryRun: options.dryRun,
    approve: options.yes ? null : approve,
  }).finally(stop);
  const exit = exitCode('run', [run]);
  if (!declined || options.format !== 'text') printReport('run', [run], exit, options, terminal);
  return exit;
}

/** The host that is meant: a procedure is never run on two hosts by one command. */
function hostWith(id: string, names: readonly string[], site: Site, computed: readonly string[]): SiteHost {
  const known = site.hosts.map((host) => ({
    host,
    ids: knownProcedures(site, host.name).map((one) => one.id),
  }));
  const having = known.filter(({ ids }) => ids.includes(id)).map(({ host }) => host);
  if (having.length === 0) {
    const all = new Set([...known.flatMap(({ ids }) => ids), ...computed]);
    throw unknownName('procedure', id, [...all]);
  }
  const asked = selectHosts(site.hosts, { host: names, group: [], role: [] }, site.groups);
  const [first, ...more] = having.filter((host) => asked.includes(host));
  const choices = having.map(({ name }) => name).join(', ');
  if (first === undefined) {
    throw new ProvisionError('input', `${names.join(', ')} has no procedure ${id}`, {
      hint: `it is on: ${choices}`,
    });
  }
  if (more.length === 0) return first;
  throw new ProvisionError(
    'input',
    `${more.length + 1} hosts have the procedure ${id}; it runs on one at a time`,
    {
      hint: `choose with --host: ${choices}`,
    },
  );
}
