import { showWhere } from '../model/errors.ts';
import type { State } from '../model/state.ts';
import { jsonDocument, schemaVersion } from '../report/json.ts';
import { visibleLine } from '../report/visible.ts';
import { type Explanation, explain } from '../roles/explain.ts';
import type { Site } from '../roles/site.ts';
import type { ReportOptions } from './options.ts';
import { selectHosts, unknownId } from './selection.ts';
import { contextOf, expandHosts, openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

type ExplainOptions = ReportOptions & { readonly host: readonly string[] };

interface Answer {
  readonly item: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/** A variable or a resource, on every host that has it: what it is and which line says so. Contacts nobody. */
export async function explainCommand(
  terminal: Terminal,
  options: ExplainOptions,
  [what = '']: readonly string[],
): Promise<number> {
  const site = await openSite(options, terminal);
  const answers = /^[a-z_]+:/.test(what)
    ? await resourceAnswers(site, options.host, what)
    : variableAnswers(site, options.host, what);
  if (options.format === 'json') {
    const items = answers.map(({ item }) => item);
    terminal.out(
      jsonDocument({
        schema: schemaVersion,
        command: 'explain',
        exit: 0,
        hosts: [],
        errors: [],
        what,
        items,
      }),
    );
  } else terminal.out(answers.flatMap(({ lines }) => lines.map((line) => `${visibleLine(line)}\n`)).join(''));
  return 0;
}

function variableAnswers(site: Site, host: readonly string[], what: string): Answer[] {
  const role = what.split('.')[0] ?? '';
  const having = selectHosts(site.hosts, { host, group: [], role: [role] }, site.groups);
  return having.flatMap((host) =>
    explain(site, host.name, what).map((one) => ({
      item: { host: host.name, ...one },
      lines: said(host.name, one),
    })),
  );
}

function said(host: string, { name, value, where, layer, said: all }: Explanation): string[] {
  const before = all.slice(0, -1).reverse();
  return [
    `${name} on ${host}: ${value}`,
    `  from ${layer}, ${showWhere(where)}`,
    ...before.map((origin) => `  over ${origin.layer}, ${showWhere(origin.where)}: ${origin.value}`),
  ];
}

async function resourceAnswers(site: Site, host: readonly string[], id: string): Promise<Answer[]> {
  const work = await expandHosts(site, selectHosts(site.hosts, { host, group: [], role: [] }, site.groups));
  const answers = work.flatMap(({ host, resources }) => {
    const resource = resources.find((one) => one.id === id);
    if (resource === undefined) return [];
    const { role, from, type, spec, secret, after } = resource;
    const state = type.want(spec, contextOf(host));
    const want = secret ? hidden(state) : state;
    return [
      {
        item: { host: host.name, id, role, from, after, want },
        lines: [
          `${id} on ${host.name}: ${wantText(want)}`,
          `  from role ${role}, ${showWhere(from)}`,
          ...(after.length > 0 ? [`  after ${after.join(', ')}`] : []),
        ],
      },
    ];
  });
  if (answers.length > 0) return answers;
  const known = [...new Set(work.flatMap(({ resources }) => resources.map((one) => one.id)))];
  throw unknownId('resource', id, known);
}

/** Where a secret flowed in, every text may be it, and the hash of a short one is as good as the text. */
function hidden(state: State | null): State | null {
  if (state === null) return null;
  const dots = Object.entries(state).map(([name, value]) => [
    name,
    typeof value === 'string' ? '••••••' : value,
  ]);
  return Object.fromEntries(dots);
}

function wantText(want: State | null): string {
  if (want === null) return 'must not be there';
  return Object.entries(want)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(', ');
}
