import type { Reason } from '../model/procedure.ts';
import { no, span } from './reasons.ts';
import { type ProcedureSite, serverName } from './site.ts';
import { type MountSeen, mountOf, type Stuck, type VzdumpState, type Worker } from './vzdump-state.ts';

/** What a person would want to know before a backup is ended, in that order. */
export function foundOf(host: string, guest: number, state: VzdumpState): string[] {
  return [
    ...guestLines(guest, state),
    ...lockLines(host, state),
    ...state.workers.flatMap(workerLines),
    ...(state.workers.length === 0 ? [`no vzdump worker runs on ${host}`] : []),
    ...state.impostors.map(
      ({ pid }) => `process ${pid} bears the title of a vzdump worker and is none: left alone`,
    ),
    ...state.stuck.map((one) => stuckLine(one, state)),
    ...state.remains.map(
      ({ pid, comm, state: letter }) =>
        `process ${pid} (${comm}, state ${letter}) may be left of a backup whose worker is gone: left alone, see what it is`,
    ),
    ...state.leftovers.map(
      (path) => `${path} is left of an earlier backup: while it is there, the next one of a container fails`,
    ),
  ];
}

function guestLines(guest: number, { guest: type, guestLock, snapshotLeft }: VzdumpState): string[] {
  if (type === undefined) return [];
  const name = `${type === 'vm' ? 'VM' : 'CT'} ${guest}`;
  return [
    guestLock === '' ? `${name} is not locked` : `${name} is locked: ${guestLock}`,
    ...(snapshotLeft ? [`${name} has a snapshot "vzdump": the next backup removes it`] : []),
  ];
}

function lockLines(host: string, { holders, lockFile, pidfile, workers }: VzdumpState): string[] {
  const held = holders.map(
    ({ pid, comm }) => `the vzdump lock of ${host} is held by process ${pid} (${comm})`,
  );
  const free = lockFile
    ? `nobody holds the vzdump lock of ${host} (its file exists, which means nothing)`
    : `nobody holds the vzdump lock of ${host}`;
  const stale = pidfile !== '' && !workers.some(({ upid }) => upid.text === pidfile);
  return [
    ...(held.length > 0 ? held : [free]),
    ...(stale ? [`/run/vzdump.pid names ${pidfile}, which runs no more`] : []),
  ];
}

function workerLines({ pid, upid, state, at, logAge, logLast, members }: Worker): string[] {
  const work = upid.id === '' ? `several guests${at === null ? '' : `, now at ${at}`}` : `guest ${upid.id}`;
  const log =
    logAge === null
      ? 'it has no task log'
      : `its log last grew ${span(logAge)} ago: ${logLast.slice(0, 200)}`;
  return [
    `process ${pid} is a vzdump worker for ${work}, state ${state}: ${upid.text}`,
    log,
    ...members.map((one) => `it started process ${one.pid} (${one.comm}), state ${one.state}`),
  ];
}

function stuckLine(one: Stuck, state: VzdumpState): string {
  const mount = hangingMount(one, state);
  const where = mount ? `, most likely on ${mount.point} (${mount.type}, ${mount.source})` : '';
  return `process ${one.pid} (${one.comm}) hangs in the kernel (${one.wchan || 'it does not say where'})${where}`;
}

/** On a mount that gave no answer, or, of those it has files on, the one that is not the root file system. */
function hangingMount({ paths }: Stuck, { mounts }: VzdumpState): MountSeen | undefined {
  const used = paths.flatMap((path) => mountOf(path, mounts) ?? []);
  const real = used.filter(
    ({ point, type }) => point !== '/' && !/^(proc|sysfs|devtmpfs|tmpfs|devpts|cgroup2?|mqueue)$/.test(type),
  );
  return (
    real.find(({ hangs }) => hangs) ??
    mounts.find(({ hangs }) => hangs) ??
    real.find(({ type }) => /^(nfs|cifs|fuse)/.test(type)) ??
    real[0]
  );
}

/** Why nothing may be ended: what hangs in the kernel does not end, and what waits for it would only hang as well. */
export function stuckReason(site: ProcedureSite, state: VzdumpState): Reason | null {
  const [one] = state.stuck;
  if (one === undefined) return null;
  const mount = state.stuck.flatMap((each) => hangingMount(each, state) ?? [])[0];
  return no(
    `process ${one.pid} (${one.comm}) hangs in the kernel: no signal can end it, and no backup can go on before what it waits for is back`,
    `${cure(site, mount)}. Nothing was changed; run this again afterwards`,
  );
}

function cure(site: ProcedureSite, mount: MountSeen | undefined): string {
  if (mount === undefined) return 'find out what it waits for: the mounts of the host, its disks';
  const [, server = ''] = /^([^/]+):\//.exec(mount.source) ?? [];
  if (server === '') return `mend ${mount.point} (${mount.type}, ${mount.source}) first`;
  const exported = mount.source.slice(server.length + 1);
  const pbs = site.hosts.some(({ platform }) => platform === 'pbs');
  return `mend the mount first: is the NFS server ${serverName(site, server)} up, and does it export ${exported}?${
    pbs ? ' A PBS that has its datastore there needs provision run pbs/remount then' : ''
  }`;
}
