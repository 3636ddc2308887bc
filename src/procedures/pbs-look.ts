import type { Answers, Question, Reason } from '../model/procedure.ts';
import { lines, sh } from '../shell/sh.ts';
import { no, unknown } from './reasons.ts';
import { fact, rows, saidBy } from './said.ts';
import type { DatastoreWish, ProcedureHost, ProcedureSite } from './site.ts';
import { spokenFunction } from './spoken.ts';

export const daemons = ['proxmox-backup.service', 'proxmox-backup-proxy.service'] as const;

/** Names of the backup servers. */
export function backupServers(site: ProcedureSite): string[] {
  return site.hosts.filter(({ platform }) => platform === 'pbs').map(({ name }) => name);
}

/** The datastores that are meant: the one that was named, or all that the host is to have. */
export function meantStores(host: ProcedureHost | undefined, name: unknown): readonly DatastoreWish[] {
  return (host?.datastores ?? []).filter((store) => name === undefined || store.name === name);
}

/**
 * Daemons, API, running tasks, and each store with the mount it should lie on. Prints `daemon:UNIT state ACTIVE`, `daemon:UNIT pid N`,
 * `api usage JSON`, `api tasks JSON` or `api unknown REASON`, `store:NAME mounted TYPE SOURCE` (of part of a file system with the part in brackets), `store:NAME probe ok|hangs|TEXT`.
 */
export function pbsQuestion(host: string, stores: readonly DatastoreWish[]): Question {
  return { host, limit: 60 + 15 * stores.length, look: lines([daemonsLook, ...stores.map(storeLook)]) };
}

const daemonsLook = sh`tell() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }
${spokenFunction}
limited 10 'systemctl show -p Id -p ActiveState -p MainPID ${daemons[0]} ${daemons[1]}' | awk -F= '
  $1 == "Id" { id = $2 } $1 == "ActiveState" { state = $2 } $1 == "MainPID" { pid = $2 }
  id != "" && state != "" && pid != "" { print "daemon:" id "\tstate\t" state; print "daemon:" id "\tpid\t" pid; id = state = pid = "" }'
api() {
  rc=0
  said=$(spoken pbs-api 20 "$2") || rc=$?
  case $rc in
    0) tell api "$1" "$(printf '%s' "$said" | tr '\n\t' '  ')" ;;
    124) tell api unknown 'its API gave no answer in 20 s' ;;
    *) tell api unknown "its API says: $(printf '%s' "$said" | tr '\n\t' '  ' | cut -c 1-300)" ;;
  esac
}
api tasks 'proxmox-backup-manager task list --output-format json'
api usage 'proxmox-backup-debug api get /status/datastore-usage --output-format json'`;

function storeLook({ name, path, mount }: DatastoreWish) {
  const point = mount?.path ?? '';
  return sh`STORE=${`store:${name}`}
${
  mount === null
    ? sh`tell "$STORE" mounted 'local -'`
    : sh`awk -v OFS='\t' -v store="$STORE" -v point=${point} '
  $5 == point { for (i = 7; i <= NF && $i != "-"; i++); found = $(i + 1) " " $(i + 2) ($4 == "/" || $(i + 1) == "none" ? "" : "[" $4 "]") }
  END { if (found) print store, "mounted", found }' /proc/self/mountinfo`
}
rc=0
said=$(ask ${`mount ${point}`} 10 'stat -f "$1" >/dev/null && ls -d "$1/.chunks" 2>&1' ${path}) || rc=$?
case $rc in
  0) tell "$STORE" probe ok ;;
  124) tell "$STORE" probe hangs ;;
  *) tell "$STORE" probe "it has no .chunks \${said##*:}" ;;
esac`;
}

export interface Daemon {
  readonly unit: string;
  readonly active: boolean;
  readonly pid: number;
}

export interface StoreSeen {
  readonly name: string;
  /** Why the mount is not proven healthy; null: it is. */
  readonly mount: Reason | null;
  /** What the API says is wrong with the store; null: nothing. */
  readonly trouble: string | null;
}

export interface PbsState {
  readonly daemons: readonly Daemon[];
  /** Running tasks by their UPID; a text: why they are not known. */
  readonly tasks: readonly string[] | string;
  readonly api: 'answers' | string;
  readonly stores: readonly StoreSeen[];
}

/** What the server said; a text instead: why it is not known. */
export function readPbs(answers: Answers, host: string, stores: readonly DatastoreWish[]): PbsState | string {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return said;
  const trouble = fact(said, 'api', 'unknown') || 'its API gave no answer';
  const usage = rows(fact(said, 'api', 'usage'));
  const tasks = rows(fact(said, 'api', 'tasks'));
  return {
    daemons: daemons.map((unit) => ({
      unit,
      active: fact(said, `daemon:${unit}`, 'state') === 'active',
      pid: Number(fact(said, `daemon:${unit}`, 'pid')),
    })),
    // Finished ones have an end; with older versions the list holds them too.
    tasks: tasks?.filter(({ endtime }) => !endtime).map(({ upid }) => String(upid)) ?? trouble,
    api: usage === null ? trouble : 'answers',
    stores: stores.map((store) => {
      const own = usage?.find((row) => row.store === store.name);
      const error = own === undefined ? 'its API does not know the store' : own.error;
      return {
        name: store.name,
        mount: mountReason(
          store,
          fact(said, `store:${store.name}`, 'mounted'),
          fact(said, `store:${store.name}`, 'probe'),
        ),
        trouble: usage === null ? trouble : typeof error === 'string' ? error : null,
      };
    }),
  };
}

function mountReason({ name, path, mount }: DatastoreWish, mounted: string, probe: string): Reason | null {
  const [type = '', source = ''] = mounted.split(' ');
  const at = mount?.path ?? path;
  if (mount && mounted === '') return no(`nothing is mounted at ${at}, where the datastore ${name} lies`);
  if (mount && (plainSource(source) !== plainSource(mount.source) || !sameType(type, mount.type)))
    return no(`at ${at} there is ${source} (${type}), and not ${mount.source} (${mount.type})`);
  if (probe === 'hangs') return no(`${at} gave no answer in 10 s: it hangs`);
  if (probe === '') return unknown(`${path} was not looked at`);
  return probe === 'ok' ? null : no(`${path}: ${probe}`);
}

/** `nas:/pbs/` is `nas:/pbs`, as it is to the roles. */
export function plainSource(source: string): string {
  return source.replace(/(.)\/+$/, '$1');
}

/** `nfs` in an inventory means any version of it. */
function sameType(is: string, want: string): boolean {
  return is === want || (want === 'nfs' && is === 'nfs4');
}

/** Why nothing may be restarted because of tasks; null: none runs. */
export function tasksReason({ tasks }: PbsState, host: string): Reason | null {
  if (typeof tasks === 'string') return unknown(`whether a task runs on ${host} is not known: ${tasks}`);
  if (tasks.length === 0) return null;
  const named = tasks.slice(0, 3).join(', ');
  return no(
    `${tasks.length === 1 ? 'a task runs' : `${tasks.length} tasks run`} on ${host}: ${named}`,
    'wait for it, or stop it there. Nothing was changed',
  );
}

/** Why the server does not serve its stores; null: it does. */
export function servesReason(state: PbsState): Reason | null {
  const down = state.daemons.find(({ active }) => !active);
  if (down) return no(`${down.unit} does not run`);
  if (state.api !== 'answers') return no(state.api);
  const bad = state.stores.find(({ trouble }) => trouble !== null);
  return bad ? no(`the datastore ${bad.name}: ${bad.trouble}`) : null;
}

/** What was seen, one line each. */
export function pbsFound(state: PbsState): string[] {
  const { tasks } = state;
  return [
    ...state.daemons.map(({ unit, active, pid }) =>
      active ? `${unit} runs as process ${pid}` : `${unit} does not run`,
    ),
    ...state.stores.map(({ name, mount }) =>
      mount === null
        ? `the datastore ${name} lies where it should, and answers by hand`
        : `the datastore ${name}: ${mount.why}`,
    ),
    ...(state.api === 'answers' ? [] : [`the API: ${state.api}`]),
    ...state.stores.map(({ name, trouble }) =>
      trouble === null
        ? `the API says nothing bad of the datastore ${name}`
        : `the API says of the datastore ${name}: ${trouble}`,
    ),
    typeof tasks === 'string'
      ? `running tasks: not known (${tasks})`
      : tasks.length === 0
        ? 'no task runs'
        : `running: ${tasks.join(', ')}`,
  ];
}
