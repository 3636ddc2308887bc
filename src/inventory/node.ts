import type { Where } from '../model/errors.ts';
import type { Secret } from '../model/host.ts';

export type Scalar = string | number | boolean | null;

/** What a YAML value is without its positions. Maps have no prototype, so that a hostile key is only a key. */
export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

interface Placed {
  /** Where the value stands in the file that asks for it. */
  readonly where: Where;
  /** Where the value inserted by `${name}` was written: the inventory line behind a line of a role. */
  readonly via?: Where | undefined;
}

export interface ScalarNode extends Placed {
  readonly kind: 'scalar';
  readonly value: Scalar;
  /** Secrets that are part of the text; such a value is never shown. */
  readonly secrets?: readonly Secret[] | undefined;
  /** The text of a secret that has not been decrypted stands for itself: it must not be judged. */
  readonly sealed?: boolean | undefined;
}

export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface Entry {
  /** Where the key stands. */
  readonly key: Where;
  readonly node: Node;
}

export interface MapNode extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  /** Keys that the schema knows and that were not given: reading one gives null, where an unknown name is an error. */
  readonly absent?: readonly string[] | undefined;
}

/** A YAML value with the position of every part of it. */
export type Node = ScalarNode | ListNode | MapNode;

export function scalar(value: Scalar, where: Where): ScalarNode {
  return { kind: 'scalar', value, where };
}

export function list(items: readonly Node[], where: Where): ListNode {
  return { kind: 'list', items, where };
}

export function map(entries: Iterable<readonly [string, Node]>, where: Where): MapNode {
  const all = new Map<string, Entry>();
  for (const [key, node] of entries) all.set(key, { key: node.where, node });
  return { kind: 'map', entries: all, where };
}

/** The child under a key, or undefined when this is no map or has no such key. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.node : undefined;
}

export function text(node: Node | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function items(node: Node | undefined): readonly Node[] {
  return node?.kind === 'list' ? node.items : [];
}

/** The strings of a list; anything else in it is left out (the schema has complained about it). */
export function texts(node: Node | undefined): string[] {
  return items(node).flatMap((item) => text(item) ?? []);
}

export function plain(node: Node): Plain {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plain);
  const bare: Record<string, Plain> = Object.create(null);
  for (const [key, entry] of node.entries) bare[key] = plain(entry.node);
  return bare;
}

/** All secrets that are part of a value. */
export function secretsIn(node: Node): readonly Secret[] {
  if (node.kind === 'scalar') return node.secrets ?? [];
  if (node.kind === 'list') return node.items.flatMap(secretsIn);
  return [...node.entries.values()].flatMap((entry) => secretsIn(entry.node));
}

/** Follows a JSON pointer as far as it leads; the last node on the way is the answer. */
export function follow(root: Node, pointer: readonly string[]): Node {
  let node = root;
  for (const step of pointer) {
    const next = node.kind === 'list' ? node.items[Number(step)] : child(node, step);
    if (next === undefined) return node;
    node = next;
  }
  return node;
}
