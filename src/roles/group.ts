import { items, type ListNode, list, type MapNode, map, type Node, plain, text } from '../inventory/node.ts';
import { found, listed, shown } from '../inventory/wording.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Scope } from './values.ts';

/**
 * The elements of a list by what they have under these keys: one map for every distinct combination, in the order of the first of
 * each. It holds the keys themselves and, below `all`, for every other key the list of the elements' values.
 * undefined when an element has nothing under a key: the mistake is in the scope.
 */
export function grouped(
  elements: readonly Node[],
  keys: readonly string[],
  scope: Scope,
): MapNode[] | undefined {
  const groups = new Map<string, MapNode[]>();
  let whole = true;
  for (const element of elements) {
    const missing = keys.filter((key) => plain(valueUnder(element, key)) === null);
    if (element.kind !== 'map' || missing.length > 0) {
      whole = false;
      complain(element, missing, scope);
      continue;
    }
    const name = JSON.stringify(keys.map((key) => plain(valueUnder(element, key))));
    groups.set(name, [...(groups.get(name) ?? []), element]);
  }
  return whole ? [...groups.values()].map((members) => groupOf(members, keys)) : undefined;
}

/** The keys that `group_by` names, or undefined and a mistake. */
export function groupKeys(node: Node, scope: Scope): string[] | undefined {
  const names = items(node).flatMap((item) => text(item) ?? []);
  if (node.kind === 'list' && names.length > 0 && names.length === node.items.length) return names;
  const message = `"group_by" is ${found(node)}; allowed: a list of keys`;
  scope.mistakes.push(
    new ProvisionError('input', message, {
      where: node.where,
      host: scope.host,
      hint: 'such as [storage, class]',
    }),
  );
  return undefined;
}

/** What `${list.all.KEY}` looks into: for every key of the elements the list of what they have under it. */
export function allOf({ items: elements, where }: ListNode): MapNode {
  return valuesByKey(
    elements.flatMap((item) => (item.kind === 'map' ? [item] : [])),
    where,
  );
}

function valuesByKey(members: readonly MapNode[], where: Where, without: readonly string[] = []): MapNode {
  const keys = new Set(members.flatMap((member) => [...member.entries.keys(), ...(member.absent ?? [])]));
  return map(
    [...keys]
      .filter((key) => !without.includes(key))
      .map((key) => [key, valuesOf(members, key, where)] as const),
    where,
  );
}

function groupOf(members: readonly MapNode[], keys: readonly string[]): MapNode {
  const [first] = members;
  const where = first?.where ?? { file: '', line: 1, column: 1 };
  const own = keys.map((key) => [key, valueUnder(first, key)] as const);
  return map([...own, ['all', valuesByKey(members, where, keys)]], where);
}

function valuesOf(members: readonly MapNode[], key: string, where: Where): ListNode {
  const given = members.flatMap((member) => member.entries.get(key)?.node ?? []);
  return list(given, given[0]?.where ?? where);
}

function valueUnder(node: Node | undefined, key: string): Node {
  const where = node?.where ?? { file: '', line: 1, column: 1 };
  const entry = node?.kind === 'map' ? node.entries.get(key) : undefined;
  return entry?.node ?? { kind: 'scalar', value: null, where };
}

function complain(element: Node, missing: readonly string[], scope: Scope): void {
  const message =
    element.kind === 'map'
      ? `${listed(missing)} is missing here; the elements of this list are grouped by it`
      : `${found(element)} has no keys to be grouped by`;
  scope.mistakes.push(
    new ProvisionError('input', message, {
      where: element.via ?? element.where,
      host: scope.host,
      hint: missing[0] === undefined ? undefined : `add ${shown(`${missing[0]}: ...`)}`,
    }),
  );
}
