import { readdirSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { resourceIndex, resourcePage } from '../../../src/report/resource-docs.ts';
import { resourceTypes } from '../../../src/resources/index.ts';

const pages = new URL('../../../docs/resources/', import.meta.url).pathname;

describe('the pages of the resource types', () => {
  it.each(resourceTypes.map((type) => [type.name, type] as const))(
    '%s.md is up to date (-u writes it)',
    async (name, type) => {
      await expect(resourcePage(type)).toMatchFileSnapshot(`${pages}${name}.md`);
    },
  );

  it('the list of them is up to date, and no page is left over', async () => {
    await expect(resourceIndex(resourceTypes)).toMatchFileSnapshot(`${pages}README.md`);
    const expected = [...resourceTypes.map((type) => `${type.name}.md`), 'README.md'].sort();
    expect(readdirSync(pages).sort()).toEqual(expected);
  });

  it.each(resourceTypes.map((type) => [type.name, type] as const))(
    'the example of %s is valid',
    (_, type) => {
      const example: Record<string, unknown> = parse(type.example);
      // In a role a template stands for the content.
      const { template, ...rest } = example;
      const spec = template === undefined ? rest : { ...rest, content: '' };
      const valid = new Ajv({ strict: false }).compile(type.schema);
      expect(valid(spec), JSON.stringify(valid.errors)).toBe(true);
    },
  );

  it.each(resourceTypes.map((type) => [type.name, type] as const))(
    'every key of %s is explained',
    (_, type) => {
      const keys = Object.entries(type.schema.properties ?? {});
      const silent = keys.filter(([, property]) => !property.description).map(([key]) => key);
      expect(silent).toEqual([]);
    },
  );
});
