import { readFile } from 'node:fs/promises';
import type { SavedPlan } from '../engine/saved.ts';
import { reason } from '../inventory/read.ts';
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
  const { work, meant } = await selectedWork(selectionOf(saved, options), terminal);
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
    texts: options.verbose || options.format !== 'text',
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
    throw new ProvisionError('input', `the plan ${file} cannot be read: ${reason(error)}`, {
      hint: 'make one with `provision diff --out FILE`',
    });
  });
  return readPlan(text, file);
}

/** A saved plan says what it is about: hosts, roles and ids come from it, and a second opinion on them is a mistake. */
function selectionOf<O extends Pick<WorkOptions, 'host' | 'group' | 'role' | 'only'>>(
  saved: SavedPlan | undefined,
  options: O,
): O {
  if (saved === undefined) return options;
  const { host, group, role, only } = options;
  if (host.length + group.length + role.length + only.length > 0) {
    throw new ProvisionError('input', 'a saved plan says itself which hosts, roles and ids it is about', {
      hint: 'leave out --host, --group, --role and --only, or make a new plan with them. No host was contacted',
    });
  }
  return { ...options, host: saved.hosts.map((one) => one.host), role: saved.role, only: saved.only };
}
