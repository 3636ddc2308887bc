import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which folders of src a folder may import from. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  shell: ['model'],
  resources: ['model', 'shell'],
  procedures: ['model', 'shell', 'resources'],
  remote: ['model', 'shell'],
  inventory: ['model'],
  roles: ['model', 'shell', 'inventory', 'resources'],
  site: ['model', 'inventory', 'resources'],
  plan: ['model', 'shell'],
  engine: ['model', 'shell', 'plan', 'remote'],
  report: ['model'],
  cli: [
    'model',
    'shell',
    'resources',
    'roles',
    'inventory',
    'plan',
    'site',
    'engine',
    'report',
    'remote',
    'procedures',
  ],
};

const outside = new Set(['inventory', 'roles', 'remote', 'cli']);
const guarded =
  /from 'node:(fs|fs\/promises|net|tls|http|https|child_process|dns|os|process)'|\bprocess\.(env|argv|exit|stdout|stderr)\b/;

function sources(folder: string): string[] {
  return readdirSync(join('src', folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
}

const folders = readdirSync('src');

describe.each(folders)('src/%s', (folder) => {
  const texts = sources(folder).map((name) => ({
    name,
    text: readFileSync(join('src', folder, name), 'utf8'),
  }));

  it('imports only in the agreed direction', () => {
    const wrong = texts.flatMap(({ name, text }) =>
      [...text.matchAll(/(?:from|import\()\s*'(?:\.\.\/)+([a-z]+)\//g)]
        .map(([, target]) => target ?? '')
        .filter(
          (target) => target !== folder && folders.includes(target) && !allowed[folder]?.includes(target),
        )
        .map((target) => `${name} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('touches files, network, processes and the environment only where that is its task', () => {
    if (outside.has(folder)) return;
    expect(texts.filter(({ text }) => guarded.test(text)).map(({ name }) => name)).toEqual([]);
  });

  it('has rooms of a size to find one’s way in', () => {
    expect(texts.filter(({ text }) => text.split('\n').length > 300).map(({ name }) => name)).toEqual([]);
  });
});

describe('resource types', () => {
  it('do not import each other', () => {
    const types = sources('resources').filter((name) => name !== 'index.ts');
    const isType = (name: string): boolean =>
      /defineType</.test(readFileSync(join('src/resources', name), 'utf8'));
    const wrong = types.filter(isType).flatMap((name) =>
      [...readFileSync(join('src/resources', name), 'utf8').matchAll(/from '\.\/([a-z_-]+\.ts)'/g)]
        .map(([, other]) => other ?? '')
        .filter((other) => isType(other))
        .map((other) => `${name} -> ${other}`),
    );
    expect(wrong).toEqual([]);
  });
});
