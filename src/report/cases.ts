import { type ProvisionError, showWhere, type Where } from '../model/errors.ts';
import type { Command, HostRun, ShownChange, ShownStep } from '../model/run.ts';
import type { Value } from '../model/state.ts';

/** One flat record per thing that can be right or wrong, as test report formats want it. */
export interface Case {
  readonly host: string;
  /** Role, or what stands in for it. */
  readonly role: string;
  readonly id: string;
  readonly status: 'pass' | 'fail' | 'unknown' | 'skip';
  readonly message: string;
  readonly from?: Where | undefined;
  readonly properties?: readonly { readonly name: string; readonly have: Value; readonly want: Value }[];
}

/** Everything one command found on one host. Never empty: an empty test report reads as "fine" to most tools. */
export function casesOf(command: Command, run: HostRun): Case[] {
  const { host } = run;
  const cases: Case[] = [
    ...(run.error ? [errorCase(host, run.error)] : []),
    ...run.changes.map((change) => changeCase(command, host, change)),
    ...run.unknown.map(
      ({ id, from, reason }): Case => ({
        host,
        role: 'resources',
        id,
        status: 'unknown',
        message: reason,
        from,
      }),
    ),
    ...run.steps.map((step, index) => stepCase(host, step, index)),
    ...run.checks.map(
      ({ id, about, outcome, message, from }): Case => ({
        host,
        role: id.split('/')[0] ?? '',
        id,
        status: outcome,
        message: outcome === 'pass' ? about : `${about}\n${message}`,
        from,
      }),
    ),
  ];
  const asWanted = run.total - run.changes.length - run.unknown.length;
  // A host that ended in an error was not compared to its end.
  if ((command === 'diff' || command === 'apply') && asWanted > 0 && !run.error) {
    const message = `${asWanted} of ${run.total} are as wanted`;
    cases.push({ host, role: 'resources', id: 'as-wanted', status: 'pass', message });
  }
  if (cases.length === 0) {
    cases.push({ host, role: 'host', id: 'nothing', status: 'skip', message: `nothing to ${command}` });
  }
  return cases;
}

/** Mistakes in the input, found before any host was contacted. */
export function inputCases(errors: readonly ProvisionError[]): Case[] {
  return errors.map((error) => ({
    ...errorCase(error.host ?? 'input', error),
    role: 'input',
    id: error.where ? showWhere(error.where) : error.code,
  }));
}

type ErrorLike = Pick<ProvisionError, 'code' | 'message' | 'hint' | 'where'> | NonNullable<HostRun['error']>;

function errorCase(host: string, { code, message, hint, where }: ErrorLike): Case {
  const text = hint ? `${message}\n${hint}` : message;
  return { host, role: 'host', id: code, status: 'unknown', message: text, from: where };
}

function changeCase(command: Command, host: string, change: ShownChange): Case {
  const { role, id, from, properties, outcome, cause } = change;
  const names = properties.map(({ name }) => name).join(', ');
  const lines = [`${outcome === 'planned' ? cause : `${cause}, ${outcome}`}: ${names || change.action}`];
  if (change.text !== undefined) lines.push(change.text.trimEnd());
  // Formats show the first line of a skipped test only: there the reason is worth more than the properties.
  if (change.message) lines.splice(outcome === 'skipped' ? 0 : 1, 0, change.message.trimEnd());
  return {
    host,
    role,
    id,
    status: changeStatus(command, outcome),
    message: lines.join('\n'),
    from,
    properties,
  };
}

/** In diff what differs is a failed test; after apply only what is still not as wanted is. */
function changeStatus(command: Command, outcome: ShownChange['outcome']): Case['status'] {
  if (outcome === 'done') return 'pass';
  if (outcome === 'skipped') return 'skip';
  if (outcome === 'planned') return command === 'diff' ? 'fail' : 'skip';
  return 'fail';
}

function stepCase(host: string, step: ShownStep, index: number): Case {
  const statuses = {
    done: 'pass',
    already: 'pass',
    planned: 'skip',
    skipped: 'skip',
    failed: 'fail',
  } as const;
  const status = step.outcome === 'unknown' ? 'unknown' : statuses[step.outcome];
  const message = [step.outcome, step.command && `$ ${step.command}`, step.message]
    .filter((line) => line)
    .join('\n');
  return { host, role: 'step', id: `${step.number ?? index + 1} ${step.about}`, status, message };
}
