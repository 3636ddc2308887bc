import { writeFile } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.ts';
import { machinery } from './engine.ts';
import type { WorkOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectedWork } from './site.ts';
import type { Terminal } from './terminal.ts';

type DiffOptions = WorkOptions & { readonly out?: string };

/** What differs, on every host; with --out also the plan as a file. */
export async function diffCommand(terminal: Terminal, options: DiffOptions): Promise<number> {
  const { work, meant } = await selectedWork(options, terminal);
  const [{ diff }, { exitCode }] = await Promise.all([
    import('../engine/diff.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { engine, stop } = await machinery('diff', options, terminal);
  const { runs, plans } = await diff(work, engine, meant.resource).finally(stop);
  const exit = exitCode('diff', runs);
  printReport('diff', runs, exit, options, terminal);
  if (options.out !== undefined) {
    // A plan that leaves out a host that did not answer would later be "applied exactly" without it.
    const failed = runs.filter((run) => run.error !== undefined).map((run) => run.host);
    if (failed.length > 0) {
      terminal.err(`No plan was saved: ${failed.join(', ')} could not be looked at.\n`);
      return exit;
    }
    const { writePlan } = await import('../engine/saved.ts');
    await writeFile(options.out, writePlan(plans, options), { mode: 0o600 }).catch((error: unknown) => {
      throw new ProvisionError('input', `the plan cannot be written to ${options.out}: ${String(error)}`);
    });
    terminal.err(`Plan saved. Apply exactly this with: provision apply --plan ${options.out}\n`);
  }
  return exit;
}
