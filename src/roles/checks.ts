import { child, type Entry, type MapNode, type Node, scalar, text } from '../inventory/node.ts';
import { shown } from '../inventory/wording.ts';
import type { Check } from '../model/check.ts';
import { ProvisionError } from '../model/errors.ts';
import type { Resource } from '../model/resource.ts';
import { makeResource, repeat, type Setting, typeOf } from './entry.ts';
import type { Role } from './load.ts';
import { type Scope, substitute } from './values.ts';

/** Keys of a check that are not part of the spec of what is looked at. */
const common = ['id', 'about', 'each', 'group_by', 'when'];

/** The checks of a role on a host. Ids are `role/id` and must be different from each other. */
export function expandChecks(role: Role, setting: Setting, scope: Scope): Check[] {
  const checks = new Map<string, Check>();
  for (const entry of role.checks) {
    repeat(entry, scope, (inner) => {
      const resource = proofOf(entry, setting, inner);
      const id = wordOf(entry, 'id', inner);
      const about = wordOf(entry, 'about', inner);
      if (resource === undefined || id === undefined || about === undefined) return;
      const from = entry.entries.get('id')?.key ?? entry.where;
      const name = `${role.name}/${uniqueId(id, entry, inner, (one) => checks.has(`${role.name}/${one}`))}`;
      const say = (message: string, hint: string) =>
        void scope.mistakes.push(
          new ProvisionError('input', message, { where: from, host: scope.host, hint }),
        );
      if (checks.has(name))
        say(
          `the check ${shown(name)} is there twice`,
          'put ${item...} into its id, or call it something else',
        );
      else checks.set(name, { id: name, about, role: role.name, resource, from });
    });
  }
  return [...checks.values()];
}

/** An id without `${item}` in an `each` gets a number from the second one on: `backup-mount`, `backup-mount-2`. */
function uniqueId(id: string, entry: MapNode, scope: Scope, taken: (id: string) => boolean): string {
  if (!entry.entries.has('each') || !scope.names.has('item') || text(child(entry, 'id'))?.includes('${'))
    return id;
  let number = 1;
  let unique = id;
  while (taken(unique)) unique = `${id}-${++number}`;
  return unique;
}

/** What a check, a guard or a verification looks at: `run:` with `expect:` and `limit:`, or a resource of any type. */
export function proofOf(entry: MapNode, setting: Setting, scope: Scope): Resource | undefined {
  const plainEntry = asCommand(entry);
  const type = typeOf(plainEntry, common, setting, scope);
  return type === undefined
    ? undefined
    : makeResource(plainEntry, type, common, setting, scope, commandWords);
}

const commands = new WeakMap<MapNode, MapNode>();

/** `run:` is the short form of the `command` type. */
function asCommand(entry: MapNode): MapNode {
  const before = commands.get(entry);
  if (before !== undefined) return before;
  const run = entry.entries.get('run');
  if (run === undefined || entry.entries.has('command')) return entry;
  const rest = [...entry.entries].filter(([key]) => key !== 'run');
  const renamed: (readonly [string, Entry])[] = [['command', run], ...rest];
  const long: MapNode = { ...entry, entries: new Map(renamed) };
  commands.set(entry, long);
  return long;
}

function commandWords(filled: MapNode): MapNode {
  const argv = filled.entries.get('command');
  if (argv === undefined) return filled;
  const entries = new Map(filled.entries).set('command', { key: argv.key, node: asWords(argv.node) });
  return { ...filled, entries };
}

/** Numbers among arguments are arguments: `[qm, config, ${item.vmid}]`. */
export function asWords(node: Node): Node {
  if (node.kind !== 'list') return node;
  return {
    ...node,
    items: node.items.map((item) =>
      item.kind === 'scalar' && typeof item.value === 'number'
        ? { ...scalar(String(item.value), item.where), ...(item.via ? { via: item.via } : {}) }
        : item,
    ),
  };
}

/** A text of an entry with `${...}` replaced, or undefined and a mistake. */
export function wordOf(entry: MapNode, key: string, scope: Scope): string | undefined {
  const node = child(entry, key);
  const value = node && substitute(node, scope);
  if (node === undefined || value === undefined) return undefined;
  const word = text(value);
  const hidden = value.kind === 'scalar' && value.secrets !== undefined;
  if (word !== undefined && word !== '' && !hidden && !/[\x00-\x1f\x7f]/.test(word.trim()))
    return word.trim();
  const message = hidden ? `"${key}" would show a secret` : `"${key}" must be a text on one line`;
  scope.mistakes.push(new ProvisionError('input', message, { where: node.where, host: scope.host }));
  return undefined;
}
