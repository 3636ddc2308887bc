import type { CheckResult } from '../model/check.ts';
import { showWhere } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { Command, HostRun, ShownStep, ShownUnknown } from '../model/run.ts';
import { findingsText } from './findings.ts';
import type { Palette } from './palette.ts';
import { indent, type TextOptions } from './paragraphs.ts';
import { summaryLines } from './summary.ts';
import { severity } from './tally.ts';
import { changeText } from './text-change.ts';
import { hostErrorText } from './text-error.ts';
import { visible, visibleLine } from './visible.ts';

/** The report for people: what is wrong first, what is as wanted only counted. Ends with a line break. */
export function textReport(
  command: Command,
  runs: readonly HostRun[],
  options: TextOptions,
  findings: readonly Finding[] = [],
): string {
  const worstFirst = [...runs].sort((a, b) => severity(b) - severity(a));
  const sections = worstFirst.map((run) => hostText(command, run, options)).filter((text) => text !== '');
  const together = findingsText(findings, options.palette);
  const lines = summaryLines(command, runs, options.palette).join('\n');
  return `${[...sections, ...(together === '' ? [] : [together]), lines].join('\n\n')}\n`;
}

function hostText(command: Command, run: HostRun, options: TextOptions): string {
  const lines = [
    ...(run.error ? hostErrorText(command, run, run.error, options) : []),
    ...changeLines(command, run, options),
    ...(run.found ?? []).map((line) => `${options.palette.faint('found')} ${visibleLine(line)}`),
    ...run.steps.flatMap((step, index) => stepText(step, step.number ?? index + 1, options)),
    ...checkLines(run.checks, options),
    ...run.notices.map((notice) => `note: ${visibleLine(notice)}`),
    ...orphanLines(run.orphans, options.palette),
  ];
  if (lines.length === 0) return '';
  return [options.palette.strong(visibleLine(run.host)), ...indent(lines)].join('\n');
}

const changeOrder = ['failed', 'changed-since-plan', 'refused', 'unknown', 'skipped', 'planned', 'done'];

function changeLines(command: Command, run: HostRun, options: TextOptions): string[] {
  // Within one outcome the order is the plan's: that is the order in which it happens.
  const all = [
    ...run.changes.map((change) => ({
      outcome: change.outcome,
      lines: () => changeText(command, change, options),
    })),
    ...run.unknown.map((unknown) => ({ outcome: 'unknown', lines: () => unknownText(unknown, options) })),
  ];
  return all
    .sort((a, b) => changeOrder.indexOf(a.outcome) - changeOrder.indexOf(b.outcome))
    .flatMap((entry) => entry.lines());
}

function unknownText({ id, reason, from }: ShownUnknown, { palette, verbose }: TextOptions): string[] {
  return [
    `${palette.unsure('! ')}${visibleLine(id)}  ${palette.unsure('unknown: could not look')}`,
    ...indent([visibleLine(reason)], 4),
    ...(verbose ? indent([palette.faint(visibleLine(showWhere(from)))], 4) : []),
  ];
}

function stepText(step: ShownStep, number: number, { palette, verbose }: TextOptions): string[] {
  const paint = { done: palette.good, already: palette.good, planned: palette.change, failed: palette.bad };
  const mark =
    step.outcome === 'skipped' || step.outcome === 'unknown' ? palette.unsure : paint[step.outcome];
  // A command of many lines was shown before it was agreed to; once it is done it only hides what came of it.
  const long = step.outcome === 'done' && step.command.includes('\n');
  const withCommand = verbose || (step.outcome !== 'already' && !long);
  return [
    `${String(number).padStart(2)} ${mark(step.outcome.padEnd(8))} ${visibleLine(step.about)}`,
    ...(withCommand ? commandLines(step.command).flatMap((line) => indent([palette.faint(line)], 12)) : []),
    ...messageLines(step.message, 12),
  ];
}

/** The exact command, all its lines. */
function commandLines(command: string): string[] {
  if (command === '') return [];
  return visible(command)
    .split('\n')
    .map((line, index) => `${index === 0 ? '$' : ' '} ${line}`);
}

const checkOrder = ['fail', 'unknown', 'pass'];

function checkLines(checks: readonly CheckResult[], { palette, verbose }: TextOptions): string[] {
  const paint = { fail: palette.bad, unknown: palette.unsure, pass: palette.good };
  const head = (check: CheckResult): string =>
    `${paint[check.outcome](check.outcome.padEnd(7))} ${visibleLine(check.id)}  ${palette.faint(visibleLine(check.about))}`;
  const shown = checks
    .filter((check) => verbose || check.outcome !== 'pass')
    .sort((a, b) => checkOrder.indexOf(a.outcome) - checkOrder.indexOf(b.outcome));
  return alike(shown).flatMap((group) => [
    ...group.flatMap((check) => [
      head(check),
      ...(verbose ? indent([palette.faint(visibleLine(showWhere(check.from)))], 8) : []),
    ]),
    ...(group[0]?.outcome === 'pass' ? [] : messageLines(group[0]?.message, 8)),
  ]);
}

/** Checks that say the same, together: one cause is told once. */
function alike(checks: readonly CheckResult[]): CheckResult[][] {
  const groups = new Map<string, CheckResult[]>();
  for (const check of checks) {
    const key = `${check.outcome}\n${check.message}`;
    const group = groups.get(key);
    if (group) group.push(check);
    else groups.set(key, [check]);
  }
  return [...groups.values()];
}

function orphanLines(orphans: readonly string[], palette: Palette): string[] {
  if (orphans.length === 0) return [];
  return [
    'no longer in the repository, left as they are on the host:',
    ...indent(orphans.map((id) => palette.faint(visibleLine(id)))),
  ];
}

/** Output of a command on a host, each line safe and indented. */
function messageLines(message: string | undefined, by: number): string[] {
  if (!message) return [];
  return indent(visible(message).trimEnd().split('\n'), by);
}
