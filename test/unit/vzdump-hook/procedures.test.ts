import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { ProcedureStep } from '../../../src/model/procedure.ts';
import { expand, removeInventories } from './expand.ts';
import {
  type GuestConfig,
  holdLock,
  hookLines,
  influx,
  makeWorld,
  removeWorlds,
  type World,
} from './world.ts';

vi.setConfig({ testTimeout: 60_000 });
afterAll(() => {
  removeWorlds();
  removeInventories();
});

const data = '/var/lib/influxdb3/data/node0';
const guest: GuestConfig = { ...influx, data_dir: data };

/** A guest whose database has one WAL file with content, two without, and one empty catalog file. */
async function damaged(state = 'failed'): Promise<World> {
  const world = await makeWorld([guest]);
  world.guest(111, { 'influxdb3-core': state });
  const files: Readonly<Record<string, string>> = {
    'wal/00000000001.wal': 'idb3.001abcd',
    'wal/00000000002.wal': '',
    'wal/00000000003.wal': '',
    'wal/notes.txt': '',
    'wal/deeper/00000000004.wal': '',
    'catalog/00000000001.catalog': '',
    'snapshots/empty': '',
  };
  for (const [path, text] of Object.entries(files)) world.set(`guests/111/root${data}/${path}`, text);
  return world;
}

async function steps(world: World, procedure: string, parameters = {}): Promise<readonly ProcedureStep[]> {
  const at = (path: string) => join(world.dir, path);
  const expanded = await expand(
    {
      guests: [guest],
      hook: world.hook,
      qm: at('bin/qm'),
      state_dir: at('state'),
      vzdump_lock: at('vzdump.lock'),
      vzdump_conf: at('vzdump.conf'),
    },
    { procedure: `vzdump-hook/${procedure}`, parameters },
  );
  return expanded.procedures.find(({ id }) => id.endsWith(`/${procedure}`))?.steps ?? [];
}

/** Plays what a run of a procedure does: guards hold, the command succeeds, proofs hold; else the text of what did not. */
function play(list: readonly ProcedureStep[]): string {
  for (const step of list) {
    const proofs = (resources: ProcedureStep['guard'], when: string) =>
      resources.flatMap(({ spec }) => {
        const { command, expect: wanted } = spec as { command: string[]; expect: { exit: number } };
        const got = run(command);
        return got.status === wanted.exit ? [] : [`${when} "${step.about}": ${got.stdout}`];
      });
    const before = proofs(step.guard, 'before');
    if (before.length > 0) return before.join('');
    const ended = run(step.run);
    if (ended.status !== 0) return `"${step.about}": ${ended.stdout}${ended.stderr}`;
    const after = proofs(step.verify, 'after');
    if (after.length > 0) return after.join('');
  }
  return 'done';
}

function run([program = '', ...args]: readonly string[]) {
  return spawnSync(program, args, { env: {}, encoding: 'utf8', cwd: '/' });
}

const inData = (world: World, path: string) => join(world.dir, `guests/111/root${data}${path}`);

describe.concurrent('recover-wal', () => {
  test('moves exactly the zero-byte WAL files aside, with a manifest, and proves that the service stays up', async () => {
    const world = await damaged();
    const list = await steps(world, 'recover-wal', { guest: '111' });
    expect(list).toHaveLength(5);
    expect(play(list)).toBe('done');
    expect(readdirSync(inData(world, '/wal')).sort()).toEqual(['00000000001.wal', 'deeper', 'notes.txt']);
    expect(readFileSync(inData(world, '/wal/00000000001.wal'), 'utf8')).toBe('idb3.001abcd');
    expect(existsSync(inData(world, '/wal/deeper/00000000004.wal'))).toBe(true);
    expect(existsSync(inData(world, '/catalog/00000000001.catalog'))).toBe(true);
    const beside = readdirSync(inData(world, '/..')).filter((name) => name !== 'node0');
    expect(beside).toEqual([expect.stringMatching(/^node0\.quarantine-\d{8}T\d{6}Z$/)]);
    const aside = inData(world, `/../${beside[0]}`);
    expect(readdirSync(aside).sort()).toEqual(['00000000002.wal', '00000000003.wal', 'MANIFEST']);
    expect(readFileSync(join(aside, 'MANIFEST'), 'utf8')).toMatch(/^wal\/00000000002\.wal\t0 bytes\t20/m);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(world.waiting()).toEqual([]);
  });

  test('files are not touched while the service runs', async () => {
    const world = await damaged('active');
    const ended = await world.run(['recover-wal', '111', 'quarantine'], {});
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining('influxdb3-core is active')]);
    expect(existsSync(inData(world, '/wal/00000000002.wal'))).toBe(true);
  });

  test('nothing starts while a backup is at work', async () => {
    const world = await damaged();
    const release = await holdLock(join(world.dir, 'vzdump.lock'));
    const ended = await world.run(['recover-wal', '111', 'stop'], {});
    release();
    expect([ended.code, ended.stdout]).toEqual([1, expect.stringContaining('a backup may be at work')]);
  });

  test('repair does not start the service between two steps, and does when the recovery was given up', async () => {
    const world = await damaged('active');
    await world.run(['recover-wal', '111', 'stop'], {});
    expect((await world.run(['repair'], {})).stdout).toContain('a recovery is at work');
    expect(world.service(111, 'influxdb3-core')).toBe('inactive');
    world.set('state/111', world.get('state/111').replace(/"hold":\d+/, '"hold":1'));
    expect((await world.run(['repair'], {})).code).toBe(0);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
  });

  test.each([
    ['start-dies', 'it dies soon after its start'],
    ['journal', 'it complains about its WAL again'],
  ])('not proved when %s', async (fault) => {
    const world = await damaged('active');
    if (fault === 'journal')
      world.set(
        'guests/111/journal/influxdb3-core',
        '0 invoking shutdown after attempt to persist a WAL file that already exists\n',
      );
    else world.set('guests/111/dying-influxdb3-core', '');
    expect((await world.run(['recover-wal', '111', 'prove'], {})).code).toBe(1);
  });

  test('a complaint of an earlier start does not count against this one', async () => {
    const world = await damaged('active');
    world.set('guests/111/journal/influxdb3-core', '7 WAL file too small: ... got 0 bytes\n');
    world.set(`guests/111/root${data}/wal/00000000002.wal`, 'x');
    world.set(`guests/111/root${data}/wal/00000000003.wal`, 'x');
    expect((await world.run(['recover-wal', '111', 'prove'], {})).code).toBe(0);
  });
});

describe.concurrent('rollback', () => {
  test('vzdump.conf is byte-identical to what it was before the hook, and the services are up', async () => {
    const world = await makeWorld([guest]);
    world.guest(111, { 'influxdb3-core': 'active' });
    const before = `# kept\n\ttmpdir: ${world.dir}\r\n#script: /usr/local/bin/old\nscript:/usr/local/bin/other`;
    world.set('vzdump.conf', before.replace('\n#script', `\nscript: ${world.hook}\n#script`));
    await world.run(['backup-start', 'snapshot', '111']);
    const list = await steps(world, 'rollback');
    expect(play(list.slice(0, 2))).toBe('done');
    expect(world.get('vzdump.conf')).toBe(before);
    const copies = readdirSync(join(world.dir, 'state')).filter((name) => name.startsWith('vzdump.conf.'));
    expect(copies).toHaveLength(1);
    expect(world.get(`state/${copies[0]}`)).toContain(world.hook);
    expect(world.service(111, 'influxdb3-core')).toBe('active');
    expect(list[2]?.run).toEqual(['systemctl', 'disable', '--now', 'vzdump-hook-repair.timer']);
    expect(play(list.slice(0, 2))).toBe('done');
  });

  test('a commented line and one that a later line replaces are not a reference', async () => {
    const world = await makeWorld([guest]);
    const code = async (text: string) => {
      writeFileSync(join(world.dir, 'vzdump.conf'), text);
      return (await world.run(['check', 'reference'], {})).code;
    };
    expect(await code(`script: ${world.hook}\n`)).toBe(0);
    expect(await code(`script: /bin/old\nscript:${world.hook}\n`)).toBe(0);
    expect(await code(`script: ${world.hook}\nscript: /bin/other\n`)).toBe(1);
    expect(await code(`#script: ${world.hook}\n`)).toBe(1);
    expect(await code('')).toBe(1);
  });
});

describe.concurrent('checks', () => {
  test('all is well: 0; a service down: 1; the agent away: 8', async () => {
    const world = await makeWorld([influx]);
    world.guest(111, { 'influxdb3-core': 'active' });
    const code = async (...args: string[]) => (await world.run(['check', ...args], {})).code;
    expect(await code()).toBe(0);
    world.set('guests/111/services/influxdb3-core', 'failed');
    expect(await code('services', '111')).toBe(1);
    world.fault(111, 'agent-unconfigured');
    expect([await code('agent'), await code('services')]).toEqual([1, 8]);
    expect(await code('services', '112')).toBe(1);
    expect(await code('wal', '111')).toBe(8);
    world.set('state/999', '{"start":["x"]}');
    expect(await code('state')).toBe(1);
  });

  test('zero-byte WAL and catalog files, and both lines in the journal, are told', async () => {
    const world = await damaged('active');
    const ended = async (what: string) => world.run(['check', what], {});
    const wal = await ended('wal');
    expect([wal.code, hookLines(wal.stdout)]).toEqual([
      1,
      [2, 3].map((n) => `[InfluxDB Hook] 111: zero bytes: ${data}/wal/0000000000${n}.wal`),
    ]);
    expect((await ended('catalog')).stdout).toBe(
      `[InfluxDB Hook] 111: zero bytes, not touched: ${data}/catalog/00000000001.catalog\n`,
    );
    expect((await ended('journal')).code).toBe(0);
    for (const line of [
      'WAL file too small: expected at least 12 bytes, but got 0 bytes',
      'invoking shutdown after attempt to persist a WAL file that already exists',
    ]) {
      world.set('guests/111/journal/influxdb3-core', `started\n${line}\n`);
      expect((await ended('journal')).code).toBe(1);
    }
    world.fault(111, 'frozen');
    expect([(await ended('wal')).code, (await ended('catalog')).code, (await ended('journal')).code]).toEqual(
      [8, 8, 8],
    );
  });

  test('`dry` answers for every phase and touches nothing', async () => {
    const world = await makeWorld([influx]);
    const ended = await world.run(['dry'], {});
    expect([ended.code, ended.stdout.split('\n').length]).toEqual([0, 4 + 7 * 3 + 1]);
    expect(ended.stdout).toContain('backup-start stop 111: nothing, this mode is not configured');
    expect(world.calls()).toEqual([]);
  });

  test('`guest` gives output and exit code of the program in the guest, and 125 when it could not run', async () => {
    const world = await makeWorld([influx]);
    world.guest(111, { 'influxdb3-core': 'active' });
    const inGuest = (...argv: string[]) => world.run(['guest', '111', '10', '--', ...argv], {});
    expect(await inGuest('/bin/sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await inGuest('/bin/echo', 'a b', '$x;')).stdout).toBe('a b $x;\n');
    world.fault(111, 'agent-absent');
    expect((await inGuest('/bin/true')).code).toBe(125);
    expect((await world.run(['guest', '112', '10', '--', '/bin/true'], {})).code).toBe(125);
  });
});
