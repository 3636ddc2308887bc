import { cell, kind, type Property } from './resource-docs.ts';

type Data = Readonly<Record<string, unknown>>;

interface Variable extends Property {
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Variable;
  readonly properties?: Readonly<Record<string, Variable>>;
}

/** A role.yaml that passed its schema, as plain data. */
export interface RoleData {
  readonly role: string;
  readonly about: string;
  readonly platforms: readonly string[];
  readonly variables?: Readonly<Record<string, Variable>>;
  readonly resources?: readonly Data[];
  readonly checks?: readonly (Data & { readonly id: string; readonly about: string })[];
  readonly procedures?: readonly {
    readonly id: string;
    readonly about: string;
    readonly parameters?: Readonly<Record<string, Variable>>;
    readonly steps: readonly { readonly about: string }[];
  }[];
}

/** The page docs/roles/NAME.md, from the role itself. `types`: names of all resource types. */
export function rolePage(role: RoleData, types: readonly string[]): string {
  const parts = [
    `<!-- Made from roles/${role.role}/role.yaml by \`npm run docs\`. -->`,
    `# ${role.role}`,
    role.about,
    `For ${role.platforms.map(code).join(', ')}. What to know before using it, with an example: [README](../../roles/${role.role}/README.md).`,
    '## Variables',
    ...variables(role.variables ?? {}),
    '## Keeps',
    list((role.resources ?? []).map((resource) => `- ${thing(resource, types)}`)),
    '## Checks',
    checks(role, types),
    ...((role.procedures ?? []).length > 0
      ? ['## Procedures', ...(role.procedures ?? []).flatMap((one) => procedure(role, one))]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The page that lists them all. */
export function roleIndex(roles: readonly RoleData[]): string {
  const lines = roles.map(
    ({ role, about, platforms }) => `| [${role}](${role}.md) | ${platforms.join(', ')} | ${cell(about)} |`,
  );
  const table = ['| role | platforms | |', '|---|---|---|', ...lines].join('\n');
  return `<!-- Made from roles/ by \`npm run docs\`. -->\n\n# Roles\n\n${table}\n\nA role of your own: [inventory and roles](../inventory.md).\n`;
}

function variables(properties: Readonly<Record<string, Variable>>): string[] {
  const entries = Object.entries(properties);
  if (entries.length === 0) return ['None.'];
  const rows = entries.map(
    ([name, one]) =>
      `| \`${name}\` | ${cell(kind(one) + range(one))} | ${fallback(one)} | ${cell(one.description ?? '')} |`,
  );
  return [
    ['| variable | value | default | |', '|---|---|---|---|', ...rows].join('\n'),
    ...entries.flatMap(inner),
  ];
}

/** The keys of a variable that is a map, or a list of maps. */
function inner([name, one]: readonly [string, Variable]): string[] {
  const keys = (one.items ?? one).properties;
  if (keys === undefined) return [];
  const required = new Set((one.items ?? one).required ?? []);
  const rows = Object.entries(keys).map(([key, value]) => {
    const must = required.has(key) ? '**required**' : fallback(value, '');
    return `| \`${key}\` | ${cell(kind(value) + range(value))} | ${must} | ${cell(value.description ?? '')} |`;
  });
  const head = one.items ? `### Each of \`${name}\`` : `### \`${name}\``;
  return [head, ['| key | value | default | |', '|---|---|---|---|', ...rows].join('\n')];
}

function range({ minimum, maximum }: Variable): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? '' : `, at most ${maximum}`;
}

function fallback(one: Variable, without = '**required**'): string {
  return one.default === undefined ? without : code(cell(JSON.stringify(one.default)));
}

/** One resource or check in a line: for each of what, type and name, on what condition. */
function thing(entry: Data, types: readonly string[]): string {
  const type = Object.keys(entry).find((key) => types.includes(key));
  const what = type === undefined ? 'command' : `${type} ${code(inline(entry[type]))}`;
  const removed = entry.state === 'absent' ? ', removed' : '';
  const each = entry.each === undefined ? '' : `, for each of ${code(inline(entry.each))}`;
  const when = entry.when === undefined ? '' : `, when ${condition(entry.when as Data)}`;
  return `${what}${removed}${each}${when}`;
}

function checks(role: RoleData, types: readonly string[]): string {
  if ((role.checks ?? []).length === 0) return 'None.';
  const rows = (role.checks ?? []).map(
    (check) => `| \`${check.id}\` | ${cell(check.about)} | ${cell(thing(check, types))} |`,
  );
  return ['| check | proves | by |', '|---|---|---|', ...rows].join('\n');
}

function procedure(role: RoleData, one: NonNullable<RoleData['procedures']>[number]): string[] {
  const parameters = Object.keys(one.parameters ?? {});
  const set = parameters.map((name) => ` --set ${name}=...`).join('');
  const steps = one.steps.map((step, index) => `${index + 1}. ${step.about}`);
  const rows = Object.entries(one.parameters ?? {}).map(
    ([name, value]) => `- \`${name}\` (${kind(value)}${range(value)}): ${value.description ?? ''}`,
  );
  return [
    `### ${one.id}`,
    one.about,
    `    provision run ${role.role}/${one.id} --host HOST${set}`,
    ...(rows.length > 0 ? [list(rows)] : []),
    list(steps),
  ];
}

/** A `when` in words. */
function condition(when: Data): string {
  const [name = '', value] = Object.entries(when)[0] ?? [];
  const both = Array.isArray(value) ? value : [value];
  const [one, other] = both.map((part) => code(inline(part)));
  if (name === 'equals') return `${one} is ${other}`;
  if (name === 'not_equals') return `${one} is not ${other}`;
  if (name === 'contains') return `${one} contains ${other}`;
  if (name === 'set') return `${one} is given`;
  if (name === 'empty') return `${one} is empty`;
  if (name === 'not_empty') return `${one} is not empty`;
  if (name === 'not') return `not (${condition(value as Data)})`;
  return both.map((part) => condition(part as Data)).join(name === 'any' ? ' or ' : ' and ');
}

function list(lines: readonly string[]): string {
  return lines.length > 0 ? lines.join('\n') : 'Nothing.';
}

function inline(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function code(text: string): string {
  return `\`${text}\``;
}
