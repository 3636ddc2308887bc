import { beforeAll, expect, test } from 'vitest';
import { corpus } from './corpus.ts';
import { complaints } from './tree.ts';

const golden = '../../golden/bad-input/messages.txt';
const said = new Map<string, string>();

beforeAll(async () => {
  for (const [name, tree] of Object.entries(corpus)) said.set(name, await complaints(tree));
}, 30_000);

// One text for all: what a change of a message does to the others is seen in one place.
test('every bad input gets the message that is written down for it', async () => {
  const all = [...said].map(([name, text]) => `## ${name}\n${text}\n`);
  await expect(all.join('\n')).toMatchFileSnapshot(golden);
});

test('every bad input is found, with file, line and column', () => {
  const silent = [...said].filter(
    ([, text]) => !/^(inventory|roles|templates)\/[^\n]*?:\d+:\d+: /.test(text),
  );
  expect(silent).toEqual([]);
});

test('a mistake is not followed by others that it only causes', () => {
  const several = [...said].filter(
    ([, text]) => text.split('\n').filter((line) => !line.startsWith('  ')).length > 1,
  );
  expect(several.map(([name]) => name)).toEqual([
    'host name as a path',
    'variable deep inside',
    'several mistakes at once',
  ]);
});

test('the site that the cases are made from has no mistake', async () => {
  expect(await complaints({})).toBe('no mistake was found');
});
