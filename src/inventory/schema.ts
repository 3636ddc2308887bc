import type { ErrorObject, ValidateFunction } from 'ajv';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Schema } from '../model/resource.ts';
import { explainMistake, type Mistake } from './mistake.ts';
import { type Entry, follow, list, type MapNode, map, type Node, plain, scalar } from './node.ts';

/** Judges a value: [] when it fits the schema. Positions are those of the offending key or value. */
export type Judge = (node: Node, about: About) => ProvisionError[];

/** How messages name the value as a whole, and the host it is for. */
export interface About {
  /** `file:/etc/x`, `host pve2`: stands where the path of keys would be empty. */
  readonly name: string;
  readonly host?: string | undefined;
  /** Where the value is asked for, when it was written elsewhere. */
  readonly asked?: Where | undefined;
}

/** Compiles schemas, each once. Loading and compiling cost start-up time, so one of these serves the whole process. */
export interface Schemas {
  /** Throws a plain Error when the schema itself is wrong. */
  judge(schema: Schema): Judge;
}

export function loadSchemas(): Promise<Schemas> {
  ready ??= load();
  return ready;
}

let ready: Promise<Schemas> | undefined;

async function load(): Promise<Schemas> {
  const { Ajv } = await import('ajv');
  // No meta schema: compiling it takes longer than all of ours together, and strict mode finds wrong keywords just as well.
  const ajv = new Ajv({
    // Optimising the generated code takes longer than running it.
    code: { optimize: false },
    allErrors: true,
    verbose: true,
    coerceTypes: false,
    useDefaults: false,
    meta: false,
    validateSchema: false,
    strict: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    addUsedSchema: false,
    ownProperties: true,
  });
  const known = new WeakMap<Schema, Judge>();
  return {
    judge: (schema) => {
      const judge = known.get(schema) ?? judgeWith(ajv.compile(schema));
      known.set(schema, judge);
      return judge;
    },
  };
}

function judgeWith(validate: ValidateFunction): Judge {
  return (node, about) => {
    if (validate(plain(node))) return [];
    return distinct(closest(validate.errors ?? []).flatMap((error) => describe(error, node, about)));
  };
}

function describe(error: ErrorObject, root: Node, about: About): ProvisionError[] {
  const pointer = error.instancePath.split('/').slice(1).map(unescapePointer);
  const node = follow(root, pointer);
  // Not decrypted yet: its text is not the real one, and will be judged again when it is.
  if (node.kind === 'scalar' && node.sealed === true) return [];
  const mistake = explainMistake(error, node, pointer, about.name);
  return [placed(mistake, node, about)];
}

function placed(mistake: Mistake, node: Node, about: About): ProvisionError {
  const own = mistake.where ?? node.where;
  const where = mistake.where === undefined ? (node.via ?? own) : own;
  const asked = where === own ? '' : ` (asked for at ${own.file}:${own.line}:${own.column})`;
  return new ProvisionError('input', `${mistake.message}${asked}`, {
    where,
    host: about.host,
    hint: mistake.hint,
  });
}

/**
 * Of the errors of all branches of an anyOf or oneOf, those of the branch that was meant: the only one whose kind of value fits.
 * When no branch stands out, the error of the anyOf itself.
 */
function closest(errors: readonly ErrorObject[]): ErrorObject[] {
  let rest = errors.filter((error) => error.keyword !== 'if');
  const choices = rest.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  for (const choice of choices) {
    const inside = rest.filter(
      (error) => error !== choice && error.schemaPath.startsWith(`${choice.schemaPath}/`),
    );
    if (inside.length === 0) continue;
    const branches = new Map<string, ErrorObject[]>();
    for (const error of inside) {
      const branch = error.schemaPath.slice(choice.schemaPath.length + 1).split('/')[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const meant = [...branches.values()].filter(
      (branch) =>
        !branch.some((error) => error.keyword === 'type' && error.instancePath === choice.instancePath),
    );
    const drop: readonly ErrorObject[] = meant.length === 1 ? [choice] : inside;
    const kept = new Set(meant.length === 1 ? meant[0] : [choice]);
    rest = rest.filter((error) => !drop.includes(error) && (kept.has(error) || !inside.includes(error)));
  }
  // A wrong key name gives one error for the name's schema and one for the key.
  return rest.filter((error) => error.propertyName === undefined || error.keyword === 'propertyNames');
}

function distinct(errors: readonly ProvisionError[]): ProvisionError[] {
  const seen = new Set<string>();
  return errors.filter((error) => {
    const key = `${error.where?.line}:${error.where?.column} ${error.message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}

/**
 * The value with what the schema says of keys that are not there: those with a `default` get it, at the position it has in
 * `schemaNode` when given; the other known ones can be read as null. Values are never changed.
 */
export function complete(node: Node, schema: unknown, schemaNode?: Node): Node {
  if (!isRecord(schema)) return node;
  if (node.kind === 'list') {
    const itemSchema = step(schemaNode, 'items');
    return { ...node, items: node.items.map((item) => complete(item, schema.items, itemSchema)) };
  }
  if (node.kind !== 'map') return node;
  const { properties, additionalProperties: others } = schema;
  if (!isRecord(properties) && !isRecord(others)) return node;
  const further = isRecord(others) ? withOthers(node, properties, others, schemaNode) : node;
  return isRecord(properties) ? completeMap(further, properties, step(schemaNode, 'properties')) : further;
}

/** Values under keys that a map may choose freely: the policies of classes, each with the defaults of a policy. */
function withOthers(node: MapNode, properties: unknown, others: unknown, schemaNode?: Node): MapNode {
  const known = isRecord(properties) ? properties : {};
  const entries = [...node.entries].map(([key, entry]) => {
    if (Object.hasOwn(known, key)) return [key, entry] as const;
    const value = complete(entry.node, others, step(schemaNode, 'additionalProperties'));
    return [key, { key: entry.key, node: value }] as const;
  });
  return { ...node, entries: new Map(entries) };
}

function completeMap(
  node: MapNode,
  properties: Readonly<Record<string, unknown>>,
  schemaNode?: Node,
): MapNode {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    const value = complete(entry.node, properties[key], step(schemaNode, key));
    entries.set(key, value === entry.node ? entry : { key: entry.key, node: value });
  }
  const absent: string[] = [];
  for (const [key, schema] of Object.entries(properties)) {
    if (entries.has(key)) continue;
    const keyNode = step(schemaNode, key);
    const given = step(keyNode, 'default');
    if (given !== undefined) entries.set(key, { key: given.where, node: complete(given, schema, keyNode) });
    else if (isRecord(schema) && 'default' in schema) {
      const value = fromPlain(schema.default, node.where);
      entries.set(key, { key: node.where, node: complete(value, schema, keyNode) });
    } else absent.push(key);
  }
  return { ...node, entries, absent };
}

function step(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.node : undefined;
}

/** Values of our own (defaults, names of hosts) as a node, all at one position. */
export function fromPlain(value: unknown, where: Where): Node {
  if (Array.isArray(value)) {
    return list(
      value.map((item) => fromPlain(item, where)),
      where,
    );
  }
  if (isRecord(value)) {
    return map(
      Object.entries(value).map(([key, item]) => [key, fromPlain(item, where)] as const),
      where,
    );
  }
  const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return scalar(simple ? value : null, where);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
