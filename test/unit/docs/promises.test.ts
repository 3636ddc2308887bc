import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/promises.md', 'utf8');

/** Rows `| name of the test | `file` |`, with the heading they stand under. */
const rows = page.split(/^## /m).flatMap((section) =>
  [...section.matchAll(/^\| (.+) \| `(test\/[^`]+)` \|$/gm)].map(([, name = '', file = '']) => ({
    promise: section.split('\n')[0] ?? '',
    name: name.replaceAll('\\|', '|'),
    file,
  })),
);

/** Names of tests and groups of a file, as they are written in it: with their `%s` and `${...}`. */
function names(file: string): string[] {
  if (!existsSync(file)) return [];
  const literal = /(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/;
  const called = new RegExp(
    `(?:\\b(?:test|it|describe|describeLab)(?:\\.\\w+)*|\\))\\(\\s*${literal.source}`,
    'g',
  );
  return [...readFileSync(file, 'utf8').matchAll(called)].map(([, single, double, back]) =>
    (single ?? double ?? back ?? '').replace(/\\(.)/g, '$1'),
  );
}

test('every test that a promise names is there', () => {
  const missing = rows.filter(({ file, name }) => !names(file).includes(name));
  expect(missing.map(({ file, name }) => `${file}: ${name}`)).toEqual([]);
});

test('every promise has its tests, and the README names as many', () => {
  const headings = [...page.matchAll(/^## (\d+\. .*)$/gm)].map(([, heading = '']) => heading);
  expect(headings.map((heading) => Number.parseInt(heading, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  for (const heading of headings)
    expect(rows.filter(({ promise }) => promise === heading).length, heading).toBeGreaterThan(2);
  const listed =
    /## What you can rely on\n\n([\s\S]*?)\n\n/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
  expect(listed.match(/^\d+\. /gm)).toHaveLength(headings.length);
});

test('a row that is not understood is not passed over', () => {
  const tables = page.split('\n').filter((line) => line.startsWith('|') && line.includes('`test/'));
  expect(tables.filter((line) => !/^\| (.+) \| `test\/[^`]+` \|$/.test(line))).toEqual([]);
  expect(tables).toHaveLength(rows.length);
});
