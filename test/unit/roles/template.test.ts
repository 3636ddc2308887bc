import { expect, test } from 'vitest';
import { parseYaml } from '../../../src/inventory/yaml.ts';
import { compileTemplate } from '../../../src/roles/template.ts';

const values = `
name: one
count: 0
on: true
none: null
list: [a, b]
maps: [{name: x, size: 1}, {name: y, size: 2}]
deep: {inner: {name: z}}
`;

async function render(source: string): Promise<string> {
  const root = parseYaml('values.yaml', values);
  const names = new Map(
    root.kind === 'map' ? [...root.entries].map(([key, entry]) => [key, entry.node] as const) : [],
  );
  return (await compileTemplate('t.hbs', source)).render(names, 'one').text;
}

test.each([
  ['{{count}} {{on}}', '0 true'],
  ['{{line name}} {{line count}}', 'one 0'],
  ['{{#each list}}{{@index}}{{line this}}{{#unless @last}},{{/unless}}{{/each}}', '0a,1b'],
  ['{{#each maps}}{{line name}}={{size}};{{/each}}', 'x=1;y=2;'],
  ['{{#each maps as |one|}}{{line one.name}}{{line ../name}};{{/each}}', 'xone;yone;'],
  ['{{#each deep}}{{line @key}}:{{line this.name}}{{/each}}', 'inner:z'],
  ['{{#with deep.inner}}{{line name}}{{/with}}', 'z'],
  ['{{#if none}}a{{else if on}}b{{else}}c{{/if}}', 'b'],
  ['{{#if count}}a{{else}}b{{/if}}{{#if count includeZero=true}}c{{/if}}', 'bc'],
  ['{{#each list}}{{#if ../on}}{{line @root.name}}{{/if}}{{/each}}', 'oneone'],
  ['{{line maps.1.name}} {{list.length}}', 'y 2'],
  ['{{json maps}}', '[{"name":"x","size":1},{"name":"y","size":2}]'],
  ['<{{line name}}> & "quotes" stay', '<one> & "quotes" stay'],
  ['{{! a comment }}{{!-- another --}}x', 'x'],
  ['a\n{{#if on}}\nb\n{{/if}}\nc\n', 'a\nb\nc\n'],
])('%s', async (source, text) => {
  expect(await render(source)).toBe(text);
});

// Own names only: what every object inherits is as unknown as what nobody wrote.
test.each([
  '{{missing}}',
  '{{toString}}',
  '{{#if toString}}x{{/if}}',
  '{{line deep.constructor}}',
  '{{#if list.map}}x{{/if}}',
  '{{#each maps}}{{line nmae}}{{/each}}',
])('%s is an unknown name', async (source) => {
  await expect(render(source)).rejects.toMatchObject({
    code: 'input',
    message: expect.stringContaining('unknown name'),
    where: { file: 't.hbs', line: 1 },
  });
});

test.each([
  '{{toString}}',
  '{{line toString}}',
  '{{#with constructor}}x{{/with}}',
  '{{line list.push}}',
  '{{#each maps}}{{line nmae}}{{/each}}',
  '{{line deep.inner.name.length}}',
  '{{line ../name}}',
  '{{#if missing.deeper}}x{{/if}}',
  '{{line (lookup list 0)}}',
  '{{@root}}',
  '{{line none}}',
])('%s is refused with its position', async (source) => {
  await expect(render(source)).rejects.toMatchObject({ code: 'input', where: { file: 't.hbs', line: 1 } });
});
