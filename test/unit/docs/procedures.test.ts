import { expect, test } from 'vitest';
import { loadSchemas } from '../../../src/inventory/schema.ts';
import { computedProcedures } from '../../../src/procedures/index.ts';
import { procedurePage } from '../../../src/report/procedure-docs.ts';

const page = new URL('../../../docs/procedures.md', import.meta.url).pathname;

test('docs/procedures.md says what the procedures say; stale: `npm run docs`', async () => {
  await expect(procedurePage(computedProcedures)).toMatchFileSnapshot(page);
});

test.each(computedProcedures)(
  '$id: its parameters are explained, and their schemas can be used',
  async (one) => {
    const schemas = await loadSchemas();
    for (const [name, schema] of Object.entries(one.parameters)) {
      expect(schema.description, name).toMatch(/\.$/);
      expect(() => schemas.judge(schema)).not.toThrow();
    }
    expect(Object.keys(one.parameters)).toEqual(expect.arrayContaining([...(one.positional ?? [])]));
  },
);
