import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { actions } from '../../../src/engine/actions.ts';
import { looks } from '../../../src/engine/look.ts';
import { compare } from '../../../src/plan/compare.ts';
import { order } from '../../../src/plan/order.ts';
import { resourceTypes } from '../../../src/resources/index.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { loadSite } from '../../../src/roles/site.ts';
import { applyScript } from '../../../src/shell/apply.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { runProgram } from '../../../src/shell/program.ts';

const context = { host: 'pve2', platform: 'pve', live: true } as const;
const fixed = {
  nonce: '00112233445566778899aabbccddeeff',
  root: '/',
  run: '20260101T000000000-00112233',
  holder: 'admin@controller since 2026-01-01T00:00:00.000Z',
  wait: 0,
  recordBase: ['provision-record 1'],
  machineId: '0123456789abcdef0123456789abcdef',
};

/** What would run on the example host `pve2` if nothing of it were there yet. */
async function scripts() {
  const folders = { inventory: 'inventory', roles: 'roles', templates: 'templates' };
  const site = await loadSite(folders, { types: resourceTypes });
  const { resources } = await expandHost(site, 'pve2');
  const view = {
    observed: new Map(resources.map(({ id }) => [id, { have: null }])),
    seen: new Map(resources.map(({ id, type, spec }) => [id, `${type.identity(spec)}\tabsent\t1`])),
    mounts: [],
    record: new Map(),
  };
  const plan = compare(order(resources, context), view, context, () => true);
  const todo = actions(
    plan.changes.filter(({ refused }) => refused === null),
    context,
  );
  const verify = looks(resources);
  return {
    observe: observeScript(verify, fixed),
    program: runProgram(todo, { ...fixed, verify }),
    apply: applyScript(todo, { ...fixed, verify }),
  };
}

describe('the scripts that run on hosts', () => {
  it('read as kept: a change of what runs on hosts is seen in review', async () => {
    const { observe, program } = await scripts();
    await expect(observe).toMatchFileSnapshot('../../golden/scripts/pve2-observe.sh');
    await expect(program).toMatchFileSnapshot('../../golden/scripts/pve2-apply.sh');
  });

  it.each([['dash'], ['bash', '--posix'], ['busybox', 'sh']])(
    'are understood by %s',
    async (shell, ...args) => {
      for (const [name, text] of Object.entries(await scripts())) {
        const { status, stderr, error } = spawnSync(shell, [...args, '-n'], { input: text });
        expect({ name, status, said: String(stderr ?? error) }).toEqual({ name, status: 0, said: '' });
      }
    },
  );

  it('are without errors for shellcheck', async () => {
    for (const [name, text] of Object.entries(await scripts())) {
      const { status, stdout, error } = spawnSync('shellcheck', ['-s', 'sh', '-S', 'error', '-'], {
        input: text,
      });
      expect({ name, status, said: String(error ?? stdout) }).toEqual({ name, status: 0, said: '' });
    }
  });
});
