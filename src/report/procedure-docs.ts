import type { ComputedProcedure } from '../model/procedure.ts';
import { cell, kind, type Property } from './resource-docs.ts';

type Told = Pick<ComputedProcedure, 'id' | 'about' | 'notes' | 'parameters' | 'positional'>;

/** The page docs/procedures.md, from the procedures that compute. */
export function procedurePage(procedures: readonly Told[]): string {
  return `${[head, ...procedures.flatMap(section)].join('\n\n')}\n`;
}

const head = `<!-- Made from src/procedures by \`npm run docs\`. -->

# Procedures

What a person would do in trouble, with the proofs that he would want first. A procedure asks all hosts that it concerns, shows what it
found and every step with its host and its exact command, and begins after a yes (\`--yes\`: without asking; \`--dry-run\` ends after
showing). Right before each step the hosts are asked again: what is done already is not done again, and a step that must not be made any more
stops all that come after it. A step runs under the lock of its host and goes on there when the connection is lost; it counts as done
only when a look proves it. When it ended early, run it again: it does only what is left.

Those below belong to no role. Roles have procedures of their own, see [their pages](roles/README.md); \`provision list procedures\` lists
all. Refused is exit 5, "could not look" exit 8, a step that failed exit 4, a host that cannot be reached exit 3.`;

function section(one: Told): string[] {
  const names = Object.keys(one.parameters);
  const positional = one.positional ?? [];
  const words = positional.map((name) =>
    optional(one, name) ? `[${name.toUpperCase()}]` : name.toUpperCase(),
  );
  const set = names.filter((name) => !positional.includes(name)).map((name) => `[--set ${name}=...]`);
  const rows = names.map((name) => {
    const { default: fallback, ...schema } = one.parameters[name] as Property & {
      readonly default?: unknown;
    };
    const missing =
      fallback === undefined ? '**required**' : fallback === null ? '' : `\`${JSON.stringify(fallback)}\``;
    return `| \`${name}\` | ${cell(kind(schema))} | ${missing} | ${cell(schema.description ?? '')} |`;
  });
  return [
    `## ${one.id}`,
    one.about,
    `    ${['provision run', one.id, ...words, ...set, '[--host HOST]'].join(' ')}`,
    ...(rows.length > 0
      ? [['| parameter | value | default | |', '|---|---|---|---|', ...rows].join('\n')]
      : []),
    ...(one.notes === undefined ? [] : [one.notes]),
  ];
}

function optional({ parameters }: Told, name: string): boolean {
  return parameters[name]?.default !== undefined;
}
