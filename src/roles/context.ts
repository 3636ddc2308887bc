import type { Node } from '../inventory/node.ts';
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
  const context: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of node.entries) context[key] = contextOf(entry.node);
  for (const key of node.absent ?? []) {
    Object.defineProperty(context, key, { value: null, enumerable: false });
  }
  return context;
}
