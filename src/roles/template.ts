import type { Node } from '../inventory/node.ts';
import { isSecret } from '../inventory/secret.ts';
import { didYouMean, listed, shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Secret } from '../model/host.ts';
import { contextOfNames, nodeOf } from './context.ts';
import { formats, json, Unfit } from './formats.ts';
import { inner, rewrite, TemplateMistake } from './rewrite.ts';

export interface Rendered {
  readonly text: string;
  /** The secrets that are part of it. */
  readonly secrets: readonly Secret[];
}

export interface Template {
  readonly file: string;
  /** Throws an input error with the position in the template, or of the value at fault where it can be told. */
  render(names: ReadonlyMap<string, Node>, host: string): Rendered;
}

/** What the helpers of one template share; rendering waits for nothing, so there is one at a time. */
interface Rendering {
  secrets: Secret[];
  /** Where the value last looked up was written, and how the template calls it. */
  last:
    | {
        readonly value: unknown;
        readonly name: string;
        readonly where: Where | undefined;
        readonly at: hbs.AST.SourceLocation;
      }
    | undefined;
}

const words = [...Object.keys(formats), 'json'];

/** Compiles one template. Handlebars is loaded the first time. */
export async function compileTemplate(file: string, source: string): Promise<Template> {
  const { default: handlebars } = await import('handlebars');
  const program = parse(handlebars, file, source);
  const known = Object.fromEntries([...words, ...Object.values(inner)].map((word) => [word, true]));
  const run = handlebars.create().compile(program, {
    noEscape: true,
    strict: true,
    knownHelpersOnly: true,
    knownHelpers: known,
  });
  const rendering: Rendering = { secrets: [], last: undefined };
  const helpers = helpersOf(rendering);
  return {
    file,
    render: (names, host) => {
      rendering.secrets = [];
      rendering.last = undefined;
      try {
        const text = run(contextOfNames(names), { helpers });
        return { text, secrets: rendering.secrets };
      } catch (error) {
        throw asInput(error, file, host, rendering);
      }
    },
  };
}

function parse(handlebars: typeof import('handlebars'), file: string, source: string): hbs.AST.Program {
  try {
    return rewrite(handlebars.parse(source), words);
  } catch (error) {
    if (error instanceof TemplateMistake) throw asInput(error, file, undefined, undefined);
    if (!(error instanceof Error)) throw error;
    // The parser's own message draws the line with an arrow; its first line has the number.
    const line = Number(
      /^(?:Parse|Lexical) error on line (\d+)/.exec(error.message)?.[1] ??
        / - (\d+):\d+$/.exec(error.message)?.[1] ??
        1,
    );
    const column = Number(/ - \d+:(\d+)$/.exec(error.message)?.[1] ?? 0) + 1;
    throw new ProvisionError('input', 'this is not a template: braces or blocks do not match', {
      where: { file, line, column },
      hint: 'every {{#x}} needs its {{/x}}; values are {{line x}}, blocks are each, if, unless, with',
    });
  }
}

function helpersOf(rendering: Rendering): Record<string, (...args: never[]) => unknown> {
  const reveal = (value: unknown): string => {
    if (!isSecret(value)) return '';
    rendering.secrets.push(value);
    return value.reveal();
  };
  const word = (name: string, format: (value: string) => string) => (value: unknown) =>
    format(asText(name, value, reveal, rendering));
  const table = Object.fromEntries(
    Object.entries(formats).map(([name, format]) => [name, word(name, format)]),
  );
  return {
    ...table,
    json: (value: unknown) => json(value, reveal),
    [inner.find]: (
      base: unknown,
      name: string,
      mode: string,
      line: number,
      column: number,
      ...rest: unknown[]
    ) => find(base, name, mode, at(line, column), rest.slice(0, -1).map(String), rendering),
    [inner.bare]: (value: unknown, name: string, line: number, column: number) =>
      bare(value, name, at(line, column)),
  };
}

/** Only own keys of values that came from YAML, of lists only their elements: no prototype, no method, no `constructor`. */
function find(
  base: unknown,
  name: string,
  mode: string,
  loc: hbs.AST.SourceLocation,
  steps: readonly string[],
  rendering: Rendering,
): unknown {
  let value = base;
  let node = nodeOf(base);
  for (const step of steps) {
    const known =
      typeof value === 'object' && value !== null && !isSecret(value) && Object.hasOwn(value, step);
    const index = !Array.isArray(value) || /^[0-9]+$/.test(step) || step === 'length';
    if (!known || !index) {
      const keys = typeof value === 'object' && value !== null && !isSecret(value) ? Object.keys(value) : [];
      const hint = didYouMean(step, keys) ?? (keys.length > 0 ? `known here: ${listed(keys)}` : undefined);
      throw new TemplateMistake(`unknown name ${shown(name)}`, loc, hint);
    }
    value = (value as Readonly<Record<string, unknown>>)[step];
    const owner: Node | undefined = node;
    node =
      owner?.kind === 'map'
        ? owner.entries.get(step)?.node
        : owner?.kind === 'list'
          ? owner.items[Number(step)]
          : undefined;
  }
  const collection = typeof value === 'object' && !isSecret(value);
  if (mode === 'each' && !collection)
    throw new TemplateMistake(`{{#each ${name}}} is for a list or a map`, loc);
  if (mode === 'with' && (!collection || Array.isArray(value)))
    throw new TemplateMistake(`{{#with ${name}}} is for a map`, loc);
  rendering.last = { value, name, where: node?.via ?? node?.where, at: loc };
  return value;
}

function bare(value: unknown, name: string, loc: hbs.AST.SourceLocation): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null)
    throw new TemplateMistake(`{{${name}}} has no value`, loc, `put it inside {{#if ${name}}}`);
  const kind = isSecret(value) ? 'a secret' : typeof value === 'string' ? 'text' : 'a list or map';
  const hint = `say what it is written into: {{line ${name}}}, {{sh ${name}}}, {{unit ${name}}}, ...`;
  throw new TemplateMistake(`{{${name}}} is ${kind}, and only a format knows how to write that`, loc, hint);
}

function asText(
  format: string,
  value: unknown,
  reveal: (value: unknown) => string,
  rendering: Rendering,
): string {
  if (isSecret(value)) return reveal(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const name = rendering.last?.name ?? '...';
  const kind = value === null ? 'has no value' : 'is a list or map';
  const hint =
    value === null
      ? `put it inside {{#if ${name}}}`
      : `go through it with {{#each ${name}}}, or use {{json ${name}}}`;
  throw new TemplateMistake(
    `${name} ${kind}, which {{${format}}} cannot write`,
    rendering.last?.at ?? at(1, 0),
    hint,
  );
}

function at(line: number, column: number): hbs.AST.SourceLocation {
  const place = { line, column };
  return { source: '', start: place, end: place };
}

function asInput(
  error: unknown,
  file: string,
  host: string | undefined,
  rendering: Rendering | undefined,
): unknown {
  if (error instanceof TemplateMistake) {
    const where = { file, line: error.line, column: error.column };
    return new ProvisionError('input', error.message, { where, host, hint: error.hint });
  }
  const last = rendering?.last;
  if (!(error instanceof Unfit) || last === undefined) return error;
  const here = { file, line: last.at.start.line, column: last.at.start.column + 1 };
  const value = isSecret(last.value) ? 'a secret' : error.value;
  const used = last.where === undefined ? '' : ` (used at ${here.file}:${here.line}:${here.column})`;
  return new ProvisionError('input', `${last.name}: ${error.message.replace('%s', () => value)}${used}`, {
    where: last.where ?? here,
    host,
    hint: 'change the value; the format it is written into cannot hold it',
  });
}
