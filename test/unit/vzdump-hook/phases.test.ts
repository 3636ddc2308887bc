import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  type GuestConfig,
  hasty,
  holdLock,
  hookLines,
  influx,
  makeWorld,
  removeWorlds,
  type World,
} from './world.ts';

// Stories of programs that wait for each other; several run at once, because they mostly sleep.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 8 });

afterAll(removeWorlds);

/** One guest with the database running, one that no hook knows. */
async function ready(guests: readonly GuestConfig[] = [influx], state = 'active'): Promise<World> {
  const world = await makeWorld(guests);
  world.guest(111, { 'influxdb3-core': state });
  world.guest(112, { postgresql: 'active' });
  return world;
}

const start = ['backup-start', 'snapshot', '111'];
const end = ['backup-end', 'snapshot', '111'];
const abort = ['backup-abort', 'snapshot', '111'];

describe.concurrent('a backup without trouble', () => {
  test('the service is down at the point in time and up afterwards; both lines are in the log in this order', async () => {
    const world = await ready();
    const ended = await world.vzdump(['112', '111', '--mode', 'snapshot']);
    expect(ended.code).toBe(0);
    expect(world.get('backups/111.1/influxdb3-core')).toBe('inactive');
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
    expect(hookLines(ended.stdout)).toEqual([
      '[InfluxDB Hook] Stopping influxdb3-core before backup',
      '[InfluxDB Hook] influxdb3-core is inactive',
      '[InfluxDB Hook] Starting influxdb3-core after backup',
      '[InfluxDB Hook] influxdb3-core is active',
    ]);
    expect(ended.stdout).not.toMatch(/[^\n -~]/);
    expect(world.calls().filter((call) => call.includes('112'))).toEqual([]);
  });

  test('it stays down through pre-stop, pre-restart and post-restart: all three come before the point in time', async () => {
    const world = await ready();
    await world.run(start);
    world.forget();
    for (const phase of ['pre-stop', 'pre-restart', 'post-restart'])
      expect((await world.run([phase, 'snapshot', '111'])).code).toBe(0);
    expect(world.calls()).toEqual([]);
    expect(world.service(111, 'influxdb3-core')).toBe('inactive');
  });

  test('suspend mode: started although backup-end comes before the resume', async () => {
    const world = await ready();
    expect((await world.vzdump(['111', '--mode', 'suspend'])).code).toBe(0);
    expect(world.get('backups/111.1/influxdb3-core')).toBe('inactive');
    expect(world.service(111, 'influxdb3-core')).toBe('active');
  });

  test('stop mode is not the business of the hook: the guest is shut down anyway', async () => {
    const world = await ready();
    world.set('guests/111/enabled/influxdb3-core', '');
    expect((await world.vzdump(['111', '--mode', 'stop'])).code).toBe(0);
    expect(world.calls()).toEqual([]);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
  });

  test('stop mode when configured: stopped before the shutdown; a guest that does not run is left alone', async () => {
    const world = await ready([{ ...influx, modes: ['stop'] }]);
    expect((await world.vzdump(['111', '--mode', 'stop'])).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    world.set('guests/111/status', 'stopped');
    const off = await world.vzdump(['111', '--mode', 'snapshot']);
    expect(off.code).toBe(0);
    expect(off.stdout).toContain('the guest is not running, nothing to stop');
    expect(world.waiting()).toEqual([]);
  });

  test('several services: stopped in the order given, started in the reverse one', async () => {
    const world = await makeWorld([{ ...influx, services: ['app', 'db'] }]);
    world.guest(111, { app: 'active', db: 'active' });
    const ended = await world.vzdump(['111']);
    expect(hookLines(ended.stdout).filter((line) => /Stopping|Starting/.test(line))).toEqual([
      '[InfluxDB Hook] Stopping app before backup',
      '[InfluxDB Hook] Stopping db before backup',
      '[InfluxDB Hook] Starting db after backup',
      '[InfluxDB Hook] Starting app after backup',
    ]);
  });
});

describe.concurrent('what the hook leaves alone', () => {
  test.each([
    ['a guest that is not configured', ['backup-start', 'snapshot', '112'], { VMTYPE: 'qemu' }],
    ['a phase of a later Proxmox VE', ['backup-later', 'snapshot', '111'], { VMTYPE: 'qemu' }],
    ['a container with the same number', start, { VMTYPE: 'lxc' }],
    ['job-init', ['job-init'], {}],
    ['a VMID that is none', ['backup-end', 'snapshot', '../111'], {}],
    ['an abort without a start', abort, {}],
  ])('%s: exit 0, no call', async (_name, args, env) => {
    const world = await ready();
    expect(await world.run(args, env as Record<string, string>)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(world.calls()).toEqual([]);
  });

  test.each(['inactive', 'failed'])('a service that is %s stays so', async (state) => {
    const world = await ready([influx], state);
    expect((await world.vzdump(['111'])).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe(state);
    expect(world.get('guests/111/started/influxdb3-core')).toBe('');
  });

  test('of two services only the one that was active is started again', async () => {
    const world = await makeWorld([{ ...influx, services: ['app', 'db'] }]);
    world.guest(111, { app: 'inactive', db: 'active' });
    await world.vzdump(['111']);
    expect([world.service(111, 'app'), world.service(111, 'db')]).toEqual(['inactive', 'active']);
  });
});

describe.concurrent('a phase that fails before anything happened', () => {
  test.each([
    ['agent-absent', 'QEMU guest agent is not running'],
    ['agent-unconfigured', 'No QEMU guest agent configured'],
    ['exec-hangs', 'no answer within'],
    ['exec-garbage', 'the answer of qm was not understood'],
    ['exec-exit-1', 'exit code 1 in the guest'],
    ['timeout-answer', 'still running in the guest'],
  ])('%s: exit 1, nothing was stopped, nothing noted', async (fault, text) => {
    const world = await ready([hasty]);
    world.fault(111, fault);
    const ended = await world.run(start);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain(text);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });

  test('a unit that the guest does not know is an error, not a service that somebody stopped', async () => {
    const world = await makeWorld([{ ...influx, services: ['influxdb3-cor'] }]);
    world.guest(111, { 'influxdb3-core': 'active' });
    const ended = await world.run(start);
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining('is not known in the guest')]);
  });

  test.each(['stop-fails', 'stop-ignored'])(
    '%s: the service is up again and the guest fails',
    async (fault) => {
      const world = await ready([hasty]);
      world.fault(111, fault);
      const ended = await world.run(start);
      expect(ended.code).toBe(1);
      expect(ended.stdout).toContain('could not be stopped: it is still active');
      expect(world.service(111, 'influxdb3-core')).toBe('active');
      expect(world.waiting()).toEqual([]);
    },
  );

  test('the second of two cannot be stopped: the first is up again at once', async () => {
    const world = await makeWorld([{ ...hasty, services: ['app', 'db'] }]);
    world.guest(111, { app: 'active', db: 'active' });
    world.fault(111, 'stop-ignored-db');
    const ended = await world.run(start);
    expect(ended.code).toBe(1);
    expect(world.service(111, 'app')).toBe('active');
  });

  test('asked to end in the middle of a stop: all is started again first', async () => {
    const world = await ready();
    world.fault(111, 'stop-ignored');
    const child = spawn(world.hook, start, { env: { VMTYPE: 'qemu' }, stdio: ['ignore', 'pipe', 'inherit'] });
    const text: string[] = [];
    child.stdout.on('data', (bytes) => {
      text.push(String(bytes));
      if (String(bytes).includes('Stopping')) setTimeout(() => child.kill('SIGTERM'), 300);
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, text.join('')]).toEqual([
      1,
      expect.stringContaining('asked to end; this backup is refused'),
    ]);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });

  test('on_failure continue: the backup goes on, nothing is left stopped', async () => {
    const world = await ready([{ ...hasty, on_failure: 'continue' }]);
    world.fault(111, 'stop-ignored');
    expect((await world.run(start)).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
  });

  test('what is to be started cannot be noted: nothing is stopped', async () => {
    const world = await ready();
    world.set('state/new.111/in-the-way', '');
    const ended = await world.run(start);
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining('could not be noted')]);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    rmSync(join(world.dir, 'state'), { recursive: true });
  });

  test('the stop outlives its own call: the hook looks until the service is inactive', async () => {
    const world = await ready();
    world.fault(111, 'slow-stop');
    world.fault(111, 'stop-fails', 1);
    expect((await world.run(start)).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('inactive');
  });
});

describe.concurrent('starting again', () => {
  test.each([
    ['frozen', 3],
    ['agent-absent', 2],
    ['start-fails', 2],
    ['start-dies', 1],
    ['exec-garbage', 1],
  ])('%s at first: tried again within the limit', async (fault, times) => {
    const world = await ready();
    await world.run(start);
    world.fault(111, fault, times);
    expect((await world.run(end)).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });

  test('it cannot be started: exit 1, the note stays, backup-abort and log-end try again', async () => {
    const world = await ready([hasty]);
    await world.run(start);
    world.fault(111, 'start-fails');
    const ended = await world.run(end);
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining('NOT STARTED: influxdb3-core')]);
    expect(world.waiting()).toEqual(['111']);
    world.heal(111, 'start-fails');
    expect((await world.run(abort)).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });

  test('one service that cannot be started does not keep the other one down', async () => {
    const world = await makeWorld([{ ...influx, services: ['app', 'db'], start_limit: 2 }]);
    world.guest(111, { app: 'active', db: 'active' });
    await world.run(start);
    world.set('guests/111/services/db', 'deactivating');
    expect((await world.run(end)).code).toBe(1);
    expect(world.service(111, 'app')).toBe('active');
    expect(JSON.parse(world.get('state/111')).start).toEqual(['db']);
  });

  test('of two guests, one that cannot be reached does not keep the other one down', async () => {
    const world = await makeWorld([
      { ...influx, start_limit: 2 },
      { vmid: 113, name: 'Postgres', services: ['postgresql'] },
    ]);
    world.guest(111, { 'influxdb3-core': 'active' });
    world.guest(113, { postgresql: 'active' });
    await world.run(start);
    world.fault(111, 'agent-unconfigured');
    const ended = await world.vzdump(['113']);
    expect(ended.code).toBe(255);
    expect(ended.stdout).toContain('[Postgres Hook] Starting postgresql after backup');
    expect(world.service(113, 'postgresql')).toBe('active');
  });

  test('calls after the first change nothing: end, abort, log-end, job-end', async () => {
    const world = await ready();
    await world.run(start);
    for (const args of [end, abort, ['log-end', 'snapshot', '111'], ['job-end'], ['job-abort']])
      expect((await world.run(args)).code).toBe(0);
    expect(world.get('guests/111/started/influxdb3-core')).toBe('1');
  });

  test('a guest that left the configuration during its backup is started all the same', async () => {
    const world = await ready();
    await world.run(start);
    const other = await makeWorld([]);
    writeFileSync(world.hook, readFileSync(other.hook, 'utf8').replaceAll(other.dir, world.dir));
    const ended = await world.run(end);
    expect([ended.code, hookLines(ended.stdout)[0]]).toEqual([
      0,
      '[InfluxDB Hook] Starting influxdb3-core after backup',
    ]);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
  });

  test.each(['', 'not json', '{"start":[]}', '{"start":["../x"]}'])(
    'a note that cannot be read (%j) means all services of the guest',
    async (text) => {
      const world = await ready([influx], 'inactive');
      world.set('state/111', text);
      expect((await world.run(end)).code).toBe(0);
      expect(world.service(111, 'influxdb3-core')).toBe('active');
      expect(world.waiting()).toEqual([]);
    },
  );

  test('a guest that is switched off does not fail the whole run, and keeps its note', async () => {
    const world = await ready();
    await world.run(start);
    world.set('guests/111/status', 'stopped');
    expect((await world.run(['job-end'])).code).toBe(0);
    expect(world.waiting()).toEqual(['111']);
  });
});

describe.concurrent('repair', () => {
  test('starts what is left stopped, but not while a vzdump holds its lock; the file alone means nothing', async () => {
    const world = await ready();
    await world.run(start);
    const release = await holdLock(join(world.dir, 'vzdump.lock'));
    expect((await world.run(['repair'])).stdout).toContain('a backup runs on this host');
    expect(world.service(111, 'influxdb3-core')).toBe('inactive');
    expect((await world.run(['check', 'services'])).code).toBe(8);
    expect((await world.run(['check', 'idle'])).code).toBe(1);
    release();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await world.run(['repair'])).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
    expect((await world.run(['check'])).code).toBe(0);
  });

  test('nothing left stopped: no call', async () => {
    const world = await ready([influx], 'inactive');
    expect(await world.run(['repair'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(world.calls()).toEqual([]);
  });

  test('left stopped by a killed run, and the next backup comes first: it is started after that one', async () => {
    const world = await ready();
    await world.run(start);
    expect((await world.vzdump(['111'])).code).toBe(0);
    expect(world.get('backups/111.1/influxdb3-core')).toBe('inactive');
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });
});
