import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { influx, makeWorld, removeWorlds, type World } from './world.ts';

// The stand-ins play known facts; a test that rests on one of them is worth what that fact is worth here.
const standIns = new URL('../../lab/stand-ins/', import.meta.url).pathname;
let world: World;

beforeAll(async () => {
  world = await makeWorld([influx]);
  for (const { name } of readdirSync(standIns, { withFileTypes: true }).filter((one) => one.isFile()))
    copyFileSync(join(standIns, name), join(world.dir, 'bin', name));
  world.guest(111, { 'influxdb3-core': 'active' });
  world.guest(1031, {}, 'lxc');
  world.set('storages', 'pbs-pihanga pbs active 1000 250 750\ntruenas-bu nfs inactive\n');
});
afterAll(removeWorlds);

const run = (name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(world.dir, 'bin', name), args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const exec = (...argv: string[]) => run('qm', 'guest', 'exec', '111', '--timeout', '5', '--', ...argv);

test('qm guest exec exits 0 when the program in the guest failed, and when the time was up', () => {
  const failed = exec('/bin/false');
  expect([failed.status, JSON.parse(failed.stdout)]).toEqual([0, { exited: 1, exitcode: 1 }]);
  world.fault(111, 'timeout-answer', 1);
  const late = exec('/bin/true');
  expect([late.status, JSON.parse(late.stdout), late.stderr]).toEqual([
    0,
    { pid: 4711 },
    'timeout reached, returning pid\n',
  ]);
});

test('qm exits 255 when the host cannot ask; ping says nothing', () => {
  expect(run('qm', 'guest', 'cmd', '111', 'ping')).toEqual({ status: 0, stdout: '', stderr: '' });
  world.fault(111, 'agent-absent', 1);
  expect(run('qm', 'agent', '111', 'ping')).toEqual({
    status: 255,
    stdout: '',
    stderr: 'QEMU guest agent is not running\n',
  });
  world.fault(111, 'frozen', 1);
  expect(exec('/bin/true').status).toBe(255);
});

test('is-active calls an unknown unit inactive', () => {
  expect(JSON.parse(exec('/bin/systemctl', 'is-active', 'nothing').stdout)).toMatchObject({
    exitcode: 3,
    'out-data': 'inactive\n',
  });
});

test('pct unlock fails where qm unlock does not', () => {
  expect(run('qm', 'unlock', '111').status).toBe(0);
  expect(run('pct', 'unlock', '1031').status).toBe(255);
  expect(run('pct', 'status', '1031').stdout).toBe('status: running\n');
  expect(run('pct', 'status', '111').status).toBe(2);
});

test('pvesm exits 0 for a storage that is down', () => {
  const { status, stdout, stderr } = run('pvesm', 'status');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^pbs-pihanga\s+pbs\s+active\s+1000\s+250\s+750\s+25\.00%$/m);
  expect(stdout).toMatch(/^truenas-bu\s+nfs\s+inactive\s/m);
  expect(stderr).toContain("storage 'truenas-bu' is not online");
});

test('pvesh reads vzdump.conf with the grammar of Proxmox VE', () => {
  world.set(
    'vzdump.conf',
    ' script: /a\r\nscript:/b\n#tmpdir: /x\nTMPDIR: /y\ntmpdir : /z\nbwlimit: 50M\nionice: 8\nmode: Snapshot\n',
  );
  const { status, stdout, stderr } = run(
    'pvesh',
    'get',
    '/nodes/pve2/vzdump/defaults',
    '--output-format',
    'json',
  );
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ script: '/b', TMPDIR: '/y', ionice: 8 });
  expect(stdout).toContain('"script":"/b"');
  expect(stderr.split('\n').filter(Boolean)).toEqual([
    'ignore config line: tmpdir : /z',
    expect.stringContaining("'bwlimit'"),
    expect.stringContaining("'mode'"),
  ]);
  const guests = run('pvesh', 'get', '/cluster/resources', '--output-format', 'json').stdout;
  expect(JSON.parse(guests)).toMatchObject([
    { vmid: 111, type: 'qemu' },
    { vmid: 1031, type: 'lxc' },
  ]);
  expect(run('pveversion').stdout).toMatch(/^pve-manager\/8\./);
});

test('vzdump refuses a script without its x bit in the very first phase, and a second run while one is at work', () => {
  world.set('vzdump.conf', 'script: /etc/passwd\n');
  const refused = run('vzdump', '111');
  expect([refused.status, refused.stdout]).toEqual([255, expect.stringContaining('is not executable')]);
  expect(world.get('backups/111.1/influxdb3-core')).toBe('');
  world.set('vzdump.conf', '');
  const held = spawnSync('flock', [join(world.dir, 'vzdump.lock'), join(world.dir, 'bin/vzdump'), '111'], {
    encoding: 'utf8',
  });
  expect([held.status, held.stdout]).toEqual([255, expect.stringContaining('got timeout')]);
});
