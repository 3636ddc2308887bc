import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runProcedure } from '../../../src/engine/procedure.ts';
import type { ProcedureStep } from '../../../src/model/procedure.ts';
import { path } from '../../../src/resources/path.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

const from = { file: 'roles/demo/role.yaml', line: 1, column: 1 };
const there = (name: string) => [resource(path, { path: `/etc/${name}` })];
const step = (more: Partial<ProcedureStep>): ProcedureStep => ({
  from,
  about: 'a step',
  guard: [],
  run: ['touch', '/nowhere'],
  verify: [],
  limit: 10,
  ...more,
});

async function dryRun(...steps: readonly ProcedureStep[]) {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/here'), '');
  const procedure = { id: 'demo/p', about: 'x', role: 'demo', steps, from };
  const run = await runProcedure(workOf(host, []), procedure, testEngine(), { dryRun: true, approve: null });
  return run.steps.map(({ outcome }) => outcome);
}

it('of a dry run does not hold against a step what the steps before it would have done', async () => {
  const second = step({ guard: there('made-by-the-first') });
  expect(await dryRun(step({ verify: there('made-by-the-first') }), second)).toEqual(['planned', 'planned']);
  expect(await dryRun(second, step({}))).toEqual(['failed', 'skipped']);
  expect(await dryRun(step({ verify: there('here') }), second)).toEqual(['already', 'failed']);
});

it('of a dry run plans a step without verification, whatever holds', async () => {
  expect(await dryRun(step({ guard: there('here') }))).toEqual(['planned']);
});

async function really(live: boolean, ...steps: readonly ProcedureStep[]) {
  const { host, root } = treeHost();
  mkdirSync(join(root, 'etc'));
  const plain = testEngine();
  const engine = testEngine({ connect: async (one) => ({ ...(await plain.connect(one)), live }) });
  const procedure = { id: 'demo/p', about: 'x', role: 'demo', steps, from };
  const run = await runProcedure(workOf(host, []), procedure, engine, { dryRun: false, approve: null });
  return { root, run };
}

it('runs nothing for a tree: it would reach the system that holds the tree', async () => {
  const { root, run } = await really(false, step({ run: ['touch', './etc/made'] }));
  expect(run.error).toMatchObject({ code: 'refused', message: expect.stringContaining('a directory tree') });
  expect(existsSync(join(root, 'etc/made'))).toBe(false);
});

it.each(['eval', 'say', '.'])(
  'takes %s for the name of a program, not for a word of the shell',
  async (word) => {
    const { root, run } = await really(true, step({ run: [word, 'touch ./etc/made'] }));
    expect(run.steps).toMatchObject([{ outcome: 'failed' }]);
    expect(existsSync(join(root, 'etc/made'))).toBe(false);
  },
);

it('runs a program with its arguments as they are', async () => {
  const { root, run } = await really(true, step({ run: ['touch', './etc/made $(id)'] }));
  expect(run.steps).toMatchObject([{ outcome: 'done' }]);
  expect(existsSync(join(root, 'etc/made $(id)'))).toBe(true);
});
