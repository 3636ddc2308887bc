import type { Finding } from '../model/finding.ts';
import type { Command, HostRun } from '../model/run.ts';
import { jsonReport } from '../report/json.ts';
import { junitReport } from '../report/junit.ts';
import { tapReport } from '../report/tap.ts';
import { textReport } from '../report/text.ts';
import { paletteFor } from './colours.ts';
import type { ReportOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

/** Prints the report of a command in the format asked for. */
export function printReport(
  command: Command,
  runs: readonly HostRun[],
  exit: number,
  options: ReportOptions,
  terminal: Terminal,
  findings: readonly Finding[] = [],
): void {
  terminal.out(reportText(command, runs, exit, options, terminal, findings));
}

function reportText(
  command: Command,
  runs: readonly HostRun[],
  exit: number,
  options: ReportOptions,
  terminal: Terminal,
  findings: readonly Finding[],
): string {
  if (options.format === 'json') return jsonReport(command, exit, runs, findings);
  if (options.format === 'junit') return junitReport(command, runs, findings);
  if (options.format === 'tap') return tapReport(command, runs, findings);
  const palette = paletteFor('out', options.color, terminal);
  return textReport(command, runs, { palette, verbose: options.verbose }, findings);
}
