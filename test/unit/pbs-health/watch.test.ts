import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { newWorld, start } from './world.ts';

const restart = 'restart proxmox-backup.service proxmox-backup-proxy.service';
const running =
  '[{"upid":"UPID:pbs:1","worker_type":"garbage_collection","starttime":1},{"upid":"UPID:pbs:2","starttime":1,"endtime":2,"status":"it\\"s {odd}"}]';

test('all is well: nothing is done, and the metrics say so', async () => {
  const world = await newWorld();
  expect(world.run('watch')).toEqual({ code: 0, said: '' });
  expect(world.done()).toEqual([]);
  expect(world.metric('store_healthy{store="main"}')).toBe('1');
  expect(world.metric('stale_handles{store="main"}')).toBe('0');
  expect(world.metric('nfs_reconnects{store="main"}')).toBe('7');
  expect(world.metric('tasks_running')).toBe('0');
  expect(world.metric('result')).toBe('0');
});

test('handles of what lay there before: one restart, and no second one', async () => {
  const world = await newWorld();
  world.replace();
  const first = world.run('watch');
  expect(first.said).toContain('and another one lies there now');
  expect(first.code).toBe(0);
  expect(world.run('watch')).toEqual({ code: 0, said: '' });
  expect(world.done()).toEqual([restart]);
  expect(world.metric('restarts_total{reason="stale"}')).toBe('1');
  expect(world.metric('stale_handles{store="main"}')).toBe('0');
});

test('another mount than the one that the daemons started with: one restart', async () => {
  const world = await newWorld();
  world.run('watch');
  world.write('mountinfo', `41 1 0:51 / ${world.store} rw - nfs4 10.10.0.103:/mnt/Taupo/pbs rw\n`);
  expect(world.run('watch', '--dry-run').said).toContain('would restart');
  expect(world.run('watch')).toMatchObject({
    code: 0,
    said: expect.stringContaining('another mount than the one'),
  });
  expect(world.run('watch')).toEqual({ code: 0, said: '' });
  expect(world.done()).toEqual([restart]);
  expect(world.metric('disruptions_total{store="main"}')).toBe('1');
  expect(world.metric('restarts_total{reason="disruption"}')).toBe('1');
});

test('a server that is connected to anew is a hint, and no reason to restart', async () => {
  const world = await newWorld();
  world.run('watch');
  world.write('mountstats', readFileSync(join(world.dir, 'mountstats'), 'utf8').replace(' 7 ', ' 9 '));
  expect(world.run('watch')).toMatchObject({ code: 0, said: expect.stringContaining('connected to anew') });
  expect(world.done()).toEqual([]);
});

test.each([
  ['nothing is mounted', '20 1 0:1 / / rw - ext4 /dev/sda1 rw\n', 'nothing is mounted'],
  [
    'another export',
    '36 1 0:50 / STORE rw - nfs4 10.10.0.103:/mnt/Taupo/other rw\n',
    'not 10.10.0.103:/mnt/Taupo/pbs',
  ],
  ['another type', '36 1 0:50 / STORE rw - ext4 10.10.0.103:/mnt/Taupo/pbs rw\n', 'not one of the type nfs'],
  ['an automount that was not entered', '36 1 0:50 / STORE rw - autofs systemd-1 rw\n', 'nothing is mounted'],
])('no restart: %s', async (_, mountinfo, said) => {
  const world = await newWorld();
  world.replace();
  world.write('mountinfo', mountinfo.replace('STORE', world.store));
  expect(world.run('watch')).toMatchObject({ code: 3, said: expect.stringContaining(said) });
  expect(world.done()).toEqual([]);
  expect(world.metric('store_healthy{store="main"}')).toBe('0');
  expect(world.metric('restart_due')).toBe('1');
});

test.each([
  ['.chunks is not there', 'rm -r store/.chunks', '.chunks'],
  ['.chunks is empty: another export, or an empty one', 'rmdir store/.chunks/0000', '.chunks is empty'],
])('no restart: %s', async (_, edit, said) => {
  const world = await newWorld();
  world.replace();
  spawnSync('sh', ['-euc', edit], { cwd: world.dir });
  expect(world.run('watch')).toMatchObject({ code: 3, said: expect.stringContaining(said) });
  expect(world.done()).toEqual([]);
});

test('no restart while the mount hangs, whose handles are then not known; the hang costs its limit', async () => {
  const world = await newWorld();
  world.replace();
  world.write('bin/stat', `#!/bin/sh\necho asked >>${world.dir}/asked\nexec sleep 60\n`, 0o755);
  const started = Date.now();
  expect(world.run('watch')).toMatchObject({
    code: 3,
    said: expect.stringContaining('gave no answer in 1 s'),
  });
  expect(Date.now() - started).toBeLessThan(6000);
  // It is not touched a second time.
  expect(readFileSync(join(world.dir, 'asked'), 'utf8')).toBe('asked\n');
  expect(world.done()).toEqual([]);
  expect(world.metric('store_hangs{store="main"}')).toBe('1');
  expect(world.metric('stale_handles{store="main"}')).toBe('-1');
});

test('a result that could not be written down is no success', async () => {
  const world = await newWorld();
  world.run('watch');
  world.replace();
  // As on a full file system: the file is made, and nothing gets into it.
  world.write('bin/mv', '#!/bin/sh\ncase $2 in */rc.new) : >"$2" ;; esac\nexec /bin/mv "$@"\n', 0o755);
  expect(world.run('watch').code).toBe(3);
  expect(world.done()).toEqual([]);
});

test('what is stuck in the kernel is left behind, and no second question is asked beside it', async () => {
  const world = await newWorld();
  // Neither TERM nor KILL of `timeout` ends it: it is in a session of its own, and its caller waits.
  world.write(
    'bin/timeout',
    '#!/bin/sh\ncase "$*" in *touch-store*) echo asked >>DIR/asked; exec setsid -w sleep 12 ;; esac\nexec /usr/bin/timeout "$@"\n'.replace(
      'DIR',
      world.dir,
    ),
    0o755,
  );
  expect(world.run('watch').code).toBe(3);
  const started = Date.now();
  expect(world.run('watch')).toMatchObject({ code: 3, said: expect.stringContaining('no answer') });
  expect(Date.now() - started).toBeLessThan(2000);
  expect(readFileSync(join(world.dir, 'asked'), 'utf8')).toBe('asked\n');
});

test('no restart while a task runs; once it has ended, one', async () => {
  const world = await newWorld();
  world.replace();
  world.write('tasks', running);
  expect(world.run('watch')).toMatchObject({ code: 4, said: expect.stringContaining('waits for 1 running') });
  expect(world.metric('tasks_running')).toBe('1');
  expect(world.metric('restart_due')).toBe('1');
  expect(world.done()).toEqual([]);
  world.write('tasks', running.replace('"starttime":1}', '"starttime":1,"endtime":3}'));
  expect(world.run('watch').code).toBe(0);
  expect(world.done()).toEqual([restart]);
});

test.each([
  ['', 'no-api', ''],
  ['not JSON', 'tasks', 'Error: no connection\n'],
  ['cut off', 'tasks', '[{"upid":"UPID:pbs:1","endtime":1},{"upid"'],
  ['nothing', 'tasks', ''],
  ['of another form', 'tasks', '{"data":[]}'],
  ['nested', 'tasks', '[{"upid":"x","more":{"endtime":1}}]'],
])('no restart when the tasks are not known: %s', async (_, name, text) => {
  const world = await newWorld();
  world.replace();
  world.write(name, text);
  expect(world.run('watch')).toMatchObject({
    code: 8,
    said: expect.stringContaining('not known which tasks run'),
  });
  expect(world.done()).toEqual([]);
  expect(world.metric('tasks_running')).toBe('-1');
});

test.each([
  ['[]', '0'],
  ['[ ]\n', '0'],
  [running, '1'],
  ['[\n  {\n    "endtime": 5,\n    "upid": "x"\n  },\n  {\n    "upid": "},{\\"endtime\\":1"\n  }\n]', '1'],
  ['[{"upid":"a","endtime":null},{"upid":"b"}]', '2'],
])('tasks that run in %s: %s', async (text, count) => {
  const world = await newWorld();
  world.write('tasks', text);
  world.run('watch');
  expect(world.metric('tasks_running')).toBe(count);
});

test('what systemd does not say is not known; a daemon that somebody stopped is not started', async () => {
  const world = await newWorld();
  world.replace();
  world.write('no-systemd', '');
  expect(world.run('watch').code).toBe(8);
  expect(world.metric('daemon_up{unit="proxmox-backup.service"}')).toBe('-1');
  spawnSync('sh', ['-euc', 'rm no-systemd; kill "$(cat pid.proxmox-backup)"; : >pid.proxmox-backup'], {
    cwd: world.dir,
  });
  expect(world.run('watch')).toMatchObject({ code: 1, said: expect.stringContaining('does not run') });
  expect(world.metric('daemon_up{unit="proxmox-backup.service"}')).toBe('0');
  expect(world.done()).toEqual([]);
});

test('a restart that did not help is told, and not made again every minute', async () => {
  const world = await newWorld();
  world.replace();
  world.write('lame', '');
  expect(world.run('watch')).toMatchObject({
    code: 1,
    said: expect.stringContaining('stale handles are left'),
  });
  expect(world.run('watch')).toMatchObject({ code: 1, said: expect.stringContaining('did not help') });
  expect(world.done()).toEqual([restart]);
  spawnSync('sh', ['-euc', 'rm lame; echo 1 >state/failed'], { cwd: world.dir });
  expect(world.run('watch').code).toBe(0);
  expect(world.done()).toEqual([restart, restart]);
});

test('killed in the middle of a restart: the next look starts the daemons again', async () => {
  const world = await newWorld();
  world.replace();
  world.write(
    'restart-hook',
    'for name in proxmox-backup proxmox-backup-proxy; do kill "$(cat pid.$name)"; : >pid.$name; done; : >stopped; sleep 30\n',
  );
  const child = start(world, 'watch');
  for (let tries = 0; !existsSync(join(world.dir, 'stopped')) && tries < 100; tries++) await sleep(50);
  child.kill('SIGKILL');
  spawnSync('sh', ['-euc', ': >restart-hook'], { cwd: world.dir });
  expect(world.run('watch')).toMatchObject({
    code: 0,
    said: expect.stringContaining('interrupted: starting the daemons'),
  });
  expect(world.done().at(-1)).toBe('start proxmox-backup.service proxmox-backup-proxy.service');
  expect(world.metric('daemon_up{unit="proxmox-backup-proxy.service"}')).toBe('1');
  expect(existsSync(join(world.dir, 'state/restarting'))).toBe(false);
});

test('weekly: under the same conditions, and as soon as they are met', async () => {
  const world = await newWorld();
  world.write('tasks', running);
  expect(world.run('weekly').code).toBe(4);
  expect(world.done()).toEqual([]);
  world.write('tasks', '[]');
  expect(world.run('watch').code).toBe(0);
  expect(world.run('watch').code).toBe(0);
  expect(world.done()).toEqual([restart]);
  expect(world.metric('restarts_total{reason="weekly"}')).toBe('1');
});

test('--dry-run says what it would do, and leaves no trace', async () => {
  const world = await newWorld();
  world.replace();
  expect(world.run('weekly', '--dry-run')).toMatchObject({
    code: 4,
    said: expect.stringContaining('would restart'),
  });
  expect(world.done()).toEqual([]);
  expect(existsSync(join(world.dir, 'state'))).toBe(false);
  expect(readdirSync(join(world.dir, 'metrics'))).toEqual([]);
});

test('one at a time', async () => {
  const world = await newWorld();
  world.write('bin/proxmox-backup-manager', `#!/bin/sh\n: >${world.dir}/slow\nsleep 3\necho '[]'\n`, 0o755);
  const child = start(world, 'watch');
  for (let tries = 0; !existsSync(join(world.dir, 'slow')) && tries < 100; tries++) await sleep(50);
  expect(world.run('watch')).toEqual({ code: 5, said: 'another one is at work\n' });
  child.kill();
});

test.each([[], ['status'], ['watch', '--force'], ['watch', '--dry-run', 'x'], ['--dry-run']])(
  'wrong words: %j',
  async (...words) => {
    const world = await newWorld();
    expect(world.run(...words.filter((word) => word !== undefined)).code).toBe(2);
  },
);

describe('metrics', () => {
  test('both ways: a file that the exporter can read, and a push that replaces the group', async () => {
    const world = await newWorld({ push_url: 'http://metrics.lan:9091/' });
    world.run('watch');
    const file = join(world.dir, 'metrics/pbs-health.prom');
    expect(statSync(file).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(world.dir, 'metrics'))).toEqual(['pbs-health.prom']);
    expect(readFileSync(join(world.dir, 'pushed'), 'utf8')).toBe(readFileSync(file, 'utf8'));
    const words = readFileSync(join(world.dir, 'curl.words'), 'utf8');
    expect(words).toContain('--fail ');
    expect(words).toContain('--request PUT');
    expect(words.trim()).toMatch(/ http:\/\/metrics\.lan:9091\/metrics\/job\/pbs-health\/instance\/pbs$/);
  });

  test('every line is of the form that Prometheus takes, each series once', async () => {
    const world = await newWorld();
    world.replace();
    world.write('no-systemd', '');
    world.write('mountstats', 'garbage');
    world.write('snapshots.json', '[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1}]');
    world.run('watch');
    const lines = readFileSync(join(world.dir, 'metrics/pbs-health.prom'), 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    for (const line of lines)
      expect(line).toMatch(
        /^(# (HELP|TYPE) pbs_health_[a-z_]+ .+|pbs_health_[a-z_]+(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? -?[0-9]+)$/,
      );
    const series = lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ \S+$/, ''));
    expect(new Set(series).size).toBe(series.length);
    for (const name of series.map((one) => one.replace(/\{.*/, '')))
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^# TYPE ${name} (gauge|counter)$`)));
  });

  test.each([
    ['no directory', { textfile_dir: '/nonexistent/metrics' }, 'is not there'],
    [
      'a push that is refused',
      { push_url: 'http://metrics.lan:9091' },
      'could not push the metrics: curl: (22) 400',
    ],
  ])('%s does not stop the rest', async (_, more, said) => {
    const world = await newWorld(more);
    world.write('no-push', '');
    world.replace();
    expect(world.run('watch')).toMatchObject({ code: 0, said: expect.stringContaining(said) });
    expect(world.done()).toEqual([restart]);
    if (!('textfile_dir' in more)) expect(world.metric('result')).toBe('0');
  });

  test('a link planted under the temporary name is not written through', async () => {
    const world = await newWorld();
    world.write('target', 'precious');
    symlinkSync(join(world.dir, 'target'), join(world.dir, 'metrics/.pbs-health.new'));
    world.run('watch');
    expect(readFileSync(join(world.dir, 'target'), 'utf8')).toBe('precious');
    expect(world.metric('result')).toBe('0');
  });
});
