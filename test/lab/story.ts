import { expect } from 'vitest';
import { runProvision } from './cli.ts';
import { changes, type LabHost } from './lab.ts';

/** One change, one check, one step of a report, with the host it belongs to. */
export interface ToldChange {
  readonly host: string;
  readonly id: string;
  readonly action: string;
  readonly cause: string;
  readonly outcome: string;
  readonly properties: readonly { readonly name: string; readonly have: unknown; readonly want: unknown }[];
  readonly text: string | null;
  readonly message: string | null;
}

export interface ToldCheck {
  readonly id: string;
  readonly outcome: string;
  readonly message: string;
}

interface ToldHost {
  readonly host: string;
  readonly changes: readonly Omit<ToldChange, 'host'>[];
  readonly unknown: readonly { readonly id: string; readonly reason: string }[];
  readonly checks: readonly ToldCheck[];
  readonly steps: readonly {
    readonly about: string;
    readonly outcome: string;
    readonly message: string | null;
  }[];
  readonly orphans: readonly string[];
  readonly notices: readonly string[];
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
}

/** What a command said, read from its report. */
export interface Told {
  readonly exit: number | null;
  readonly hosts: readonly ToldHost[];
  readonly changes: readonly ToldChange[];
  readonly checks: readonly ToldCheck[];
  /** All that was printed, for the message of a failing expectation. */
  readonly said: string;
}

/** Runs one command of the real program on a site and reads its report. */
export async function tell(site: string, ...args: readonly string[]): Promise<Told> {
  const { code, stdout, stderr } = await runProvision([...args, '--format', 'json'], { cwd: site });
  const head = `provision ${args.join(' ')} ended with ${code}\n${stderr}`;
  if (!stdout.startsWith('{')) throw new Error(head + stdout);
  const { hosts } = JSON.parse(stdout) as { hosts: ToldHost[] };
  return {
    exit: code,
    hosts,
    changes: hosts.flatMap((one) => one.changes.map((change) => ({ host: one.host, ...change }))),
    checks: hosts.flatMap(({ checks }) => checks),
    said: [head, ...hosts.map(brief)].join('\n'),
  };
}

function brief(one: ToldHost): string {
  const lines = [
    ...one.changes.map(({ id, cause, outcome, properties, message, text }) => {
      const values = properties.map(({ name, have, want }) => `${name} ${have} -> ${want}`);
      return `${outcome} (${cause}) ${id}: ${values.join(', ')}${message ? `; ${message}` : ''}${text ? `\n${text}` : ''}`;
    }),
    ...one.unknown.map(({ id, reason }) => `unknown ${id}: ${reason}`),
    ...one.checks.map(({ id, outcome, message }) => `${outcome} ${id}: ${message}`),
    ...one.steps.map(
      ({ about, outcome, message }) => `${outcome} step: ${about}${message ? `; ${message}` : ''}`,
    ),
    ...one.orphans.map((id) => `orphan ${id}`),
    ...one.notices.map((notice) => `notice: ${notice}`),
    ...(one.error ? [`error ${one.error.code}: ${one.error.message} (${one.error.hint})`] : []),
  ];
  return `${one.host}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** Ids in the order of the plan. */
export function ids(told: Told): string[] {
  return told.changes.map(({ id }) => id);
}

/** `pass`, `fail` or `unknown` by id of the check. */
export function outcomes(told: Told): Record<string, string> {
  return Object.fromEntries(told.checks.map(({ id, outcome }) => [id, outcome]));
}

/** Ids of the checks that did not pass, sorted. */
export function notPassed(told: Told): string[] {
  return told.checks.flatMap(({ id, outcome }) => (outcome === 'pass' ? [] : [id])).sort();
}

/** What the checks are to come to: exit code of `apply` and `check`, and the checks that do not pass. */
export interface Expected {
  readonly exit: number;
  readonly notPassed: readonly string[];
}

export const allGreen: Expected = { exit: 0, notPassed: [] };

export interface Watched {
  readonly host: LabHost;
  /** Directories in which nothing may happen by itself. */
  readonly dirs: readonly string[];
  readonly ignore?: readonly string[];
}

/** Looks at a host, does something, and answers with what is different afterwards. */
export async function changedBy(
  { host, dirs, ignore }: Watched,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const options = ignore === undefined ? {} : { ignore };
  const before = await host.snapshot(dirs, options);
  await work();
  return changes(before, await host.snapshot(dirs, options));
}

/** diff (touches nothing) -> apply -> diff -> apply (touches nothing). Answers with the first diff and the first apply. */
export async function converges(
  site: string,
  watched: Watched,
  expected: Expected = allGreen,
): Promise<{ readonly diff: Told; readonly apply: Told }> {
  let diff: Told | undefined;
  const touched = await changedBy(watched, async () => {
    diff = await tell(site, 'diff');
  });
  if (diff === undefined) throw new Error('no diff');
  expect(diff.exit, diff.said).toBe(2);
  expect(touched).toEqual([]);
  const apply = await tell(site, 'apply', '--yes');
  expect(apply.exit, apply.said).toBe(expected.exit);
  expect(new Set(apply.changes.map(({ outcome }) => outcome)), apply.said).toEqual(new Set(['done']));
  // What diff showed is what apply did.
  expect(ids(apply)).toEqual(ids(diff));
  expect(notPassed(apply), apply.said).toEqual([...expected.notPassed].sort());
  const after = await tell(site, 'diff');
  expect(after.exit, after.said).toBe(0);
  const again = await changedBy(watched, async () => {
    const second = await tell(site, 'apply', '--yes');
    expect(second.changes, second.said).toEqual([]);
  });
  expect(again).toEqual([]);
  return { diff, apply };
}

/** One hand edit: diff calls exactly these ids drift, apply mends exactly them, and nothing is left to do. */
export async function mends(
  site: string,
  host: LabHost,
  edit: string,
  ...drifted: readonly string[]
): Promise<Told> {
  await host.sh(edit);
  const diff = await tell(site, 'diff');
  expect(diff.exit, `${edit}\n${diff.said}`).toBe(2);
  expect(
    diff.changes.map(({ id, cause }) => `${cause} ${id}`),
    `${edit}\n${diff.said}`,
  ).toEqual(drifted.map((id) => `drift ${id}`));
  const apply = await tell(site, 'apply', '--yes');
  expect(
    apply.changes.map(({ id, outcome }) => `${outcome} ${id}`),
    `${edit}\n${apply.said}`,
  ).toEqual(drifted.map((id) => `done ${id}`));
  return diff;
}

/** `check` comes to exactly this. */
export async function checks(site: string, expected: Expected = allGreen): Promise<Told> {
  const told = await tell(site, 'check');
  expect(notPassed(told), told.said).toEqual([...expected.notPassed].sort());
  expect(told.exit, told.said).toBe(expected.exit);
  return told;
}
