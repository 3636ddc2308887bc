import { layersOf } from '../inventory/layers.ts';
import { child, type Node, secretsIn } from '../inventory/node.ts';
import { didYouMean, listed, shown } from '../inventory/wording.ts';
import { InputErrors, ProvisionError, type Where } from '../model/errors.ts';
import type { Site } from './site.ts';
import { sortMistakes } from './sort.ts';
import { baseScope, variablesOf } from './variables.ts';

/** One value and where it was written. */
export interface Origin {
  /** `default`, `group pve`, `host pve2` */
  readonly layer: string;
  /** As JSON on one line; secrets as dots. `${...}` are still there in the values of layers. */
  readonly value: string;
  readonly where: Where;
}

/** What a variable is on a host, and why. */
export interface Explanation {
  /** `vzdump.tmpdir`, or deeper: `vzdump.prune_backups.keep-last` */
  readonly name: string;
  /** The value in force: JSON on one line, secrets as dots. */
  readonly value: string;
  readonly where: Where;
  readonly layer: string;
  /** Everything that was said about it, weakest first; the last one won, unless maps were merged. */
  readonly said: readonly Origin[];
}

/**
 * Explains `role.variable` on a host; a map is explained key by key, a role alone variable by variable.
 * Throws an input error for a name that does not exist. No secret is decrypted.
 */
export function explain(site: Site, host: string, name: string): Explanation[] {
  const file = site.file(host);
  const [roleName = '', ...path] = name.split('.');
  const roles = site.rolesOf(host);
  const role = roles.find((candidate) => candidate.name === roleName);
  if (role === undefined) {
    const known = roles.map((candidate) => candidate.name);
    throw unknown(`host ${host} has no role ${shown(roleName)}`, roleName, known, host);
  }
  const mistakes: ProvisionError[] = [];
  const values = variablesOf(site, host, role, baseScope(site, host, new Set(), mistakes));
  if (values === undefined) throw new InputErrors(sortMistakes(mistakes));
  const layers = [
    ...[...role.variables].map(([key, entry]) => ({
      layer: 'default',
      top: key,
      node: child(entry.node, 'default'),
    })),
    ...layersOf(site.inventory, file).flatMap(({ name: layer, vars }) => {
      const given = child(vars, role.name);
      return given?.kind === 'map' ? [...given.entries].map(([top, { node }]) => ({ layer, top, node })) : [];
    }),
  ];
  let node: Node = values;
  for (const [index, step] of path.entries()) {
    const next = into(node, step);
    if (next === undefined) {
      const reached = [roleName, ...path.slice(0, index)].join('.');
      throw unknown(`${reached} has no ${shown(step)}`, step, keysOf(node), host);
    }
    node = next;
  }
  return leaves(node, path).map(({ node: leaf, path: way }) => {
    const said = layers.flatMap(({ layer, top, node: from }) => {
      const value = top === way[0] && from !== undefined ? walk(from, way.slice(1)) : undefined;
      return value === undefined ? [] : [{ layer, value: show(value), where: value.where }];
    });
    const won = said.at(-1);
    return {
      name: [roleName, ...way].join('.'),
      value: show(leaf),
      where: won?.where ?? leaf.via ?? leaf.where,
      layer: won?.layer ?? 'default',
      said,
    };
  });
}

function leaves(node: Node, path: readonly string[]): { node: Node; path: readonly string[] }[] {
  if (node.kind !== 'map' || node.entries.size === 0) return [{ node, path }];
  return [...node.entries].flatMap(([key, entry]) => leaves(entry.node, [...path, key]));
}

function walk(node: Node, path: readonly string[]): Node | undefined {
  let at: Node | undefined = node;
  for (const step of path) at = at === undefined ? undefined : into(at, step);
  return at;
}

function into(node: Node, step: string): Node | undefined {
  return node.kind === 'list' ? node.items[Number(step)] : child(node, step);
}

function keysOf(node: Node): string[] {
  if (node.kind === 'list') return node.items.map((_, index) => String(index));
  return node.kind === 'map' ? [...node.entries.keys()] : [];
}

function show(node: Node): string {
  if (node.kind === 'list') return `[${node.items.map(show).join(', ')}]`;
  if (node.kind === 'map') {
    return `{${[...node.entries].map(([key, entry]) => `${JSON.stringify(key)}: ${show(entry.node)}`).join(', ')}}`;
  }
  return secretsIn(node).length > 0 ? '••••••' : JSON.stringify(node.value);
}

function unknown(message: string, word: string, known: readonly string[], host: string): ProvisionError {
  return new ProvisionError('input', `${message}; known: ${listed(known)}`, {
    host,
    hint: didYouMean(word, known),
  });
}
