import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { groupSchema, hostSchema, siteSchema } from '../../../src/inventory/formats.ts';
import { isRecord } from '../../../src/inventory/schema.ts';
import { roleSchema } from '../../../src/roles/format.ts';
import { formats } from '../../../src/roles/formats.ts';

const page = readFileSync(new URL('../../../docs/inventory.md', import.meta.url), 'utf8');

function keysIn(schema: unknown): string[] {
  if (!isRecord(schema)) return [];
  const own = isRecord(schema.properties) ? Object.entries(schema.properties) : [];
  return [...own.flatMap(([key, inner]) => [key, ...keysIn(inner)]), ...keysIn(schema.items)];
}

function wordsIn(schema: unknown): string[] {
  if (!isRecord(schema)) return [];
  const own = Array.isArray(schema.enum) ? schema.enum.map(String) : [];
  return [...own, ...Object.values(isRecord(schema.properties) ? schema.properties : {}).flatMap(wordsIn)];
}

test('the page on the inventory names every key and every word that the files may hold', () => {
  const schemas = [siteSchema, groupSchema, hostSchema, roleSchema];
  const named = new Set([...page.matchAll(/[a-z_]+/g)].map(([word]) => word));
  const missing = [...schemas.flatMap(keysIn), ...schemas.flatMap(wordsIn)].filter(
    (word) => !named.has(word),
  );
  expect(missing).toEqual([]);
  expect(Object.keys(formats).filter((name) => !page.includes(`{{${name} x}}`))).toEqual([]);
});
