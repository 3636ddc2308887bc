import type { Node, Scalar } from '../inventory/node.ts';
import { found } from '../inventory/wording.ts';
import { ProvisionError } from '../model/errors.ts';
import { type Scope, substitute } from './values.ts';

const conditionNames = [
  'equals',
  'not_equals',
  'set',
  'empty',
  'not_empty',
  'contains',
  'all',
  'any',
  'not',
] as const;

/** JSON Schema of a `when:`: exactly one of the comparisons. */
export const conditionSchema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: {
    equals: { type: 'array', minItems: 2, maxItems: 2 },
    not_equals: { type: 'array', minItems: 2, maxItems: 2 },
    set: {},
    empty: {},
    not_empty: {},
    contains: { type: 'array', minItems: 2, maxItems: 2 },
    all: { type: 'array', items: { type: 'object' } },
    any: { type: 'array', items: { type: 'object' } },
    not: { type: 'object' },
  },
} as const;

/** Whether a `when:` holds. undefined when it cannot be judged: the mistake is in the scope. */
export function holds(condition: Node, scope: Scope): boolean | undefined {
  const first = condition.kind === 'map' ? [...condition.entries][0] : undefined;
  if (first === undefined || (condition.kind === 'map' && condition.entries.size !== 1)) {
    return refuse(condition, `"when" takes one of: ${conditionNames.join(', ')}`, scope);
  }
  const [name, { node }] = first;
  if (name === 'all' || name === 'any') return several(name, node, scope);
  if (name === 'not') {
    const inner = holds(node, scope);
    return inner === undefined ? undefined : !inner;
  }
  const value = substitute(node, scope);
  return value === undefined ? undefined : compare(name, value, scope);
}

function several(name: 'all' | 'any', node: Node, scope: Scope): boolean | undefined {
  if (node.kind !== 'list')
    return refuse(node, `"${name}" is ${found(node)}; allowed: a list of conditions`, scope);
  const each = node.items.map((item) => holds(item, scope));
  if (each.includes(undefined)) return undefined;
  return name === 'all' ? each.every(Boolean) : each.some(Boolean);
}

function compare(name: string, value: Node, scope: Scope): boolean | undefined {
  switch (name) {
    case 'set':
      return value.kind !== 'scalar' || value.value !== null;
    case 'empty':
      return size(value) === 0;
    case 'not_empty':
      return size(value) !== 0;
    case 'equals':
    case 'not_equals': {
      const pair = two(name, value, scope);
      if (pair === undefined) return undefined;
      const [a, b] = pair.map((node) => simple(name, node, scope));
      if (a === undefined || b === undefined) return undefined;
      return (a.is === b.is) === (name === 'equals');
    }
    case 'contains': {
      const pair = two(name, value, scope);
      const [all, one] = pair ?? [];
      if (all === undefined || one === undefined) return undefined;
      if (all.kind !== 'list')
        return refuse(all, `the first of "contains" is ${found(all)}; allowed: a list`, scope);
      const wanted = simple(name, one, scope);
      if (wanted === undefined) return undefined;
      return all.items.some((item) => item.kind === 'scalar' && item.value === wanted.is);
    }
    default:
      return refuse(value, `unknown condition "${name}"; allowed: ${conditionNames.join(', ')}`, scope);
  }
}

function size(value: Node): number {
  if (value.kind === 'list') return value.items.length;
  if (value.kind === 'map') return value.entries.size;
  return value.value === null || value.value === '' ? 0 : 1;
}

function two(name: string, value: Node, scope: Scope): readonly Node[] | undefined {
  if (value.kind === 'list' && value.items.length === 2) return value.items;
  return refuse(value, `"${name}" is ${found(value)}; allowed: a list of two values`, scope);
}

function simple(name: string, node: Node, scope: Scope): { readonly is: Scalar } | undefined {
  if (node.kind === 'scalar') return { is: node.value };
  return refuse(node, `"${name}" compares texts, numbers and booleans, not ${found(node)}`, scope);
}

function refuse(node: Node, message: string, scope: Scope): undefined {
  scope.mistakes.push(new ProvisionError('input', message, { where: node.where, host: scope.host }));
  return undefined;
}
