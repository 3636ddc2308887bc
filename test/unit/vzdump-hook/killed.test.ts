import { afterAll, describe, expect, test, vi } from 'vitest';
import { type GuestConfig, influx, makeWorld, removeWorlds, type World } from './world.ts';

// Each story is a run of several programs that mostly wait for each other.
vi.setConfig({ testTimeout: 120_000, maxConcurrency: 8 });

afterAll(removeWorlds);

const two: GuestConfig = { ...influx, services: ['app', 'db', 'off'] };

/** A guest with two services running and one that an operator stopped, and a guest that no hook knows. */
async function ready(): Promise<World> {
  const world = await makeWorld([two]);
  world.guest(111, { app: 'active', db: 'active', off: 'inactive' });
  world.guest(112, { postgresql: 'active' });
  return world;
}

/** What must be true after every story, whatever happened in it. */
function unharmed(world: World): void {
  const services = ['app', 'db', 'off'].map((unit) => world.service(111, unit));
  expect(services).toEqual(['active', 'active', 'inactive']);
  expect(world.get('guests/111/started/off')).toBe('');
  expect(world.service(112, 'postgresql')).toBe('active');
  expect(world.calls().filter((call) => /\b112\b/.test(call))).toEqual([]);
  expect(world.waiting()).toEqual([]);
}

describe.concurrent('a run of vzdump that goes wrong', () => {
  test.each([
    ['prepare 111', ['backup-abort', 'log-end']],
    ['copy 111', ['backup-start', 'pre-stop', 'pre-restart', 'post-restart', 'backup-abort', 'log-end']],
    ['prune 111', ['backup-start', 'pre-stop', 'pre-restart', 'post-restart', 'backup-abort', 'log-end']],
    ['term copy 111', ['backup-start', 'pre-stop', 'pre-restart', 'post-restart', 'backup-abort', 'log-end']],
  ])('%s: services are up at its end, without any repair', async (fault, phases) => {
    const world = await ready();
    world.set('vzdump-faults', `${fault}\n`);
    const ended = await world.vzdump(['111', '112']);
    expect(ended.code).toBe(255);
    const seen = world.get('phases').split('\n');
    expect(seen.filter((line) => line.endsWith(' 111')).map((line) => line.split(' ')[0])).toEqual(phases);
    expect(seen.includes('job-abort')).toBe(fault.startsWith('term'));
    unharmed(world);
  });

  test('the guest is locked by something else: backup-abort comes without backup-start', async () => {
    const world = await ready();
    world.set('guests/111/lock', 'migrate');
    expect((await world.vzdump(['111'])).code).toBe(255);
    unharmed(world);
    expect(world.calls()).toEqual([]);
  });

  test('backup-end fails: backup-abort is the next try', async () => {
    const world = await makeWorld([{ ...two, start_limit: 1 }]);
    world.guest(111, { app: 'active', db: 'active', off: 'inactive' });
    world.guest(112, { postgresql: 'active' });
    // A container of the same run has nothing to do with it.
    world.guest(113, { nginx: 'active' }, 'lxc');
    world.fault(111, 'start-fails-app', 2);
    const ended = await world.vzdump(['111', '113']);
    unharmed(world);
    expect(ended.stdout).not.toMatch(/[^\n -~]/);
  });

  const points = ['job-init', 'job-start', 'backup-start', 'pre-stop', 'pre-restart', 'post-restart'];
  const later = ['backup-end', 'log-end', 'job-end'];
  const kills = [...points, ...later].flatMap((phase) => [`kill before ${phase}`, `kill after ${phase}`]);
  test.each([...kills, 'kill copy 111'])('%s: services are up after the repair at boot', async (fault) => {
    const world = await ready();
    world.set('vzdump-faults', `${fault}\n`);
    const ended = await world.vzdump(['111']);
    expect(ended.code).toBe(null);
    expect((await world.run(['repair'], {})).code).toBe(0);
    unharmed(world);
  });
});

/** Calls of qm that the phase made before it ended; the killed one and those after it excluded. */
async function killAt(phase: readonly string[], before: readonly string[][], n: number, when: string) {
  const world = await ready();
  for (const args of before) await world.run(args);
  world.forget();
  world.set('kill', `${n} ${when}\n`);
  const ended = await world.run(phase);
  const survived = world.calls().length < n;
  world.set('kill', '');
  return { world, ended, survived };
}

const start = ['backup-start', 'snapshot', '111'];
const end = ['backup-end', 'snapshot', '111'];
const abort = ['backup-abort', 'snapshot', '111'];

describe.concurrent.each([
  ['backup-start', start, [], 'early'],
  ['backup-start', start, [], 'late'],
  ['backup-start', start, [], 'both'],
  ['backup-end', end, [start], 'early'],
  ['backup-end', end, [start], 'late'],
  ['backup-end', end, [start], 'both'],
] as const)('kill -9 of %s at each of its own calls', (name, phase, before, when) => {
  test(`${name}, ${when}: \`repair\`, or the next phase, has all services up`, async () => {
    let n = 1;
    for (; n < 40; n++) {
      const { world, ended, survived } = await killAt(
        phase,
        before.map((args) => [...args]),
        n,
        when,
      );
      if (survived) {
        expect(ended.code).toBe(0);
        break;
      }
      expect(ended.code).toBe(null);
      // Odd points: a new process at boot; even ones: vzdump goes on and calls the next phase at once, while the
      // killed one's last call may still be on its way.
      const next = await world.run(n % 2 === 1 ? ['repair'] : abort, n % 2 === 1 ? {} : { VMTYPE: 'qemu' });
      if (n % 2 === 1 && next.stdout.includes('another call for this guest is at work')) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        await world.run(['repair'], {});
      }
      unharmed(world);
    }
    expect(n).toBeGreaterThan(5);
    expect(n).toBeLessThan(40);
  });
});
