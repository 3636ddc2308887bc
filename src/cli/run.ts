import { ProvisionError } from '../model/errors.ts';
import type { Procedure } from '../model/procedure.ts';
import type { HostRun, HostWork } from '../model/run.ts';
import { approval, needsYes } from './approval.ts';
import { machinery } from './engine.ts';
import type { ReportOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectHosts, unknownName } from './selection.ts';
import { expandHosts, openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

interface RunOptions extends ReportOptions {
  readonly host: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** One procedure on one host. */
export async function runCommand(
  terminal: Terminal,
  options: RunOptions,
  [id = '']: readonly string[],
): Promise<number> {
  if (!options.dryRun) needsYes('run', options, terminal);
  const site = await openSite(options, terminal);
  const hosts = selectHosts(site.hosts, { host: options.host, group: [], role: [] });
  const work = await expandHosts(site, hosts, { procedure: id, parameters: options.set });
  const [one, procedure] = pickProcedure(work, id);
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

/** The host and the procedure meant by ROLE/PROCEDURE; a procedure is never run on two hosts by one command. */
export function pickProcedure(work: readonly HostWork[], id: string): [HostWork, Procedure] {
  const having = work.flatMap((one) => {
    const procedure = one.procedures.find((candidate) => candidate.id === id);
    return procedure ? [[one, procedure] as [HostWork, Procedure]] : [];
  });
  const [first, ...more] = having;
  if (first === undefined) {
    const known = new Set(work.flatMap((one) => one.procedures.map((procedure) => procedure.id)));
    throw unknownName('procedure', id, [...known]);
  }
  if (more.length === 0) return first;
  throw new ProvisionError(
    'input',
    `${having.length} hosts have the procedure ${id}; it runs on one at a time`,
    {
      hint: `choose with --host: ${having.map(([one]) => one.host.name).join(', ')}`,
    },
  );
}
