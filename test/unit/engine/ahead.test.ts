import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apply } from '../../../src/engine/apply.ts';
import { file } from '../../../src/resources/file.ts';
import { link } from '../../../src/resources/link.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

function fixture(count: number) {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'), { mode: 0o755 });
  for (const path of [root, join(root, 'etc')]) chmodSync(path, 0o755);
  const files = Array.from({ length: count }, (_, index) =>
    resource(file, { file: `/etc/f${index}`, content: `${index}\n` }),
  );
  return { host, root, files, names: () => readdirSync(join(root, 'etc')).sort() };
}

describe('files that are prepared before their turn', () => {
  it('are all put in place, over several groups, and nothing is left beside them', async () => {
    const { host, root, files, names } = fixture(150);
    const runs = await apply([workOf(host, files)], testEngine(), { approve: null });
    expect(new Set(runs[0]?.changes.map(({ outcome }) => outcome))).toEqual(new Set(['done']));
    expect(names()).toEqual(files.map((_, index) => `f${index}`).sort());
    expect(readFileSync(join(root, 'etc/f149'), 'utf8')).toBe('149\n');
  });

  it('are taken away again when the place has moved, or what they wait for did not succeed', async () => {
    const { host, root, files, names } = fixture(3);
    const blocked = resource(link, { link: '/etc/sub/link', to: 'x' });
    const waiting = [
      resource(file, { file: '/etc/w0', content: 'w' }, { after: ['file:/etc/f0'] }),
      resource(file, { file: '/etc/w1', content: 'w' }, { after: ['file:/etc/f0'] }),
    ];
    const approve = async (): Promise<boolean> => {
      writeFileSync(join(root, 'etc/f0'), 'in the window\n');
      return true;
    };
    const runs = await apply([workOf(host, [...files, ...waiting, blocked])], testEngine(), { approve });
    expect(runs[0]?.changes.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['file:/etc/f0', 'changed-since-plan'],
      ['file:/etc/f1', 'done'],
      ['file:/etc/f2', 'done'],
      ['file:/etc/w0', 'skipped'],
      ['file:/etc/w1', 'skipped'],
      ['link:/etc/sub/link', 'refused'],
    ]);
    expect(names()).toEqual(['f0', 'f1', 'f2']);
  });
});
