import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resourceTypes } from '../../../src/resources/index.ts';

const page = readFileSync('docs/architecture.md', 'utf8');
const rooms = [...page.matchAll(/^\| `src\/(\w+)` \| .+ \| (.+) \|$/gm)].map(
  ([, room = '', imports = '']) => ({
    room,
    imports: imports.split(', '),
  }),
);

test('every file and folder that is named is there', () => {
  const named = [...page.matchAll(/`((?:src|test|docs)\/[\w./-]+|build\.js)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !path.includes('NAME') && !existsSync(path))).toEqual([]);
});

test('every room of the source is in the table, with what it imports', () => {
  // git knows no empty folders.
  const folders = readdirSync('src')
    .filter((name) => readdirSync(join('src', name)).length > 0)
    .sort();
  expect(rooms.map(({ room }) => room).sort()).toEqual(folders);
  const wrong = rooms.flatMap(({ room, imports }) =>
    readdirSync(join('src', room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(join('src', room, name), 'utf8').matchAll(/(?:from|import\()\s*'(?:\.\.\/)+(\w+)\//g),
      ])
      .map(([, target = '']) => target)
      .filter((target) => !imports.includes(target) && imports[0] !== 'all of them')
      .map((target) => `${room} -> ${target}`),
  );
  expect([...new Set(wrong)]).toEqual([]);
});

test('every member of the one interface is explained', () => {
  const source = readFileSync('src/model/resource.ts', 'utf8');
  const body = /export interface ResourceType<[^{]*\{([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
  const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??(?::|\()/gm)].map(([, name = '']) => name);
  expect(members.length).toBeGreaterThan(12);
  expect(members.filter((name) => !new RegExp(`\`${name}[(\`]`).test(page))).toEqual([]);
  const used = new Set(resourceTypes.flatMap((type) => Object.keys(type)));
  expect([...used].filter((name) => !members.includes(name))).toEqual([]);
});

test('every frame that a script may print is in the table', () => {
  const table = /## Frames([\s\S]*?)## /.exec(page)?.[1] ?? '';
  const shell = readdirSync('src/shell')
    .map((name) => readFileSync(join('src/shell', name), 'utf8'))
    .join('\n')
    .replace(/\/\*\*[\s\S]*?\*\//g, '');
  const printed = [...shell.matchAll(/\b(?:frame|stop) ['"]?([a-z][a-z-]+)/g)].map(([, name = '']) => name);
  expect(printed.length).toBeGreaterThan(10);
  expect([...new Set(printed)].filter((name) => !table.includes(name))).toEqual([]);
});
