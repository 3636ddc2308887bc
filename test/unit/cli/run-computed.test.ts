import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parametersOf } from '../../../src/cli/parameters.ts';
import { start } from '../../../src/cli/start.ts';
import { screen } from './screen.ts';

const dir = mkdtempSync(join(tmpdir(), 'provision-test-'));
const write = (name: string, text: string): void => {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), text);
};
const node = (name: string, guests: string): void => {
  mkdirSync(join(dir, 'trees', name, 'etc'), { recursive: true });
  write(
    `inventory/hosts/${name}.yaml`,
    `host: ${name}\nplatform: pve\nconnection: {session: root, root: ../trees/${name}}\nguests: [${guests}]\n`,
  );
};

beforeAll(() => {
  write('inventory/site.yaml', 'site: small\ngroups: [all]\n');
  node('pve2', '{vmid: 1031, type: ct, name: media}');
  node('pihanga', '{vmid: 200, type: vm, name: small}');
  node('ruapehu', '{vmid: 200, type: ct, name: other}');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function provision(...args: readonly string[]) {
  const terminal = screen({ env: process.env, now: Date.now });
  const exit = await start(['--inventory', join(dir, 'inventory'), ...args], terminal);
  return { exit, ...terminal.printed };
}

test('a guest says where it starts; where two hosts have it, both are named and nobody is contacted', async () => {
  const both = await provision('run', 'vzdump/unstick', '200', '--yes');
  expect(both).toMatchObject({ exit: 1 });
  expect(both.err).toContain('choose with --host: pihanga, ruapehu');
  // That it got as far as the host shows in its refusal: a tree runs nothing.
  const one = await provision('run', 'vzdump/unstick', '200', '--host', 'ruapehu', '--dry-run');
  expect(one.exit).toBe(5);
  expect(one.out).toContain('ruapehu');
  expect((await provision('run', 'vzdump/unstick', '1031', '--yes')).out).toContain('pve2');
  // It may have moved: what a person names is asked.
  expect((await provision('run', 'vzdump/unstick', '200', '--host', 'pve2', '--yes')).out).toContain('pve2');
  const none = await provision('run', 'vzdump/unstick', '999', '--yes');
  expect(none.err).toContain('no host of the inventory has what was named');
});

test('without a terminal it has to be agreed to beforehand', async () => {
  const { exit, err } = await provision('run', 'vzdump/unstick', '1031');
  expect(exit).toBe(1);
  expect(err).toContain('--yes');
});

test('its parameters are judged before any host is contacted', async () => {
  const said = async (...args: readonly string[]) => (await provision('run', ...args, '--yes')).err;
  expect(await said('vzdump/unstick')).toContain('the parameter guest of vzdump/unstick is missing');
  expect(await said('vzdump/unstick', 'media')).toContain('guest');
  expect(await said('vzdump/unstick', '7')).toContain('guest');
  expect(await said('vzdump/unstick', '1031', '1032')).toContain('1032: vzdump/unstick takes only guest');
  expect(await said('vzdump/unstick', '1031', '--set', 'guest=1032')).toContain('guest is given twice');
  expect(await said('vzdump/unstick', '--set', 'gest=1031')).toContain('did you mean "guest"?');
  expect(await said('pbs/accept-fingerprint', '--set', 'fingerprint=abc')).toContain('fingerprint');
  expect(await said('vzdump/unstik', '1031')).toContain('did you mean "vzdump/unstick"?');
});

test('numbers, truths and lists are what they are declared to be; null means left out', async () => {
  const parameters = {
    n: { type: 'integer' },
    yes: { type: 'boolean', default: false },
    list: { type: 'array', items: { type: 'string' }, default: null },
  };
  const of = (set: Readonly<Record<string, string>>) => parametersOf({ id: 'x/y', parameters }, [], set);
  expect(await of({ n: '7' })).toEqual({ n: 7, yes: false });
  expect(await of({ n: '7', yes: 'true', list: 'vm/1, ct/2' })).toEqual({
    n: 7,
    yes: true,
    list: ['vm/1', 'ct/2'],
  });
  await expect(of({ n: '07' })).rejects.toThrow();
});

test('they are listed with the hosts that they can start from', async () => {
  const { out } = await provision('list', 'procedures');
  expect(out).toMatch(/^pihanga pve2 ruapehu +vzdump\/unstick +GUEST /m);
  expect(out).not.toContain('pbs/remount');
});
