import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type RoleData, roleIndex, rolePage } from '../../../src/report/role-docs.ts';
import { resourceTypes } from '../../../src/resources/index.ts';

const pages = new URL('../../../docs/roles/', import.meta.url).pathname;
const names = readdirSync('roles').sort();
const types = resourceTypes.map(({ name }) => name);
const read = (name: string): RoleData => parse(readFileSync(`roles/${name}/role.yaml`, 'utf8'));

describe('the pages of the roles', () => {
  test.each(names)('docs/roles/%s.md says what the role says; stale: `npm run docs`', async (name) => {
    await expect(rolePage(read(name), types)).toMatchFileSnapshot(`${pages}${name}.md`);
  });

  test('the list of them is up to date, and no page is left over', async () => {
    await expect(roleIndex(names.map(read))).toMatchFileSnapshot(`${pages}README.md`);
    const expected = ['README.md', ...names.map((name) => `${name}.md`)];
    expect(readdirSync(pages).filter((page) => !expected.includes(page))).toEqual([]);
  });

  test.each(names)('every variable of %s is explained', (name) => {
    const silent = Object.entries(read(name).variables ?? {}).filter(([, { description }]) => !description);
    expect(silent.map(([variable]) => variable)).toEqual([]);
  });
});

test('conditions, lists and what is required are said in words', () => {
  const page = rolePage(
    {
      role: 'a',
      about: 'A.',
      platforms: ['pve'],
      variables: {
        must: { type: 'integer', minimum: 1, maximum: 5, description: 'Needed | always.' },
        may: {
          type: 'array',
          items: { properties: { x: { type: 'string', default: '' } }, required: ['y'] },
          default: [],
        },
      },
      resources: [
        {
          each: '${may}',
          file: '/etc/${item.x}',
          when: { all: [{ set: '${must}' }, { not: { equals: ['${must}', 3] } }] },
        },
      ],
      checks: [{ id: 'c', about: 'It runs', run: ['x'] }],
      procedures: [
        { id: 'p', about: 'P.', parameters: { n: { type: 'integer' } }, steps: [{ about: 'Do it' }] },
      ],
    },
    ['file'],
  );
  expect(page).toContain('| `must` | integer from 1 to 5 | **required** | Needed \\| always. |');
  expect(page).toContain('### Each of `may`');
  expect(page).toContain(
    '- file `/etc/${item.x}`, for each of `${may}`, when `${must}` is given and not (`${must}` is `3`)',
  );
  expect(page).toContain('| `c` | It runs | command |');
  expect(page).toContain('provision run a/p --host HOST --set n=...');
});
