import { readFile } from 'node:fs/promises';
import type { SavedPlan } from '../engine/saved.ts';
import { ProvisionError } from '../model/errors.ts';
import type { HostRun } from '../model/run.ts';
import { approval, needsYes } from './approval.ts';
import { machinery } from './engine.ts';
import type { WorkOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectedWork } from './site.ts';
import type { Terminal } from './terminal.ts';

type ApplyOptions = WorkOptions & { readonly yes: boolean; readonly plan?: string; readonly wait: number };

/** Makes it so: shows the plan and asks, unless the yes was given. */
export async function applyCommand(terminal: Terminal, options: ApplyOptions): Promise<number> {
  needsYes('apply', options, terminal);
  const saved = options.plan === undefined ? undefined : await savedPlan(options.plan);
  const { work, meant } = await selectedWork(withHostsOf(saved, options), terminal);
  const [{ apply }, { exitCode }] = await Promise.all([
    import('../engine/apply.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { engine, progress, stop } = await machinery('apply', options, terminal);
  let declined = false;
  const approve = async (runs: readonly HostRun[]): Promise<boolean> => {
    progress.clear();
    declined = !(await approval(runs, options, terminal));
    return !declined;
  };
  const runs = await apply(work, engine, {
    selected: meant.resource,
    approve: options.yes ? null : approve,
    saved,
    wait: options.wait,
  }).finally(stop);
  const exit = exitCode('apply', runs);
  // After a no the plan is on the screen already.
  if (!declined || options.format !== 'text') printReport('apply', runs, exit, options, terminal);
  return exit;
}

async function savedPlan(file: string): Promise<SavedPlan> {
  const { readPlan } = await import('../engine/saved.ts');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ProvisionError('input', `the plan ${file} cannot be read: ${reason}`);
  });
  return readPlan(text, file);
}

/** A saved plan names its hosts: without a selection of its own, the command is about these. */
export function withHostsOf<O extends Pick<WorkOptions, 'host' | 'group' | 'role'>>(
  saved: Pick<SavedPlan, 'hosts'> | undefined,
  options: O,
): O {
  const selected = options.host.length + options.group.length + options.role.length > 0;
  if (saved === undefined || selected) return options;
  return { ...options, host: saved.hosts.map(({ host }) => host) };
}
