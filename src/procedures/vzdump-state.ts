import type { Answers } from '../model/procedure.ts';
import { parseUpid, type Upid } from './upid.ts';
import type { ProcessId } from './vzdump-look.ts';

export interface Process extends ProcessId {
  /** One letter of /proc/PID/stat: `D` cannot be interrupted, `Z` is over. */
  readonly state: string;
  readonly comm: string;
}

/** A vzdump worker whose title, number and start time agree. */
export interface Worker extends Process {
  readonly upid: Upid;
  /** Its session and its children. */
  readonly members: readonly Process[];
  /** Seconds since its task log last grew; null without a log. */
  readonly logAge: number | null;
  readonly logLast: string;
  /** The guest that its log says it is at; null when it says none. */
  readonly at: number | null;
}

/** A process that cannot be interrupted and was not run once between two looks. */
export interface Stuck extends ProcessId {
  readonly comm: string;
  /** The function of the kernel that it waits in. */
  readonly wchan: string;
  /** Where it stands and what it has open. */
  readonly paths: readonly string[];
}

export interface MountSeen {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly hangs: boolean;
}

export interface VzdumpState {
  readonly lockFile: boolean;
  readonly holders: readonly Process[];
  readonly pidfile: string;
  readonly workers: readonly Worker[];
  /** Processes with the title of a worker whose number or start time is another: nobody touches them. */
  readonly impostors: readonly Process[];
  /** What may be left of workers that are gone. */
  readonly remains: readonly Process[];
  readonly stuck: readonly Stuck[];
  readonly mounts: readonly MountSeen[];
  /** Of those asked for, the ones that still are the same process. */
  readonly watched: readonly Process[];
  /** undefined: the host has no such guest. */
  readonly guest: 'vm' | 'ct' | undefined;
  readonly guestLock: string;
  readonly snapshotLeft: boolean;
  readonly leftovers: readonly string[];
}

/** What the host said; a text instead: why it is not known. */
export function readVzdump(answers: Answers, host: string): VzdumpState | string {
  const said = answers.get(host);
  if (said === undefined) return `${host} was not asked`;
  if ('unknown' in said && typeof said.unknown === 'string')
    return `${host} could not be asked: ${said.unknown}`;
  if (!(said instanceof Map)) return `${host} gave no answer`;
  const get = (identity: string, name: string): string => said.get(identity)?.get(name) ?? '';
  const all = (identity: string, name: string): readonly string[] => said.get(identity)?.all(name) ?? [];
  const below = (kind: string): string[] =>
    [...said.keys()].filter((key) => key.startsWith(`${kind}:`)).map((key) => key.slice(kind.length + 1));
  if (get('lock', 'unknown')) return `on ${host} ${get('lock', 'unknown')}`;
  if (get('guest', 'unknown')) return `on ${host} ${get('guest', 'unknown')}`;
  if (!get('guest', 'looked')) return `${host} did not answer to the end`;
  const workers: Worker[] = [];
  const impostors: Process[] = [];
  for (const pid of below('worker')) {
    const key = `worker:${pid}`;
    const upid = parseUpid(get(key, 'upid'));
    const one = {
      pid: Number(pid),
      start: Number(get(key, 'start')),
      state: get(key, 'state'),
      comm: 'vzdump',
    };
    if (one.state === 'Z') continue;
    if (upid === null || upid.pid !== one.pid || upid.start !== one.start || upid.type !== 'vzdump') {
      impostors.push(one);
      continue;
    }
    const age = get(key, 'log-age');
    workers.push({
      ...one,
      upid,
      members: all(key, 'member').flatMap((text) => processes(text)),
      logAge: age === '' ? null : Number(age),
      logLast: get(key, 'log-last'),
      at: guestOf(all(key, 'log-guest')),
    });
  }
  const mounts = new Map<string, MountSeen>();
  for (const point of below('mount')) {
    const [type = '', source = ''] = (all(`mount:${point}`, 'is').at(-1) ?? '').split(' ');
    mounts.set(point, { point, type, source, hangs: get(`mount:${point}`, 'hangs') === 'yes' });
  }
  const type = get('guest', 'type');
  return {
    lockFile: get('lock', 'file') === 'yes',
    holders: all('lock', 'holder').flatMap((text) => processes(text)),
    pidfile: get('pidfile', 'upid'),
    workers,
    impostors,
    remains: below('dead').flatMap((pid) => all(`dead:${pid}`, 'member').flatMap((text) => processes(text))),
    stuck: below('stuck').map((pid) => ({
      pid: Number(pid),
      start: Number(get(`stuck:${pid}`, 'start')),
      comm: get(`stuck:${pid}`, 'comm'),
      wchan: get(`stuck:${pid}`, 'wchan'),
      paths: all(`stuck:${pid}`, 'path'),
    })),
    mounts: [...mounts.values()],
    watched: below('watched').flatMap((pid) => processes(`${pid} ${get(`watched:${pid}`, 'is')}`)),
    guest: type === 'vm' || type === 'ct' ? type : undefined,
    guestLock: get('guest', 'lock'),
    snapshotLeft: get('guest', 'snapshot') !== '',
    leftovers: [...all('leftover', 'mount'), ...all('leftover', 'entry')],
  };
}

/** `PID START STATE COMM`; what is over is left out. */
function processes(text: string): Process[] {
  const [pid, start, state = '?', ...comm] = text.split(' ');
  if (!Number.isInteger(Number(pid)) || state === 'Z') return [];
  return [{ pid: Number(pid), start: Number(start), state, comm: comm.join(' ') }];
}

/** The last guest that was begun and neither finished nor failed. */
function guestOf(lines: readonly string[]): number | null {
  const [, what, vmid] =
    /^(INFO: Starting|INFO: Finished|ERROR:) Backup of (?:VM|CT) ([0-9]+)/.exec(lines.at(-1) ?? '') ?? [];
  return what === 'INFO: Starting' ? Number(vmid) : null;
}

/** Whether it is this very process. */
export function same(a: ProcessId, b: ProcessId): boolean {
  return a.pid === b.pid && a.start === b.start;
}

/** The mount that a path lies on: the one with the longest matching path. */
export function mountOf(path: string, mounts: readonly MountSeen[]): MountSeen | undefined {
  return mounts
    .filter(({ point }) => point === '/' || path === point || path.startsWith(`${point}/`))
    .sort((a, b) => b.point.length - a.point.length)[0];
}
