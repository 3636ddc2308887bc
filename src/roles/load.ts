import { join } from 'node:path';
import {
  child,
  type Entry,
  items,
  type MapNode,
  map,
  type Node,
  plain,
  text,
  texts,
} from '../inventory/node.ts';
import type { Schemas } from '../inventory/schema.ts';
import { found, shown } from '../inventory/wording.ts';
import { readYaml } from '../inventory/yaml.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Schema } from '../model/resource.ts';
import { roleSchema } from './format.ts';

/** A role as written: its values still hold `${...}`. */
export interface Role {
  readonly name: string;
  readonly about: string;
  readonly platforms: readonly string[];
  /** Schema of all variables together, as one map. */
  readonly schema: Schema;
  /** The same as it stands in the file, for the positions of defaults. */
  readonly schemaNode: Node;
  readonly variables: ReadonlyMap<string, Entry>;
  readonly resources: readonly MapNode[];
  readonly checks: readonly MapNode[];
  readonly procedures: readonly MapNode[];
  readonly from: Where;
}

/** Names that `${...}` and templates already give a meaning. */
const reserved = ['host', 'site', 'secrets', 'item', 'parameter'];

/** Reads roles/NAME/role.yaml. undefined when it cannot be used at all; mistakes say why. */
export async function loadRole(
  directory: string,
  name: string,
  schemas: Schemas,
  mistakes: ProvisionError[],
): Promise<Role | undefined> {
  const file = join(directory, name, 'role.yaml');
  const node = await readRole(file, mistakes);
  if (node?.kind !== 'map') return undefined;
  const before = mistakes.length;
  mistakes.push(...schemas.judge(roleSchema)(node, { name: `role ${name}` }));
  const inside = child(node, 'role');
  if (inside !== undefined && text(inside) !== name) {
    mistakes.push(
      new ProvisionError('input', `role is ${found(inside)} in the folder ${name}`, {
        where: inside.where,
        hint: `write "role: ${name}" or rename the folder`,
      }),
    );
  }
  const variables = variableEntries(child(node, 'variables'), mistakes);
  const schema = schemaOf(variables);
  if (mistakes.length === before) mistakes.push(...flaws(schema, variables, schemas));
  if (mistakes.length > before) return undefined;
  return {
    name,
    about: text(child(node, 'about')) ?? '',
    platforms: texts(child(node, 'platforms')),
    schema,
    schemaNode: map([['properties', child(node, 'variables') ?? map([], node.where)]], node.where),
    variables,
    resources: maps(child(node, 'resources')),
    checks: maps(child(node, 'checks')),
    procedures: maps(child(node, 'procedures')),
    from: child(node, 'role')?.where ?? node.where,
  };
}

async function readRole(file: string, mistakes: ProvisionError[]): Promise<Node | undefined> {
  try {
    const node = await readYaml(file, 'a role is a folder with a role.yaml: write it, or remove the folder');
    if (node.kind === 'map') return node;
    throw new ProvisionError('input', `the file holds ${found(node)}; a map is wanted`, {
      where: node.where,
      hint: 'a role starts with "role: NAME"',
    });
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    mistakes.push(error);
    return undefined;
  }
}

function variableEntries(node: Node | undefined, mistakes: ProvisionError[]): ReadonlyMap<string, Entry> {
  if (node?.kind !== 'map') return new Map();
  for (const [name, entry] of node.entries) {
    if (!reserved.includes(name)) continue;
    const detail = { where: entry.key, hint: 'call the variable something else' };
    mistakes.push(new ProvisionError('input', `the name ${shown(name)} is taken`, detail));
  }
  return node.entries;
}

/** All variables together; those without a default must be given. */
function schemaOf(variables: ReadonlyMap<string, Entry>): Schema {
  const required = [...variables].filter(([, entry]) => child(entry.node, 'default') === undefined);
  return {
    type: 'object',
    additionalProperties: false,
    required: required.map(([name]) => name),
    properties: Object.fromEntries([...variables].map(([name, entry]) => [name, plain(entry.node)])),
  };
}

/** What is wrong with the schemas themselves, shown when the role is read and not when a host first uses it. */
function flaws(schema: Schema, variables: ReadonlyMap<string, Entry>, schemas: Schemas): ProvisionError[] {
  const whole = flaw(schema, schemas);
  if (whole === undefined) return [];
  const found: ProvisionError[] = [];
  let where: Where | undefined;
  for (const [name, { node }] of variables) {
    where ??= node.where;
    const problem = flaw({ type: 'object', properties: { value: plain(node) } }, schemas);
    if (problem === undefined) continue;
    const detail = { where: node.where, hint: 'it is a JSON Schema of the value' };
    found.push(new ProvisionError('input', `the schema of ${shown(name)} is wrong: ${problem}`, detail));
  }
  if (found.length > 0) return found;
  return [new ProvisionError('input', `the schemas of the variables are wrong: ${whole}`, { where })];
}

/** What the validator says of a schema that it cannot use. */
function flaw(schema: Schema, schemas: Schemas): string | undefined {
  try {
    schemas.judge(schema);
    return undefined;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replace(/^strict mode: /, '');
  }
}

function maps(node: Node | undefined): MapNode[] {
  return items(node).flatMap((item) => (item.kind === 'map' ? [item] : []));
}
