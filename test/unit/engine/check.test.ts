import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { check } from '../../../src/engine/check.ts';
import { path } from '../../../src/resources/path.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

it('judges two checks of one thing each by its own expectation', async () => {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/x'), 'four');
  const specs = [{ min_size: 4 }, { max_size: 4 }, { min_size: 5 }, { kind: 'file' }, { kind: 'directory' }];
  const checks = specs.map((spec, index) => {
    const proof = resource(path, { path: '/etc/x', ...spec });
    return { id: `demo/${index}`, about: 'x', role: 'demo', resource: proof, from: proof.from };
  });
  const [run] = await check([workOf(host, [], { checks })], testEngine());
  expect(run?.checks.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'fail', 'pass', 'fail']);
});
