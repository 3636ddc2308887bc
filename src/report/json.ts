import type { ProvisionError, Where } from '../model/errors.ts';
import type { Finding } from '../model/finding.ts';
import type { HostRun } from '../model/run.ts';
import { findingObject } from './findings.ts';
import { tally } from './tally.ts';
import { visibleJson } from './visible.ts';

/** Raised when a field changes its meaning or goes; new fields do not raise it. docs/report.schema.json describes it. */
export const schemaVersion = 1;

/** One document for the whole command. Keys are always all there and in this order; what is missing is null. */
export function jsonReport(
  command: string,
  exit: number,
  runs: readonly HostRun[],
  findings: readonly Finding[] = [],
): string {
  return jsonDocument({
    schema: schemaVersion,
    command,
    exit,
    hosts: runs.map(hostObject),
    findings: findings.map(findingObject),
    errors: [],
  });
}

/** The same document when the command ended before any host was contacted. */
export function jsonErrors(command: string, exit: number, errors: readonly ProvisionError[]): string {
  const list = errors.map(({ code, message, hint, where, host }) => ({
    ...errorObject({ code, message, hint, where }),
    host: host ?? null,
  }));
  return jsonDocument({ schema: schemaVersion, command, exit, hosts: [], findings: [], errors: list });
}

/** JSON text that is safe to print on a terminal, with a line break at its end. */
export function jsonDocument(value: unknown): string {
  return `${visibleJson(JSON.stringify(value, null, 2))}\n`;
}

function hostObject(run: HostRun) {
  const { changes, causes, unknown, checks, steps } = tally([run]);
  return {
    host: run.host,
    seconds: Math.round(run.seconds * 1000) / 1000,
    total: run.total,
    summary: { changes, causes, unknown, checks, steps },
    changes: run.changes.map((change) => ({
      id: change.id,
      role: change.role,
      action: change.action,
      cause: change.cause,
      outcome: change.outcome,
      properties: change.properties.map(({ name, have, want }) => ({ name, have, want })),
      text: change.text ?? null,
      steps: change.steps,
      message: change.message ?? null,
      from: whereObject(change.from),
    })),
    unknown: run.unknown.map(({ id, reason, from }) => ({ id, reason, from: whereObject(from) })),
    checks: run.checks.map(({ id, about, outcome, message, from }) => ({
      id,
      about,
      outcome,
      message,
      from: whereObject(from),
    })),
    steps: run.steps.map(({ about, command, outcome, message, number }, index) => ({
      about,
      command,
      outcome,
      message: message ?? null,
      number: number ?? index + 1,
    })),
    found: run.found ?? [],
    orphans: run.orphans,
    notices: run.notices,
    error: run.error ? errorObject(run.error) : null,
  };
}

function errorObject({ code, message, hint, where }: NonNullable<HostRun['error']>) {
  return { code, message, hint: hint ?? null, where: where ? whereObject(where) : null };
}

function whereObject({ file, line, column }: Where): Where {
  return { file, line, column };
}
