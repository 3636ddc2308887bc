import type { ResourceType } from '../model/resource.ts';

/** As much of a JSON Schema as a page shows. */
export interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly items?: Property;
  readonly allOf?: readonly Property[];
  readonly anyOf?: readonly Property[];
  readonly oneOf?: readonly Property[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly additionalProperties?: boolean | Property;
}

/** The page docs/resources/NAME.md of a resource type, from its schema, so that it cannot say something else. */
export function resourcePage(type: ResourceType): string {
  const schema: Property = type.schema;
  const parts = [
    `<!-- Made from src/resources by \`npx vitest run test/unit/report/resource-docs.test.ts -u\`. -->`,
    `# ${type.name}`,
    type.about,
    ...(type.checkOnly ? ['For checks only: it is observed, never changed.'] : []),
    `\`\`\`yaml\n${type.example.trimEnd()}\n\`\`\``,
    '## Keys',
    ...rows(schema),
    ...(type.tools && type.tools.length > 0
      ? [
          `Needs on the host: ${type.tools.map((tool) => `\`${tool}\``).join(', ')}. Without it the answer is unknown.`,
        ]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The page that lists them all. */
export function resourceIndex(types: readonly ResourceType[]): string {
  const sorted = [...types].sort((one, other) => (one.name < other.name ? -1 : 1));
  const list = (checkOnly: boolean): string =>
    sorted
      .filter((type) => (type.checkOnly ?? false) === checkOnly)
      .map((type) => `- [${type.name}](${type.name}.md): ${firstSentence(type.about)}`)
      .join('\n');
  const parts = ['# Resource types', 'Kept in a state:', list(false), 'For checks only:', list(true)];
  return `${parts.join('\n\n')}\n`;
}

/** A table of the keys of an object, then one for each object inside it. */
function rows(schema: Property): string[] {
  const properties = Object.entries(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const table = [
    '| key | value | |',
    '|---|---|---|',
    ...properties.map(([name, property]) => {
      const must = required.has(name) ? '**required** ' : '';
      return `| \`${name}\` | ${cell(kind(property))} | ${must}${cell(property.description ?? '')} |`;
    }),
  ].join('\n');
  const inner = properties.flatMap(([name, property]) => {
    const element = property.items ?? property;
    return element.properties === undefined ? [] : [`### Each of \`${name}\``, ...rows(element)];
  });
  return [table, ...inner];
}

/** What a value may be, in words for a table. */
export function kind(property: Property): string {
  const choices = property.anyOf ?? property.oneOf;
  if (choices) return [...new Set(choices.map(kind))].join(' or ');
  if (property.enum) return property.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (property.const !== undefined) return `\`${String(property.const)}\``;
  const inherited = property.allOf?.find((part) => part.type !== undefined || part.enum !== undefined);
  if (inherited) return kind(inherited);
  if (property.items) return `list of ${kind(property.items)}`;
  if (property.properties) return 'keys below';
  const more = property.additionalProperties;
  if (typeof more === 'object') return `names with ${kind(more)}`;
  return [property.type ?? 'anything'].flat().join(' or ');
}

/** Text as it can stand in a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function firstSentence(text: string): string {
  return /^.*?[.](?= |$)/.exec(text)?.[0] ?? text;
}
