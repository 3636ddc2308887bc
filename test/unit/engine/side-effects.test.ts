import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { apply } from '../../../src/engine/apply.ts';
import { diff } from '../../../src/engine/diff.ts';
import { exitCode } from '../../../src/engine/outcome.ts';
import { file } from '../../../src/resources/file.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

function fixture() {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'), { mode: 0o755 });
  for (const path of [root, join(root, 'etc')]) chmodSync(path, 0o755);
  return { host, root };
}

it('a step that spoils something else is a failure, not a remark', async () => {
  const { host, root } = fixture();
  writeFileSync(join(root, 'etc/good'), 'good\n');
  chmodSync(join(root, 'etc/good'), 0o644);
  const good = resource(file, { file: '/etc/good', content: 'good\n' });
  // A validator that does more than to validate stands for any step with an effect nobody planned.
  const bad = resource(file, {
    file: '/etc/bad',
    content: 'x\n',
    verify: ['sh', '-c', 'if [ -n "$RUN" ]; then echo spoiled >etc/good; fi', '{file}'],
  });
  const runs = await apply([workOf(host, [good, bad])], testEngine(), { approve: null });
  expect(runs[0]?.changes.map(({ id, outcome }) => [id, outcome])).toEqual([
    ['file:/etc/bad', 'done'],
    ['file:/etc/good', 'failed'],
  ]);
  expect(exitCode('apply', runs)).toBe(4);
});

it('what only root may read on the host is not shown in a diff', async () => {
  const { host, root } = fixture();
  const wanted = resource(file, { file: '/etc/x', content: 'new\n' });
  const shown = async (mode: number): Promise<string | undefined> => {
    writeFileSync(join(root, 'etc/x'), 'old password\n');
    chmodSync(join(root, 'etc/x'), mode);
    return (await diff([workOf(host, [wanted])], testEngine())).runs[0]?.changes[0]?.text;
  };
  expect(await shown(0o644)).toContain('-old password');
  expect(await shown(0o600)).toBeUndefined();
});
