import type { ProvisionError } from '../model/errors.ts';
import { showWhere } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { Command, HostRun } from '../model/run.ts';
import { type Case, casesOf, inputCases } from './cases.ts';
import { findingCases } from './findings.ts';

/**
 * JUnit XML: a testsuite per host, a testcase per change, check or step. "Could not look" is an `<error>`, not a
 * `<failure>`: CI tools show the two apart.
 */
export function junitReport(
  command: Command,
  runs: readonly HostRun[],
  findings: readonly Finding[] = [],
): string {
  const together = findingCases(findings, runs);
  return document(command, [
    ...runs.map((run) => suite(run.host, run.seconds, casesOf(command, run))),
    ...(together.length > 0 ? [suite('across hosts', 0, together)] : []),
  ]);
}

/** Mistakes in the input as a report, so that a CI job does not find an empty file. */
export function junitErrors(command: string, errors: readonly ProvisionError[]): string {
  return document(command, [suite('input', 0, inputCases(errors))]);
}

interface Suite {
  readonly xml: string;
  readonly counts: readonly number[];
}

function document(command: string, suites: readonly Suite[]): string {
  const [tests, failures, errors, skipped] = [0, 1, 2, 3].map((index) =>
    suites.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0),
  );
  const head = attributes({ name: `provision ${command}`, tests, failures, errors, skipped });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${head}>\n${suites.map(({ xml }) => xml).join('')}</testsuites>\n`;
}

function suite(host: string, seconds: number, cases: readonly Case[]): Suite {
  const count = (status: Case['status']) => cases.filter((one) => one.status === status).length;
  const counts = [cases.length, count('fail'), count('unknown'), count('skip')];
  const [tests, failures, errors, skipped] = counts;
  const head = attributes({ name: host, tests, failures, errors, skipped, time: seconds.toFixed(3) });
  return { xml: `  <testsuite${head}>\n${cases.map(testcase).join('')}  </testsuite>\n`, counts };
}

const elements = { fail: 'failure', unknown: 'error', skip: 'skipped' } as const;

function testcase({ role, id, status, message, from, properties }: Case): string {
  const head = attributes({ classname: role, name: id, file: from?.file, line: from?.line });
  if (status === 'pass') return `    <testcase${head}/>\n`;
  const [first = ''] = message.split('\n');
  const element = elements[status];
  const body = [
    message,
    ...(properties ?? []).map(({ name, have, want }) => `${name}: have ${json(have)}, want ${json(want)}`),
    ...(from ? [showWhere(from)] : []),
  ].join('\n');
  const content = status === 'skip' ? '/>' : `>${escapeXml(body)}</${element}>`;
  return `    <testcase${head}>\n      <${element}${attributes({ message: first })}${content}\n    </testcase>\n`;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replace(/[\t\n\r]/g, ' ')}"`)
    .join('');
}

/** XML 1.0 has no way to write control characters, lone surrogates, U+FFFE and U+FFFF: they are left out. */
const forbidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Zero-width and direction marks, with which a text reads differently from what it is: allowed, so they are written by number. */
const misleading = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function escapeXml(text: string): string {
  return text
    .replace(forbidden, '')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(misleading, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}
