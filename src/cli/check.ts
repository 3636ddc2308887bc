import { correlated } from './correlated.ts';
import { machinery } from './engine.ts';
import type { WorkOptions } from './options.ts';
import { printReport } from './output.ts';
import { selectedWork } from './site.ts';
import type { Terminal } from './terminal.ts';

/** The checklist alone. */
export async function checkCommand(terminal: Terminal, options: WorkOptions): Promise<number> {
  const { site, work, meant } = await selectedWork(options, terminal);
  const [{ check }, { exitCode }] = await Promise.all([
    import('../engine/check.ts'),
    import('../engine/outcome.ts'),
  ]);
  const { withProofs } = await import('./judged.ts');
  const narrowed = (await withProofs(site, work)).map((one) => ({
    ...one,
    checks: one.checks.filter(meant.check),
  }));
  const { engine, stop } = await machinery('check', options, terminal);
  const runs = await check(narrowed, engine).finally(stop);
  const exit = exitCode('check', runs);
  printReport('check', runs, exit, options, terminal, await correlated(site, work, runs));
  return exit;
}
