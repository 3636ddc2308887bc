import { ProvisionError } from '../model/errors.ts';
import type { HostRun } from '../model/run.ts';
import { plural } from '../report/summary.ts';
import { textReport } from '../report/text.ts';
import { paletteFor } from './colours.ts';
import type { ReportOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

type ApprovalOptions = ReportOptions & { readonly yes: boolean };

/** Before anything is contacted: without a terminal to ask on, the yes must have been given. */
export function needsYes(command: string, options: ApprovalOptions, terminal: Terminal): void {
  if (options.yes || terminal.interactive) return;
  throw new ProvisionError('input', `${command} changes hosts, and there is no terminal to ask on`, {
    hint: 'add --yes to go ahead without being asked. No host was contacted',
  });
}

/**
 * Shows what will be done and asks. The plan goes where the report does not: a person who asked for JSON reads it on
 * standard error, and standard output stays one document.
 */
export async function approval(
  runs: readonly HostRun[],
  options: ApprovalOptions,
  terminal: Terminal,
): Promise<boolean> {
  const question = questionOf(runs);
  if (options.yes || question === null) return true;
  const stream = options.format === 'text' ? 'out' : 'err';
  const colours = paletteFor(stream, options.color, terminal);
  const command = runs.some((run) => run.steps.length > 0) ? 'run' : 'diff';
  terminal[stream](textReport(command, runs, { palette: colours, verbose: options.verbose }));
  terminal[stream]('\n');
  const answer = (await terminal.ask(`${question} Only "yes" goes on: `)).trim();
  if (answer === 'yes') return true;
  terminal.err('Nothing was changed.\n');
  return false;
}

/** "Make 3 changes on 2 hosts (pve2, pve3)?", or null when there is nothing to ask for. */
export function questionOf(runs: readonly HostRun[]): string | null {
  const planned = runs.map((run) => ({
    host: run.host,
    changes: run.changes.filter(({ outcome }) => outcome === 'planned').length,
    steps: run.steps.filter(({ outcome }) => outcome === 'planned').length,
  }));
  const busy = planned.filter(({ changes, steps }) => changes + steps > 0);
  if (busy.length === 0) return null;
  const sum = (kind: 'changes' | 'steps') => busy.reduce((total, one) => total + one[kind], 0);
  const what = [
    sum('changes') > 0 ? `make ${plural(sum('changes'), 'change')}` : '',
    sum('steps') > 0 ? `run ${plural(sum('steps'), 'step')}` : '',
  ].filter((part) => part !== '');
  const hosts = busy.map(({ host }) => host);
  const named = hosts.length > 8 ? `${hosts.slice(0, 8).join(', ')}, ...` : hosts.join(', ');
  const text = `${what.join(' and ')} on ${hosts.length === 1 ? named : `${hosts.length} hosts (${named})`}?`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
