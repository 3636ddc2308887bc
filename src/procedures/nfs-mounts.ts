import type { Answers, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { no, unknown } from './reasons.ts';
import { fact, saidBy } from './said.ts';
import { hostAt, type ProcedureHost, type ProcedureSite } from './site.ts';

/** An NFS mount that the inventory gives a host. */
export interface ClientMount {
  readonly client: string;
  /** Where it is mounted. */
  readonly point: string;
  /** The server as the mount names it. */
  readonly server: string;
  /** The directory that is exported. */
  readonly path: string;
  /** Name of the server in the inventory. */
  readonly nas: string;
}

/** All NFS mounts whose servers are hosts of the inventory: storages, datastores, and what the roles mount. */
export function nfsMounts(site: ProcedureSite): ClientMount[] {
  return site.hosts.flatMap((host) => {
    const seen = new Set<string>();
    return sources(host).flatMap(({ point, source }) => {
      const [, server = '', path = ''] = /^([^/]+):(\/.*)$/.exec(source) ?? [];
      const nas = hostAt(site, server)?.name;
      if (nas === undefined || path === '' || seen.has(point)) return [];
      seen.add(point);
      return [{ client: host.name, point, server, path, nas }];
    });
  });
}

function sources(host: ProcedureHost): { point: string; source: string }[] {
  const listed = (role: string, name: string): readonly Readonly<Record<string, unknown>>[] => {
    const list = host.values.get(role)?.[name];
    return Array.isArray(list) ? list : [];
  };
  return [
    ...host.storages.flatMap(({ id, type, server, export: path, path: point }) =>
      type === 'nfs' ? [{ point: point ?? `/mnt/pve/${id}`, source: `${server ?? ''}:${path ?? ''}` }] : [],
    ),
    ...host.datastores.flatMap(({ mount }) => (mount ? [{ point: mount.path, source: mount.source }] : [])),
    ...listed('nfs-client', 'mounts').map((one) => ({ point: String(one.path), source: String(one.what) })),
    ...listed('vzdump', 'backup_mounts').map((one) => ({
      point: String(one.path),
      source: String(one.source),
    })),
  ];
}

const probes = ['write', 'time', 'mode'] as const;

/** What each probe is called where it fails. */
export const words = { write: 'write a file', time: 'set its time', mode: 'set its mode' };

/**
 * Does on a client what vzdump and rsync do there, on a file of its own that it removes: writes it, sets its time and its mode and
 * reads both back. Below a path where no NFS is mounted nothing is written. Prints `probe:POINT mounted SOURCE`, `probe:POINT write|time|mode ok|TEXT`.
 */
export function probeQuestion({ client, point }: ClientMount): Question {
  return {
    host: client,
    limit: 40,
    look: sh`KEY=${`probe:${point}`}
source=$(awk -v point=${point} '$5 == point { for (i = 7; i <= NF && $i != "-"; i++); type = $(i + 1); found = $(i + 2) } END { if (type ~ /^nfs/) print found }' /proc/self/mountinfo)
printf '%s\tmounted\t%s\n' "$KEY" "$source"
[ -n "$source" ] || exit 0
rc=0
said=$(ask ${`mount ${point}`} 30 ${probeShell} ${point}) || rc=$?
if [ "$rc" -eq 124 ]; then printf '%s\thangs\tyes\n' "$KEY"
else printf '%s\n' "$said" | while IFS='	' read -r name value; do printf '%s\t%s\t%s\n' "$KEY" "$name" "$value"; done
fi`,
  };
}

const probeShell = String.raw`dir=$1
[ ! -d "$1/dump" ] || dir=$1/dump
f=$dir/.provision-probe.$$
tell() { printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | tr '\n\t' '  ' | sed 's/.*: //')"; }
trap 'rm -f -- "$f"' EXIT
trap 'exit 143' TERM INT HUP
if said=$( (set -C; echo probe >"$f") 2>&1 ); then tell write ok; else tell write "$said"; exit 0; fi
if said=$(touch -t 202401010101.01 "$f" 2>&1); then
  if [ "$(date -r "$f" +%Y%m%d%H%M.%S)" = 202401010101.01 ]; then tell time ok; else tell time 'another time was kept'; fi
else tell time "$said"; fi
if said=$(chmod 0750 "$f" 2>&1); then
  if [ "$(stat -c %a "$f")" = 750 ]; then tell mode ok; else tell mode 'another mode was kept'; fi
else tell mode "$said"; fi`;

/** Why a client cannot do its work on the mount; null: it can. */
export function probeReason(answers: Answers, { client, point }: ClientMount): Reason | null {
  const said = saidBy(answers, client);
  if (typeof said === 'string') return unknown(said);
  const key = `probe:${point}`;
  if (fact(said, key, 'mounted') === '') return unknown(`no NFS is mounted at ${point} of ${client}`);
  if (fact(said, key, 'hangs') !== '')
    return unknown(`${point} of ${client} hangs: it gave no answer in 30 s`);
  const bad = probes.flatMap((name) => {
    const text = fact(said, key, name);
    return text === 'ok' || text === '' ? [] : [`cannot ${words[name]}: ${text}`];
  });
  if (bad.length > 0) return no(`${client} at ${point} ${bad.join(', ')}`);
  return fact(said, key, 'mode') === ''
    ? unknown(`the probe at ${point} of ${client} did not come to its end`)
    : null;
}
