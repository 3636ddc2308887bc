import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { logCauses } from '../../../src/resources/task-log-causes.ts';

const page = readFileSync('docs/troubles.md', 'utf8');

it('the page of troubles has every code of a backup log', () => {
  const missing = logCauses.filter(({ code, weight }) => weight !== 'note' && !page.includes(`\`${code}\``));
  expect(missing.map(({ code }) => code)).toEqual([]);
});

it('and every finding across hosts', () => {
  const sources = ['correlate-store', 'correlate-rest'].map((name) =>
    readFileSync(`src/site/${name}.ts`, 'utf8'),
  );
  const rules = sources.flatMap((text) => [...text.matchAll(/rule: '([a-z-]+)'/g)].map(([, rule]) => rule));
  expect(new Set(rules).size).toBeGreaterThan(9);
  expect(rules.filter((rule) => !page.includes(`| \`${rule}\` |`))).toEqual([]);
});
