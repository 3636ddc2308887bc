import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reason } from '../inventory/read.ts';
import { ProvisionError } from '../model/errors.ts';
import { correlated } from './correlated.ts';
import { machinery } from './engine.ts';
import type { WorkOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectedWork } from './site.ts';
import type { Terminal } from './terminal.ts';

type DiffOptions = WorkOptions & { readonly out?: string };

/** What differs, on every host; with --out also the plan as a file. */
export async function diffCommand(terminal: Terminal, options: DiffOptions): Promise<number> {
  if (options.out !== undefined) await checkWritable(options.out);
  const { site, work, meant } = await selectedWork(options, terminal);
  const [{ diff }, { exitCode }] = await Promise.all([
    import('../engine/diff.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { engine, stop } = await machinery('diff', options, terminal);
  const { runs, plans } = await diff(work, engine, meant.resource).finally(stop);
  const exit = exitCode('diff', runs);
  printReport('diff', runs, exit, options, terminal, await correlated(site, work, runs));
  if (options.out !== undefined) {
    // A plan that leaves out a host that did not answer would later be "applied exactly" without it.
    const failed = runs.filter((run) => run.error !== undefined).map((run) => run.host);
    if (failed.length > 0) {
      terminal.err(`No plan was saved: ${failed.join(', ')} could not be looked at.\n`);
      return exit;
    }
    const { writePlan } = await import('../engine/saved.ts');
    const { out } = options;
    await writeFile(out, writePlan(plans, options), { mode: 0o600 }).catch((error: unknown) => {
      throw unwritable(out, reason(error));
    });
    terminal.err(`Plan saved. Apply exactly this with: provision apply --plan ${options.out}\n`);
  }
  return exit;
}

/** A plan that cannot be saved is known before any host is contacted, not after all of them have been looked at. */
async function checkWritable(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw unwritable(file, 'it is a directory');
  const folder = dirname(file);
  await access(there ? file : folder, constants.W_OK).catch((error: unknown) => {
    throw unwritable(file, there ? reason(error) : `${folder}: ${reason(error)}`);
  });
}

function unwritable(file: string, why: string): ProvisionError {
  return new ProvisionError('input', `the plan cannot be written to ${file}: ${why}`, {
    hint: 'name a file in a directory that is there and that you may write to',
  });
}
