import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apply } from '../../../src/engine/apply.ts';
import { line } from '../../../src/resources/line.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

function fixture(content: string) {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'), { mode: 0o755 });
  for (const path of [root, join(root, 'etc')]) chmodSync(path, 0o755);
  const path = join(root, 'etc/x.conf');
  writeFileSync(path, content, { mode: 0o644 });
  const one = (key: string, value: string | null, extra = {}) =>
    resource(
      line,
      { line: '/etc/x.conf', key, separator: '=', ...(value === null ? { state: 'absent' } : { value }) },
      extra,
    );
  return { host, root, path, one };
}

const yes = { approve: null };

describe('lines of one file', () => {
  it('are written at once: replaced, added, removed, doubles made one, all other bytes kept', async () => {
    const { host, root, path, one } = fixture('# head\na=1\nb=2\na=3\n\nkeep = me\nlast=cut');
    const resources = [one('a', 'new'), one('b', null), one('c', 'x y'), one('d', 'z')];
    const runs = await apply([workOf(host, resources)], testEngine(), yes);
    expect(runs[0]?.changes.map(({ id, outcome, message }) => [id, outcome, message])).toEqual(
      resources.map(({ id }) => [id, 'done', undefined]),
    );
    expect(readFileSync(path, 'utf8')).toBe('# head\na=new\n\nkeep = me\nlast=cut\nc=x y\nd=z\n');
    const run = readdirSync(join(root, 'var/lib/provision/runs'))[0] ?? '';
    expect(readdirSync(join(root, 'var/lib/provision/runs', run, 'kept'))).toHaveLength(2);
    expect((await apply([workOf(host, resources)], testEngine(), yes))[0]?.changes).toEqual([]);
  });

  it('keep the line ends of a file from another world', async () => {
    const { host, path, one } = fixture('a=1\r\nb=2\r\n');
    await apply([workOf(host, [one('a', '9'), one('c', '3')])], testEngine(), yes);
    expect(readFileSync(path, 'utf8')).toBe('a=9\r\nb=2\r\nc=3\r\n');
  });

  it('are all left alone when one of them has moved', async () => {
    const { host, path, one } = fixture('a=1\nb=2\n');
    const approve = async (): Promise<boolean> => {
      writeFileSync(path, 'a=1\nb=somebody\n');
      return true;
    };
    const runs = await apply([workOf(host, [one('a', '9'), one('b', '9')])], testEngine(), { approve });
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['changed-since-plan', 'skipped']);
    expect(readFileSync(path, 'utf8')).toBe('a=1\nb=somebody\n');
  });

  it('go alone when one of them is a secret: what a step says of it is not shown', async () => {
    const { host, path, one } = fixture('a=1\n');
    chmodSync(path, 0o600);
    const runs = await apply(
      [workOf(host, [one('a', '9'), one('b', 'hush', { secret: true })])],
      testEngine(),
      yes,
    );
    expect(runs[0]?.changes.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
    expect(readFileSync(path, 'utf8')).toBe('a=9\nb=hush\n');
  });
});
