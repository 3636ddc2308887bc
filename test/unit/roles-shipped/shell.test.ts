import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expandHost } from '../../../src/roles/expand.ts';
import { example } from './fleet.ts';

/** The bits of shell inside roles, run as a host would run them. */
let tree = '';
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'roles-'));
});
afterEach(() => rmSync(tree, { recursive: true }));

async function verify(id: string, text: string): Promise<{ status: number | null; said: string }> {
  const { resources } = await expandHost(await example(), 'pve2');
  const spec = resources.find((resource) => resource.id === id)?.spec as { verify?: string[] };
  const staged = join(tree, 'staged');
  writeFileSync(staged, text);
  return run((spec.verify ?? []).map((word) => word.replace('{file}', staged)));
}

/** A check of vzdump on pve2, with the temporary directory and other words replaced. */
async function check(id: string, replace: Readonly<Record<string, string>>) {
  const { checks } = await expandHost(await example(), 'pve2');
  const spec = checks.find((one) => one.id === id)?.resource.spec as { command?: string[] };
  return run((spec.command ?? []).map((word) => replace[word] ?? word));
}

function run([program = '', ...words]: readonly string[]): { status: number | null; said: string } {
  const { status, stdout } = spawnSync(program, words, { cwd: tree, encoding: 'utf8' });
  return { status, said: stdout };
}

test('a node of Proxmox VE is not renamed', async () => {
  expect((await verify('file:/etc/hostname', 'pve2\n')).status).toBe(0);
  mkdirSync(join(tree, 'etc/pve/nodes/pve2'), { recursive: true });
  expect((await verify('file:/etc/hostname', 'pve2\n')).status).toBe(0);
  const other = await verify('file:/etc/hostname', 'pve3\n');
  expect(other.status).toBe(1);
  expect(other.said).toContain('/etc/pve/nodes/pve3');
});

test.each([
  ['127.0.0.1 localhost\n::1 localhost\n10.10.0.30 pve2.lan pve2\n', 0],
  ['# 127.0.1.1 pve2\n\nff02::1 ip6-allnodes\n', 0],
  ['127.0.1.1 pve2.lan pve2\n', 1],
  ['pve2.example.lan pve2.lan pve2\n', 1],
])('/etc/hosts with %j', async (text, status) => {
  expect((await verify('file:/etc/hosts', text)).status).toBe(status);
});

test('left-overs are those of a vzdump that no longer runs', async () => {
  const where = { '/var/lib/vz/vzdump-tmp': tree };
  const busy = spawn('sleep', ['60'], { argv0: 'vzdump', stdio: 'ignore' });
  try {
    mkdirSync(join(tree, `vzdumptmp${busy.pid}_1031`));
    mkdirSync(join(tree, 'other'));
    expect(await check('vzdump/tmpdir-no-leftovers', where)).toEqual({ status: 0, said: '' });
    // This process has a number that a vzdump could have had, and is none.
    mkdirSync(join(tree, `vzdumptmp${process.pid}_1034`));
    const { said } = await check('vzdump/tmpdir-no-leftovers', where);
    expect(said).toBe(`vzdumptmp${process.pid}_1034\n`);
  } finally {
    busy.kill();
  }
});

test('free space is compared in GiB, and a directory that is not there has none', async () => {
  const space = (need: string, path: string) =>
    check('vzdump/tmpdir-space', { '/var/lib/vz/vzdump-tmp': path, 'need=8': `need=${need}` });
  expect((await space('0', tree)).status).toBe(0);
  expect((await space('99999999', tree)).status).toBe(1);
  expect((await space('0', join(tree, 'gone'))).status).toBe(1);
});

test.skipIf(process.getuid?.() !== 0)('a private directory is out of reach of a container', async () => {
  const reach = () => check('vzdump/tmpdir-reachable', { '/var/lib/vz/vzdump-tmp': join(tree, 'a') });
  mkdirSync(join(tree, 'a'));
  expect((await reach()).status).toBe(1);
  spawnSync('chmod', ['755', tree, join(tree, 'a')]);
  expect((await reach()).status).toBe(0);
});

test.each([
  ['mode: stop\ntmpdir: /var/lib/vz/vzdump-tmp\n', true],
  ['# nothing\n', true],
  ['mode: Snapshot\n', false],
  ['tmpdir = /x\nmode: stop\n', false],
])('Proxmox VE reads %j', async (conf, understood) => {
  mkdirSync(join(tree, 'bin'));
  copyFileSync(new URL('../../lab/stand-ins/pvesh', import.meta.url), join(tree, 'bin/pvesh'));
  spawnSync('chmod', ['755', join(tree, 'bin/pvesh')]);
  writeFileSync(join(tree, 'bin/stand-ins.root'), `${tree}\n`);
  writeFileSync(join(tree, 'vzdump.conf'), conf);
  const { checks } = await expandHost(await example(), 'pve2');
  const spec = checks.find((one) => one.id === 'vzdump/conf-understood')?.resource.spec as {
    command: string[];
    expect: { matches: string };
  };
  const env = { ...process.env, PATH: `${join(tree, 'bin')}:${process.env.PATH}` };
  const { stdout } = spawnSync(spec.command[0] ?? '', spec.command.slice(1), { env, encoding: 'utf8' });
  expect(stdout).toContain('{');
  // As the type `command` reads it: ^ stands for the start of any line, which must not hide a complaint above it.
  expect(new RegExp(spec.expect.matches, 'm').test(stdout)).toBe(understood);
});
