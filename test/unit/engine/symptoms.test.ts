import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { check } from '../../../src/engine/check.ts';
import { diff } from '../../../src/engine/diff.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import type { Observed } from '../../../src/model/state.ts';
import { path } from '../../../src/resources/path.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

/** A type that takes a file of another size for a symptom. */
const told: ResourceType = {
  ...path,
  symptoms: (observed: Observed) => [
    { code: 'unknown' in observed ? 'unseen' : 'seen', of: 'file:x', says: JSON.stringify(observed) },
  ],
};

it('what resources and checks show comes with the run; of a secret nothing is told', async () => {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'));
  for (const name of ['x', 'y']) writeFileSync(join(root, `etc/${name}`), 'four');
  const open = resource(told, { path: '/etc/x', min_size: 4 });
  const sealed = resource(told, { path: '/etc/y', min_size: 4 }, { secret: true });
  const proof = { id: 'demo/x', about: 'x', role: 'demo', resource: open, from: open.from };
  const hidden = { ...proof, id: 'demo/y', resource: sealed };
  const work = [workOf(host, [open, sealed], { checks: [proof, hidden] })];

  const { runs } = await diff(work, testEngine());
  expect(runs[0]?.symptoms).toMatchObject([{ code: 'seen', of: 'file:x' }]);
  const [run] = await check(work, testEngine());
  expect(run?.checks.map(({ symptoms }) => symptoms?.length ?? 0)).toEqual([1, 0]);
});

it('only what was selected is looked at, and told', async () => {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'));
  const work = [workOf(host, [resource(told, { path: '/etc/x', min_size: 1 })])];
  const { runs } = await diff(work, testEngine(), () => false);
  expect(runs[0]?.symptoms).toEqual([]);
});
