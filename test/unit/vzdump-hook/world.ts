import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderHook } from './render.ts';

const standIns = new URL('../../lab/stand-ins/', import.meta.url).pathname;

export interface GuestConfig {
  readonly vmid: number;
  readonly name: string;
  readonly services: readonly string[];
  readonly modes?: readonly string[];
  readonly stop_limit?: number;
  readonly start_limit?: number;
  readonly on_failure?: string;
  readonly data_dir?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The guest that most stories are about. */
export const influx: GuestConfig = { vmid: 111, name: 'InfluxDB', services: ['influxdb3-core'] };

/** The same with limits (seconds) short enough for a story in which they are reached. */
export const hasty: GuestConfig = { ...influx, stop_limit: 2, start_limit: 2 };

/** What the schema of the role fills in, with shorter limits. */
const defaults = {
  modes: ['snapshot', 'suspend'],
  stop_limit: 30,
  start_limit: 30,
  on_failure: 'fail',
  data_dir: null,
};

/** A directory with a rendered hook, the stand-ins, and guests that are directories. */
export interface World {
  readonly dir: string;
  readonly hook: string;
  guest(vmid: number, services: Readonly<Record<string, string>>, type?: string): void;
  service(vmid: number, unit: string): string;
  set(path: string, text: string): void;
  get(path: string): string;
  fault(vmid: number, name: string, times?: number): void;
  heal(vmid: number, name: string): void;
  /** Runs the hook as vzdump does: with an emptied environment. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  vzdump(args: readonly string[]): Promise<Ended>;
  /** The calls of the stand-ins so far. */
  calls(): string[];
  forget(): void;
  waiting(): string[];
  remove(): void;
}

export async function makeWorld(
  guests: readonly GuestConfig[] = [influx],
  change: (hook: string) => string = (text) => text,
): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'vzdump-hook-'));
  const at = (path: string) => join(dir, path);
  for (const name of ['bin', 'guests']) mkdirSync(at(name));
  for (const name of ['qm', 'vzdump']) {
    copyFileSync(join(standIns, name), at(`bin/${name}`));
    chmodSync(at(`bin/${name}`), 0o755);
  }
  writeFileSync(at('bin/stand-ins.root'), `${dir}\n`);
  const hook = at('bin/vzdump-hook.pl');
  const text = await renderHook({
    hook,
    qm: at('bin/qm'),
    state_dir: at('state'),
    vzdump_lock: at('vzdump.lock'),
    vzdump_conf: at('vzdump.conf'),
    settle: 0.1,
    stays_up: 1,
    guests: guests.map((guest) => ({ ...defaults, ...guest })),
  });
  writeFileSync(hook, change(text), { mode: 0o755 });
  writeFileSync(at('vzdump.conf'), `tmpdir: ${dir}\nscript: ${hook}\n`);
  const get = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '');
  const start = (program: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
    new Promise<Ended>((resolve) => {
      const child = execFile(
        program,
        args,
        { env: { ...env }, timeout: 90_000, cwd: '/' },
        (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  const world: World = {
    dir,
    hook,
    guest: (vmid, services, type = 'qemu') => {
      const base = `guests/${vmid}`;
      for (const name of ['services', 'faults', 'journal', 'started', 'enabled', 'root'])
        mkdirSync(at(`${base}/${name}`), { recursive: true });
      writeFileSync(at(`${base}/type`), type);
      writeFileSync(at(`${base}/status`), 'running');
      for (const [unit, state] of Object.entries(services))
        writeFileSync(at(`${base}/services/${unit}`), state);
    },
    service: (vmid, unit) => get(`guests/${vmid}/services/${unit}`),
    set: (path, content) => {
      mkdirSync(join(at(path), '..'), { recursive: true });
      writeFileSync(at(path), content);
    },
    get,
    fault: (vmid, name, times) =>
      writeFileSync(at(`guests/${vmid}/faults/${name}`), times === undefined ? '' : String(times)),
    heal: (vmid, name) => rmSync(at(`guests/${vmid}/faults/${name}`), { force: true }),
    run: (args, env = { VMTYPE: 'qemu' }) => start(hook, args, { LC_ALL: 'C', ...env }),
    vzdump: (args) => start(at('bin/vzdump'), args, { PATH: '/usr/bin:/bin' }),
    calls: () => get('calls').split('\n').filter(Boolean),
    forget: () => rmSync(at('calls'), { force: true }),
    waiting: () =>
      existsSync(at('state')) ? readdirSync(at('state')).filter((name) => /^\d+$|^new/.test(name)) : [],
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
  made.push(world);
  return world;
}

const made: World[] = [];

/** For the end of a file of stories: several run at once, and a hook of one test may still be reading its world. */
export function removeWorlds(): void {
  for (const world of made.splice(0)) world.remove();
}

/** Holds a lock as another vzdump would, until the returned function is called. */
export function holdLock(path: string): Promise<() => void> {
  const child = execFile('flock', [path, 'sh', '-c', 'echo held; read -r end']);
  return new Promise((resolve) => {
    child.stdout?.once('data', () => resolve(() => child.stdin?.end('\n')));
  });
}

/** Lines that the hook wrote, in order, without what vzdump puts before them. */
export function hookLines(stdout: string): string[] {
  return stdout
    .split('\n')
    .map((line) => line.replace(/^INFO: /, ''))
    .filter((line) => line.startsWith('['));
}
