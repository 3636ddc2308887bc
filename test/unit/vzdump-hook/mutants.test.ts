import { afterAll, expect, test, vi } from 'vitest';
import { type GuestConfig, influx, makeWorld, removeWorlds, type World } from './world.ts';

// The stories of the other files are worth something only if they notice a hook that lost one of its safeties. Each row takes
// one out, plays the shortest story that needs it, and finds the harm; with the real hook the same story ends well.
vi.setConfig({ testTimeout: 60_000, maxConcurrency: 8 });
afterAll(removeWorlds);

interface Safety {
  readonly name: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly guest?: GuestConfig;
  /** True when all ended well. */
  readonly story: (world: World) => Promise<boolean>;
}

const start = ['backup-start', 'snapshot', '111'];
const end = ['backup-end', 'snapshot', '111'];
const up = (world: World) => world.service(111, 'influxdb3-core') === 'active';

const safeties: readonly Safety[] = [
  {
    name: 'backup-abort starts the services',
    from: " || $phase eq 'backup-abort'",
    to: '',
    story: async (world) => {
      // log-end and job-end are nets of their own: here the run is cut off behind backup-abort.
      world.set('vzdump-faults', 'copy 111\nkill after backup-abort\n');
      await world.vzdump(['111']);
      return up(world);
    },
  },
  {
    name: 'a service is not started in post-restart, which comes before the point in time',
    from: "$phase eq 'backup-end' ||",
    to: "$phase eq 'backup-end' || $phase eq 'post-restart' ||",
    story: async (world) => {
      await world.vzdump(['111']);
      return world.get('backups/111.1/influxdb3-core') === 'inactive';
    },
  },
  {
    name: 'the exit code of the stop is not believed, the state of the unit is',
    from: 'if (at_rest($state)) { note($guest, "$unit is $state"',
    to: 'if (1) { note($guest, "$unit is $state"',
    guest: { ...influx, stop_limit: 2 },
    story: async (world) => {
      world.fault(111, 'stop-ignored');
      return (await world.run(start)).code === 1;
    },
  },
  {
    name: 'the exit code of qm is not believed, its JSON is',
    from: 'return undef if $answer->{exit} == 0;',
    to: 'return undef;',
    story: async (world) => {
      world.fault(111, 'exec-exit-1');
      return (await world.run(['check', 'agent'], {})).code === 1;
    },
  },
  {
    name: 'what is to be started is on disk before anything is stopped',
    from: 'return write_durably($path, ',
    to: 'return undef; write_durably($path, ',
    story: async (world) => {
      world.set('kill', '2 late\n');
      await world.run(start);
      await world.run(['repair'], {});
      return up(world);
    },
  },
  {
    name: 'the note is removed only when the service was seen active',
    from: 'next if !defined $problem;\n        note($left',
    to: 'next;\n        note($left',
    guest: { ...influx, start_limit: 2 },
    story: async (world) => {
      await world.run(start);
      world.fault(111, 'start-fails');
      await world.run(end);
      world.heal(111, 'start-fails');
      await world.run(['repair'], {});
      return up(world);
    },
  },
  {
    name: 'a service that was not running stays stopped',
    from: "$active{$unit} = 1 if $state ne 'inactive' && $state ne 'failed';",
    to: '$active{$unit} = 1;',
    story: async (world) => {
      world.set('guests/111/services/influxdb3-core', 'inactive');
      await world.vzdump(['111']);
      return !up(world);
    },
  },
  {
    name: 'a stop of a killed call, still on its way, cannot overtake the start: the call inherits the lock',
    from: 'local $^F = 1 << 20;',
    to: '',
    story: async (world) => {
      // The second call is the stop; it takes effect after its caller was killed and the next phase has begun.
      world.set('kill', '2 early 5\n');
      await world.run(start);
      await world.run(['backup-abort', 'snapshot', '111']);
      await new Promise((resolve) => setTimeout(resolve, 5500));
      return up(world);
    },
  },
  {
    name: 'a database that dies after its start does not count as started',
    from: "return 0 if ($state // '') ne 'active';",
    to: '',
    story: async (world) => {
      await world.run(start);
      world.fault(111, 'start-dies', 1);
      await world.run(end);
      return up(world);
    },
  },
];

async function play({ guest = influx, story }: Safety, change: (hook: string) => string): Promise<boolean> {
  const world = await makeWorld([guest], change);
  world.guest(111, { 'influxdb3-core': 'active' });
  return story(world);
}

test.concurrent.each(safeties)('$name', async (safety) => {
  const changed: string[] = [];
  const mutated = play(safety, (hook) => {
    const text = hook.replace(safety.from, () => safety.to);
    if (text !== hook) changed.push(text);
    return text;
  });
  expect(await play(safety, (hook) => hook)).toBe(true);
  expect(await mutated).toBe(false);
  expect(changed).toHaveLength(1);
});
