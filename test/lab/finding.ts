import { expect } from 'vitest';
import { type ProvisionOptions, runProvision } from './cli.ts';

/** A site, and with what the program is run on it: `cwd`, and `env` where it has secrets. */
export type LabSite = ProvisionOptions;

/** What several hosts show together, as `diff` and `check` tell it. */
export interface ToldFinding {
  readonly rule: string;
  readonly hosts: readonly string[];
  readonly suspect: string | null;
  readonly message: string;
  readonly hint: string;
  readonly procedure: string | null;
}

/** What one command came to, for stories: what is not well, and what is said to be at the bottom of it. */
export interface Seen {
  readonly exit: number;
  readonly findings: readonly ToldFinding[];
  /** `pbs unknown pbs/stores-present`, each check that did not pass. */
  readonly checks: readonly string[];
  /** `pbs drift pbs_datastore:main`, each change that is due. */
  readonly changes: readonly string[];
  readonly said: string;
}

interface Report {
  readonly exit: number;
  readonly findings: readonly ToldFinding[];
  readonly hosts: readonly {
    readonly host: string;
    readonly checks: readonly { readonly id: string; readonly outcome: string }[];
    readonly changes: readonly { readonly id: string; readonly cause: string }[];
  }[];
}

/** Runs `diff`, `check` or `apply` on a site and reads its report. */
export async function see(site: LabSite, ...args: readonly string[]): Promise<Seen> {
  const ended = await runProvision([...args, '--format', 'json'], { ...site, limit: 300_000 });
  const said = `provision ${args.join(' ')} ended with ${ended.code}\n${ended.stderr}${ended.stdout}`;
  if (!ended.stdout.startsWith('{')) throw new Error(said);
  const { exit, findings, hosts }: Report = JSON.parse(ended.stdout);
  return {
    exit,
    findings,
    checks: hosts.flatMap(({ host, checks }) =>
      checks.flatMap(({ id, outcome }) => (outcome === 'pass' ? [] : [`${host} ${outcome} ${id}`])),
    ),
    changes: hosts.flatMap(({ host, changes }) => changes.map(({ id, cause }) => `${host} ${cause} ${id}`)),
    said,
  };
}

/** The one finding there is; anything else fails the test. */
export function only(seen: Seen): ToldFinding {
  expect(
    seen.findings.map(({ rule }) => rule),
    seen.said,
  ).toHaveLength(1);
  const [finding] = seen.findings;
  if (finding === undefined) throw new Error(seen.said);
  return finding;
}

/** What a procedure said and came to. */
export interface Followed {
  readonly exit: number | null;
  /** What it saw, and what it did step by step, as people read it. */
  readonly said: string;
}

/**
 * Runs exactly the command line that a finding names, as somebody who copies it and says yes; `more` is what its refusal asks for in
 * addition.
 */
export async function follow(
  site: LabSite,
  command: string | null,
  ...more: readonly string[]
): Promise<Followed> {
  const [program, ...words] = (command ?? '').split(' ');
  expect(program).toBe('provision');
  const { code, stdout, stderr } = await runProvision([...words, ...more, '--yes'], {
    ...site,
    limit: 300_000,
  });
  return { exit: code, said: `${words.join(' ')}\n${stdout}${stderr}` };
}
