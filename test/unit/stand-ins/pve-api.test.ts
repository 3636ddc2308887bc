import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { parseCalendar } from '../../../src/resources/calendar.ts';

// What the stand-ins play of jobs and guests, held against the facts known of the real programs.
const standIns = new URL('../../lab/stand-ins/', import.meta.url).pathname;
const world = mkdtempSync(join(tmpdir(), 'pve-api-'));
const node = hostname().replace(/\..*/, '');
afterAll(() => rmSync(world, { recursive: true, force: true }));

const put = (path: string, text: string) => {
  mkdirSync(dirname(join(world, path)), { recursive: true });
  writeFileSync(join(world, path), text);
};
const get = (path: string) => readFileSync(join(world, path), 'utf8');
const run = (name: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(join(world, 'bin', name), args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const pvesh = (...args: string[]) => run('pvesh', ...args, '--output-format', 'json');
const jobs = () => get('pve/jobs.cfg');
const ct = `nodes/${node}/lxc/1031.conf`;
const vm = `nodes/${node}/qemu-server/111.conf`;

beforeEach(() => {
  for (const name of readdirSync(world)) rmSync(join(world, name), { recursive: true });
  for (const { name } of readdirSync(standIns, { withFileTypes: true }).filter((one) => one.isFile())) {
    mkdirSync(join(world, 'bin'), { recursive: true });
    copyFileSync(join(standIns, name), join(world, 'bin', name));
  }
  put('bin/stand-ins.root', `${world}\n`);
  put(
    'pve/jobs.cfg',
    '# by hand\nvzdump: old\n\tschedule 02:00\n\tall 1\n\tstorage local\n\tfleecing enabled=1,storage=local-lvm\n\n',
  );
  put(
    `pve/${ct}`,
    '# media\nhostname: docker\nmp0: /mnt/Main,mp=/mnt/Main\nmp1: l:vm-1031-disk-1,mp=/srv,size=1G\nrootfs: l:vm-1031-disk-0,size=1G\n\n[old]\nmp1: x\n',
  );
  put(
    `pve/${vm}`,
    'agent: 0\nname: influx\nscsi0: l:vm-111-disk-0,size=1G\nscsi1: l:vm-111-pvc-1,backup=0,size=1G\n',
  );
  put('guests/111/status', 'running');
});

test('a write of the API makes the file anew: comments are gone, property strings rewritten, enabled explicit', () => {
  expect(
    pvesh(
      'create',
      '/cluster/backup',
      '--id',
      'a1',
      '--vmid',
      '100,101',
      '--schedule',
      'daily',
      '--comment',
      'für alle',
    ).status,
  ).toBe(0);
  const text = jobs();
  expect(text).not.toContain('#');
  expect(text).toContain('\tfleecing 1,storage=local-lvm\n');
  expect(text).toMatch(
    /vzdump: a1\n\tschedule daily\n\tcomment f%C3%BCr alle\n\tenabled 1\n\tvmid (100,101|101,100)\n\n$/,
  );
  const shown = JSON.parse(pvesh('get', '/cluster/backup').stdout);
  expect(shown).toMatchObject([
    { id: 'old', all: 1, fleecing: { enabled: '1', storage: 'local-lvm' } },
    { id: 'a1', comment: 'für alle', enabled: 1 },
  ]);
});

test('one selection replaces the other, exclude alone implies all, keys are deleted', () => {
  expect(pvesh('set', '/cluster/backup/old', '--vmid', '111', '--delete', 'fleecing').status).toBe(0);
  expect(jobs()).not.toMatch(/all|fleecing/);
  expect(pvesh('set', '/cluster/backup/old', '--exclude', '105').stderr).toContain('conflicts');
  expect(
    pvesh('create', '/cluster/backup', '--id', 'b2', '--exclude', '105', '--schedule', 'daily').status,
  ).toBe(0);
  expect(jobs()).toMatch(/vzdump: b2\n(?:.|\n)*\tall 1\n(?:.|\n)*\texclude 105\n/);
  expect(pvesh('delete', '/cluster/backup/b2').status).toBe(0);
  expect(jobs()).not.toContain('vzdump: b2');
  expect(pvesh('delete', '/cluster/backup/b2')).toMatchObject({
    status: 255,
    stderr: expect.stringContaining("No such job 'b2'"),
  });
});

test.each([
  [['--mode', 'Stop'], 'mode: value'],
  [['--prune-backups', 'keep-lsat=3'], 'prune-backups: invalid format'],
  [['--schedule', '@daily'], 'schedule: invalid calendar event'],
  [['--all', '1', '--vmid', '100'], "option conflicts with option 'vmid'"],
  [['--selection-mode', 'include'], 'property is not defined'],
  [['--fleecing', 'enabled=1'], 'fleecing storage'],
])('%j is refused and nothing is written', (more, message) => {
  const before = jobs();
  const selection = more.includes('--vmid') ? [] : ['--vmid', '100'];
  const schedule = more.includes('--schedule') ? [] : ['--schedule', 'daily'];
  const said = pvesh('create', '/cluster/backup', '--id', 'x1', ...selection, ...schedule, ...more);
  expect(said).toMatchObject({ status: 255, stdout: '', stderr: expect.stringContaining(message) });
  expect(jobs()).toBe(before);
});

test('an entry without a schedule makes every write fail', () => {
  put('pve/jobs.cfg', `vzdump: bad\n\tstarttime 02:00\n\tall 1\n\n${jobs()}`);
  const said = pvesh('set', '/cluster/backup/old', '--mode', 'stop');
  expect(said).toMatchObject({ status: 255, stderr: expect.stringContaining("unknown section type ''") });
});

test('it takes the same schedules as our parser', () => {
  const texts = [
    ...[
      '02:00',
      '22',
      '02:30,14:30',
      '24:00',
      '*-02-30',
      'mon..fri 22',
      'sun *-1..7 3:00',
      '*/30',
      'daily',
      'hourly UTC',
      '2,14:30',
      'sat',
      '12-24',
    ],
    ...['@daily', 'Daily', 'mon-fri', '0 2 * * *', '02:60', '60', '02:00 CET', '2h', '24:00:00', ''],
  ];
  const taken = texts.map((text) => pvesh('set', '/cluster/backup/old', '--schedule', text).status === 0);
  expect(taken).toEqual(texts.map((text) => parseCalendar(text) !== null));
});

test('what is in no job, and what a job takes of a guest', () => {
  pvesh('set', '/cluster/backup/old', '--vmid', '1031');
  expect(JSON.parse(pvesh('get', '/cluster/backup-info/not-backed-up').stdout)).toEqual([
    { name: 'influx', type: 'qemu', vmid: 111 },
  ]);
  const { children } = JSON.parse(pvesh('get', '/cluster/backup/old/included_volumes').stdout);
  expect(children[0].children).toEqual([
    { id: 'mp0', included: 0, name: '/mnt/Main', reason: 'not a volume' },
    { id: 'mp1', included: 0, name: '/srv', reason: 'disabled' },
    { id: 'rootfs', included: 1, name: 'l:vm-1031-disk-0', reason: 'rootfs' },
  ]);
});

test('set takes the whole text of a mount point, keeps snapshots, and is refused on a locked guest', () => {
  expect(run('pct', 'set', '1031', '--mp1', 'l:vm-1031-disk-1,backup=1')).toMatchObject({
    status: 255,
    stderr: expect.stringContaining('mp1.mp: property is missing'),
  });
  expect(run('pct', 'set', '1031', '--mp1', 'l:vm-1031-disk-1,mp=/srv,backup=1').status).toBe(0);
  // The size is lost: it was not repeated.
  expect(get(`pve/${ct}`)).toMatch(
    /^# media\n(?:.|\n)*\nmp1: l:vm-1031-disk-1,mp=\/srv,backup=1\n(?:.|\n)*\n\n\[old\]\nmp1: x\n$/,
  );
  put(`pve/${ct}`, `lock: backup\n${get(`pve/${ct}`)}`);
  expect(run('pct', 'set', '1031', '--mp1', 'l:x,mp=/srv')).toMatchObject({
    status: 255,
    stderr: 'CT is locked (backup)\n',
  });
  expect(run('pct', 'unlock', '1031').status).toBe(0);
  expect(run('pct', 'unlock', '1031').status).toBe(255);
  expect(get(`pve/${ct}`)).not.toContain('lock:');
});

test('the agent of a running VM waits for its next start; asking it needs the flag', () => {
  expect(run('qm', 'agent', '111', 'ping').stderr).toBe('No QEMU guest agent configured\n');
  expect(run('qm', 'set', '111', '--agent', 'enabled=1').status).toBe(0);
  expect(get(`pve/${vm}`)).toMatch(/^agent: 0\n(?:.|\n)*\n\[PENDING\]\nagent: enabled=1\n$/);
  for (const verb of ['shutdown', 'start']) expect(run('qm', verb, '111').status).toBe(0);
  expect(get(`pve/${vm}`)).toMatch(/^agent: enabled=1\n/);
  expect(run('qm', 'agent', '111', 'ping').status).toBe(0);
});

test('a hook script comes from a storage with snippets, and is executable', () => {
  const set = () => run('qm', 'set', '111', '--hookscript', 'local:snippets/hook.sh');
  put('pve/storage.cfg', `dir: local\n\tpath ${world}/vz\n\tcontent backup\n\n`);
  expect(set().stderr).toContain("does not support content type 'snippets'");
  put('pve/storage.cfg', `dir: local\n\tpath ${world}/vz\n\tcontent backup,snippets\n\n`);
  expect(set().stderr).toContain('does not exist');
  put('vz/snippets/hook.sh', '#!/bin/sh\n');
  expect(set().stderr).toContain('is not executable');
  spawnSync('chmod', ['755', join(world, 'vz/snippets/hook.sh')]);
  expect(set()).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('a task that is created prints its log before its UPID, and takes the lock of the guest away again', () => {
  const said = pvesh('create', `/nodes/${node}/vzdump`, '--vmid', '111', '--storage', 'local');
  expect(said.status).toBe(0);
  expect(said.stdout).toMatch(
    /^INFO: starting new backup job: vzdump 111\n(?:.|\n)*TASK OK\n"UPID:[^"]*:vzdump:111:root@pam:"\n$/,
  );
  const upid = /"(UPID.*)"/.exec(said.stdout)?.[1] ?? '';
  expect(JSON.parse(pvesh('get', `/nodes/${node}/tasks/${upid}/status`).stdout)).toMatchObject({
    status: 'stopped',
    exitstatus: 'OK',
  });
  expect(get(`pve/${vm}`)).not.toContain('lock');
});

test('tasks are filtered as the API does; a job over several guests has no id', () => {
  const task = (id: string, status: string | null, type = 'vzdump') => ({
    upid: `UPID:n:1:1:1:${type}:${id}:root@pam:`,
    id,
    type,
    status,
  });
  put(
    'tasks.json',
    JSON.stringify([
      task('111', 'OK'),
      task('', 'job errors'),
      task('112', null),
      task('1', 'OK', 'aptupdate'),
    ]),
  );
  const ids = (...args: string[]) =>
    JSON.parse(pvesh('get', `/nodes/${node}/tasks`, ...args).stdout).map((one: { id: string }) => one.id);
  expect(ids('--source', 'active', '--typefilter', 'vzdump')).toEqual(['112']);
  expect(ids('--vmid', '111')).toEqual(['111']);
  expect(ids('--errors', '1')).toEqual(['']);
  expect(ids('--source', 'all')).toEqual(['111', '', '112', '1']);
});

test('storages come from storage.cfg where that is there', () => {
  put(
    'pve/storage.cfg',
    'nfs: bu\n\tserver 10.10.0.104\n\texport /bu\n\tcontent backup\n\ndir: off\n\tpath /x\n\tdisable\n\n',
  );
  put('storages', 'bu nfs inactive 10 1 9\n');
  expect(JSON.parse(pvesh('get', `/nodes/${node}/storage`).stdout)).toMatchObject([
    { storage: 'bu', active: 0, enabled: 1, shared: 1, content: 'backup', total: 10240 },
    { storage: 'off', active: 0, enabled: 0 },
  ]);
  expect(JSON.parse(pvesh('get', '/storage').stdout)).toMatchObject([
    { storage: 'bu', export: '/bu' },
    { storage: 'off', disable: 1 },
  ]);
});
