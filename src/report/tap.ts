import type { ProvisionError } from '../model/errors.ts';
import { showWhere } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { Command, HostRun } from '../model/run.ts';
import { type Case, casesOf, inputCases } from './cases.ts';
import { findingCases } from './findings.ts';
import { visibleJson, visibleLine } from './visible.ts';

/** TAP version 14: the plan first, one test point per change, check or step, a YAML block below each that is not ok. */
export function tapReport(
  command: Command,
  runs: readonly HostRun[],
  findings: readonly Finding[] = [],
): string {
  return document([...runs.flatMap((run) => casesOf(command, run)), ...findingCases(findings, runs)]);
}

/** Mistakes in the input as a report, so that a CI job does not find an empty file. */
export function tapErrors(errors: readonly ProvisionError[]): string {
  return document(inputCases(errors));
}

function document(cases: readonly Case[]): string {
  const lines = [
    'TAP version 14',
    `1..${cases.length}`,
    ...cases.flatMap((one, index) => point(one, index + 1)),
  ];
  return `${lines.join('\n')}\n`;
}

function point(one: Case, number: number): string[] {
  const description = escapeTap(`${one.host} ${one.id}`);
  const [first = ''] = one.message.split('\n');
  if (one.status === 'pass') return [`ok ${number} - ${description}`];
  if (one.status === 'skip') return [`ok ${number} - ${description} # SKIP ${escapeTap(first)}`];
  const properties = one.properties ?? [];
  return [
    `not ok ${number} - ${description}`,
    '  ---',
    `  severity: ${one.status}`,
    `  message: ${quoted(one.message)}`,
    `  role: ${quoted(one.role)}`,
    ...(one.from ? [`  at: ${quoted(showWhere(one.from))}`] : []),
    ...(properties.length > 0 ? ['  have:'] : []),
    ...properties.map(({ name, have }) => `    ${quoted(name)}: ${quoted(have)}`),
    ...(properties.length > 0 ? ['  want:'] : []),
    ...properties.map(({ name, want }) => `    ${quoted(name)}: ${quoted(want)}`),
    '  ...',
  ];
}

/** A JSON scalar is a YAML scalar, on one line whatever is in it. */
function quoted(value: string | number | boolean | null): string {
  return visibleJson(JSON.stringify(value));
}

/** `#` would start a directive ("# SKIP" in a host's file name must not skip a test), `\` escapes it. */
function escapeTap(text: string): string {
  return visibleLine(text.replace(/\\/g, '\\\\').replace(/#/g, '\\#'));
}
