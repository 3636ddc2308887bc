import { showWhere } from '../model/errors.ts';
import type { HostWork } from '../model/run.ts';
import { jsonDocument, schemaVersion } from '../report/json.ts';
import { visibleLine } from '../report/visible.ts';
import { knownProcedures } from '../roles/catalogue.ts';
import type { Site, SiteHost } from '../roles/site.ts';
import type { ReportOptions, SelectionOptions } from './options.ts';
import { checkId, meant, selectHosts, unknownName } from './selection.ts';
import { expandHosts, openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

type Item = Readonly<Record<string, string | readonly string[]>>;
type ListOptions = ReportOptions & SelectionOptions;

const ofHosts = {
  hosts: (hosts: readonly SiteHost[]): Item[] =>
    hosts.map(({ name, platform, address, groups, roles }) => ({
      host: name,
      platform,
      address: address ?? '',
      groups,
      roles,
    })),
  groups: (hosts: readonly SiteHost[]): Item[] => byName(hosts, 'group', (host) => host.groups),
  roles: (hosts: readonly SiteHost[]): Item[] => byName(hosts, 'role', (host) => host.roles),
};

const ofWork = {
  resources: ({ host, resources }: HostWork): Item[] =>
    resources.map(({ id, role, from }) => ({ host: host.name, id, role, from: showWhere(from) })),
  checks: ({ host, checks }: HostWork): Item[] =>
    checks.map((check) => ({
      host: host.name,
      id: checkId(check),
      about: check.about,
      from: showWhere(check.from),
    })),
};

/** Also those that need parameters: `--set` is part of how they are called. */
async function procedures(
  site: Site,
  hosts: readonly SiteHost[],
  { role }: SelectionOptions,
): Promise<Item[]> {
  const ofRoles = hosts.flatMap(({ name }) =>
    knownProcedures(site, name)
      .filter(({ id }) => role.length === 0 || role.includes(id.slice(0, id.indexOf('/'))))
      .map(({ id, about, from, parameters }) => ({
        host: name,
        id,
        parameters: parameters.map((one) =>
          one.required ? `--set ${one.name}=...` : `[--set ${one.name}=...]`,
        ),
        about,
        from: showWhere(from),
      })),
  );
  return role.length > 0 ? ofRoles : [...ofRoles, ...(await computed(site, hosts))];
}

/** Those that compute belong to no role: once each, with all hosts that they can start from. */
async function computed(site: Site, hosts: readonly SiteHost[]): Promise<Item[]> {
  const { computedProcedures } = await import('../procedures/index.ts');
  const { expanded } = await import('./run-computed.ts');
  const seen = await expanded(site);
  return computedProcedures.flatMap((one) => {
    const can = one.hosts(seen, {}).filter((name) => hosts.some((host) => host.name === name));
    const positional = one.positional ?? [];
    const words = Object.entries(one.parameters).map(([name, { default: fallback }]) => {
      const word = positional.includes(name) ? name.toUpperCase() : `--set ${name}=...`;
      return fallback === undefined ? word : `[${word}]`;
    });
    const item = { host: can, id: one.id, parameters: words, about: one.about, from: '' };
    return can.length === 0 ? [] : [item];
  });
}

/** What the repository knows of, without contacting anyone. */
export async function listCommand(
  terminal: Terminal,
  options: ListOptions,
  [what = 'hosts']: readonly string[],
): Promise<number> {
  const known = [...Object.keys(ofHosts), ...Object.keys(ofWork), 'procedures'];
  if (!known.includes(what)) throw unknownName('list of', what, known);
  const site = await openSite(options, terminal);
  const hosts = selectHosts(site.hosts, options, site.groups);
  const items = Object.hasOwn(ofHosts, what)
    ? ofHosts[what as keyof typeof ofHosts](hosts)
    : what === 'procedures'
      ? await procedures(site, hosts, options)
      : await workItems(what as keyof typeof ofWork, await listedWork(site, hosts, what), options);
  if (options.format === 'json') {
    terminal.out(
      jsonDocument({ schema: schemaVersion, command: 'list', exit: 0, hosts: [], errors: [], what, items }),
    );
  } else terminal.out(table(items, options.verbose ? [] : ['from']));
  return 0;
}

/** Checks of a host come from its roles and from the jobs of all hosts. */
async function listedWork(site: Site, hosts: readonly SiteHost[], what: string): Promise<HostWork[]> {
  const work = await expandHosts(site, hosts);
  if (what !== 'checks') return work;
  const { withProofs } = await import('./judged.ts');
  return withProofs(site, work);
}

function workItems(what: keyof typeof ofWork, work: readonly HostWork[], options: SelectionOptions): Item[] {
  const is = meant(work, options);
  return work
    .map((one) => ({
      ...one,
      resources: one.resources.filter(is.resource),
      checks: one.checks.filter(is.check),
    }))
    .flatMap(ofWork[what]);
}

function byName(
  hosts: readonly SiteHost[],
  key: string,
  namesOf: (host: SiteHost) => readonly string[],
): Item[] {
  const all = [...new Set(hosts.flatMap(namesOf))];
  return all.map((name) => ({
    [key]: name,
    hosts: hosts.filter((host) => namesOf(host).includes(name)).map((host) => host.name),
  }));
}

/** Columns with a head, as wide as they must be; the last one is not filled up. */
export function table(items: readonly Item[], hidden: readonly string[] = []): string {
  const columns = Object.keys(items[0] ?? {}).filter((column) => !hidden.includes(column));
  const rows = items.map((item) =>
    columns.map((column) => visibleLine([item[column] ?? ''].flat().join(' ')) || '-'),
  );
  const lines = [columns, ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((row) => (row[index] ?? '').length)));
  return lines
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
