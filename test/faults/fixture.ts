import { type Finished, type ProvisionOptions, runProvision } from '../lab/cli.ts';
import type { LabHost } from '../lab/lab.ts';
import { mustRun } from '../lab/machine.ts';
import { inventoryFor, type SiteOptions } from '../lab/site.ts';

type Data = Readonly<Record<string, unknown>>;

/** Name of the one role of these tests. */
export const role = 'faults';

/** A site whose hosts all have one role with these resources. Give `dir` to write it again over an earlier one. */
export function siteWith(
  hosts: readonly LabHost[],
  resources: readonly Data[],
  options: SiteOptions & { readonly role?: Data } = {},
  dir?: string,
): string {
  const { files, role: more, ...rest } = options;
  const text = {
    role,
    about: 'Resources for tests of faults.',
    platforms: ['pve', 'synology', 'linux'],
    variables: {},
    resources,
    ...more,
  };
  return inventoryFor(
    hosts,
    { roles: [role], ...rest, files: { [`roles/${role}/role.yaml`]: text, ...files } },
    dir,
  );
}

/** Runs the program on a site. Any exit code is an answer. */
export function provision(
  cwd: string,
  args: readonly string[],
  options: Partial<ProvisionOptions> = {},
): Promise<Finished> {
  return runProvision(args, { cwd, ...options });
}

/** Exit code and everything it said, so that a failing expectation shows the reason. */
export function told({ code, stdout, stderr }: Finished): string {
  return `exit ${code}\n${stderr}${stdout}`;
}

/** Ids of the changes that a diff names, sorted. */
export async function differing(cwd: string, args: readonly string[] = []): Promise<string[]> {
  const { stdout } = await provision(cwd, ['diff', '--format', 'json', ...args]);
  return hostsOf(stdout)
    .flatMap(({ changes }) => changes.map(({ id }) => id))
    .sort();
}

interface ReportedHost {
  readonly host: string;
  readonly changes: readonly {
    readonly id: string;
    readonly cause: string;
    readonly outcome: string;
    readonly message?: string;
  }[];
  readonly notices: readonly string[];
}

/** The hosts of a report in JSON. */
export function hostsOf(report: string): readonly ReportedHost[] {
  return (JSON.parse(report) as { hosts: ReportedHost[] }).hosts;
}

/**
 * A file whose validator waits during apply, and only then, for as long as the gate is shut: the moment in which a test lets
 * something happen. It is over after 55 s at the latest.
 */
export function gatedFile(path: string, content: string, gate: string): Data {
  const wait = 'case $1 in */lib/provision/runs/*) while [ -e "$2" ]; do sleep 0.05; done ;; esac';
  return { file: path, content, verify: ['/bin/sh', '-c', wait, 'sh', '{file}', gatePath(gate)] };
}

export async function shut(host: LabHost, ...gates: readonly string[]): Promise<void> {
  await host.sh(`: >${gates.map(gatePath).join(' >')}`);
}

export async function open(host: LabHost, ...gates: readonly string[]): Promise<void> {
  await host.sh(`rm -f ${gates.map(gatePath).join(' ')}`);
}

function gatePath(gate: string): string {
  return `/run/gate-${gate}`;
}

/** Waits on the host until shell text succeeds. */
export async function until(host: LabHost, condition: string, seconds = 20): Promise<void> {
  const script = `n=0
until ${condition}; do
  n=$((n + 1))
  [ $n -lt ${seconds * 20} ] || { echo 'it did not come to this: ${condition.replaceAll("'", '')}' >&2; exit 1; }
  sleep 0.05
done`;
  await host.sh(script);
}

/** Shell text: directory of the newest run on the host. */
export const newestRun = '/var/lib/provision/runs/$(ls /var/lib/provision/runs | tail -n 1)';

/** Shell text: a run that is not over has written this line into its log. */
export function journal(line: string): string {
  return `{ [ ! -e ${newestRun}/ended ] && grep -q ' ${line}$' ${newestRun}/log 2>/dev/null; }`;
}

/** Shell text: no detached program of ours is left. */
export const idle = `{ [ -z "$(ls /var/lib/provision/runs)" ] || [ -e ${newestRun}/ended ]; }`;

/** Shell text: a script of ours is being read or run over ssh. */
export const busy = "ps -eo args | grep -qx '/bin/sh -s'";

/** Number of the host's first process as this machine counts: `/proc/PID/root` is its tree, for what no container may do itself. */
export async function pidOf(host: LabHost): Promise<string> {
  return (await mustRun(['docker', 'inspect', '--format', '{{.State.Pid}}', host.container])).trim();
}
