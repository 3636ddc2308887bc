import type { MapNode, Node } from '../inventory/node.ts';
import { secret } from '../inventory/secret.ts';

const contexts = new WeakMap<Node, unknown>();
const nodes = new WeakMap<object, Node>();

/**
 * A value as templates see it: bare maps and lists, secrets as objects that only a format reveals. Known keys that were not given
 * are there as null, but are not met by `{{#each}}`.
 */
export function contextOf(node: Node): unknown {
  const known = contexts.get(node);
  if (known !== undefined) return known;
  const context = build(node);
  if (typeof context === 'object' && context !== null) {
    contexts.set(node, context);
    nodes.set(context, node);
  }
  return context;
}

const tops = new WeakMap<ReadonlyMap<string, Node>, unknown>();

/** All names of a scope as the top of a template's context. */
export function contextOfNames(names: ReadonlyMap<string, Node>): unknown {
  const known = tops.get(names);
  if (known !== undefined) return known;
  const entries = new Map([...names].map(([name, node]) => [name, { key: node.where, node }]));
  const top: MapNode = { kind: 'map', entries, where: { file: '', line: 1, column: 1 } };
  const context = contextOf(top);
  tops.set(names, context);
  return context;
}

/** The value a context was made from, for its position. */
export function nodeOf(context: unknown): Node | undefined {
  return typeof context === 'object' && context !== null ? nodes.get(context) : undefined;
}

function build(node: Node): unknown {
  if (node.kind === 'list') return node.items.map(contextOf);
  if (node.kind === 'scalar') {
    const { value, secrets } = node;
    const first = secrets?.[0];
    return first === undefined ? value : secret(first.name, () => String(value));
  }
  // Own properties only, whatever the key. Not without a prototype: Handlebars compares contexts with ==, which wants toString.
  const context = Object.fromEntries([...node.entries].map(([key, entry]) => [key, contextOf(entry.node)]));
  for (const key of node.absent ?? []) {
    Object.defineProperty(context, key, { value: null, enumerable: false });
  }
  return context;
}
