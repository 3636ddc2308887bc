import type { Tree } from './samples.ts';

/** A text somewhere in the variables of a role: the keys and numbers that lead to it. */
export interface Leaf {
  readonly path: readonly string[];
  readonly value: string;
}

/** Every text of a value that a person may choose freely; words out of a fixed list are left out. */
export function freeTexts(value: Tree, schema: unknown, path: readonly string[] = []): Leaf[] {
  if (typeof value === 'string') return isFree(schema) ? [{ path, value }] : [];
  if (Array.isArray(value))
    return value.flatMap((item, index) => freeTexts(item, at(schema, 'items'), [...path, String(index)]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    freeTexts(item, at(at(schema, 'properties'), key) ?? at(schema, 'additionalProperties'), [...path, key]),
  );
}

/** Places of the schema that take free text, with `*` for the elements of a list or map. */
export function freePlaces(schema: unknown, path: readonly string[] = []): string[] {
  const inner = at(schema, 'properties');
  const places = isFree(schema) ? [path.join('.')] : [];
  const keys = typeof inner === 'object' && inner !== null ? Object.keys(inner) : [];
  return [
    ...places,
    ...keys.flatMap((key) => freePlaces(at(inner, key), [...path, key])),
    ...['items', 'additionalProperties'].flatMap((key) => {
      const element = at(schema, key);
      return typeof element === 'object' ? freePlaces(element, [...path, '*']) : [];
    }),
  ];
}

/** `a.0.b` with `*` for every number, as `freePlaces` writes it. */
export function place(leaf: Leaf): string {
  return leaf.path.map((step) => (/^\d+$/.test(step) ? '*' : step)).join('.');
}

/** The same value with another text at one place. */
export function withText(value: Tree, path: readonly string[], text: string): Tree {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === step ? withText(item, rest, text) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === step ? withText(item, rest, text) : item]),
  );
}

function isFree(schema: unknown): boolean {
  const type = at(schema, 'type');
  const texts = type === 'string' || (Array.isArray(type) && type.includes('string'));
  return texts && at(schema, 'enum') === undefined;
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
