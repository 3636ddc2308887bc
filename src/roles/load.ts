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
import { isRecord, type Schemas } from '../inventory/schema.ts';
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
  const variables = variableEntries(child(node, 'variables'), schemas, mistakes);
  if (mistakes.length > before) return undefined;
  const properties = Object.fromEntries([...variables].map(([key, entry]) => [key, plain(entry.node)]));
  const noDefault = [...variables].filter(([, entry]) => child(entry.node, 'default') === undefined);
  return {
    name,
    about: text(child(node, 'about')) ?? '',
    platforms: texts(child(node, 'platforms')),
    schema: {
      type: 'object',
      additionalProperties: false,
      required: noDefault.map(([key]) => key),
      properties,
    },
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
    const node = await readYaml(file);
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

/** The schema of every variable, tried out: a mistake in one is shown here and not when a host first uses it. */
function variableEntries(
  node: Node | undefined,
  schemas: Schemas,
  mistakes: ProvisionError[],
): ReadonlyMap<string, Entry> {
  if (node?.kind !== 'map') return new Map();
  for (const [name, entry] of node.entries) {
    const say = (message: string, where: Where, hint?: string) =>
      mistakes.push(new ProvisionError('input', message, { where, hint }));
    if (reserved.includes(name))
      say(`the name ${shown(name)} is taken`, entry.key, 'call the variable something else');
    const schema = plain(entry.node);
    if (!isRecord(schema)) continue;
    try {
      schemas.judge(schema);
    } catch (error) {
      const problem = (error instanceof Error ? error.message : String(error)).replace(/^strict mode: /, '');
      say(
        `the schema of ${shown(name)} is wrong: ${problem}`,
        entry.node.where,
        'it is a JSON Schema of the value',
      );
    }
  }
  return node.entries;
}

function maps(node: Node | undefined): MapNode[] {
  return items(node).flatMap((item) => (item.kind === 'map' ? [item] : []));
}
