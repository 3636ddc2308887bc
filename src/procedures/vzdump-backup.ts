import type {
  Answers,
  ComputedPlan,
  ComputedProcedure,
  ComputedStep,
  Parameters,
  Question,
  Reason,
} from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { type BackupRun, backupQuestion, backupReason, backupShell } from './pve-backup.ts';
import { never, no, unknown } from './reasons.ts';
import { allFacts, fact, saidBy } from './said.ts';
import type { ProcedureSite } from './site.ts';
import { type BackupWay, wayOf } from './vzdump-backup-way.ts';
import { foundOf, stuckReason } from './vzdump-found.ts';
import { vzdumpQuestion } from './vzdump-look.ts';
import { readVzdump, type VzdumpState } from './vzdump-state.ts';

export const backupNow: ComputedProcedure<ProcedureSite> = {
  id: 'vzdump/backup',
  about: 'Backs one guest up now, as its backup job says, and proves that there is a new backup.',
  notes: `Storage, mode, compression and further options are those of the job that the inventory has for the guest; \`storage\` and \`mode\` override
them. A mode other than that of the job, or of the class of the guest, is told: what writes all the time is caught halfway in a snapshot. In mode
\`stop\` the guest is shut down and started again. Nothing is pruned: the next run of the job does that, by its own retention.

It is refused while a vzdump runs on the node or somebody holds its lock, while the guest is locked, and while the storage cannot be
listed. vzdump runs in a unit of its own, so it goes on when the connection is lost (\`journalctl -u provision-backup-...\` on the node). It is
followed by its UPID: its task log must end with TASK OK, and the storage must list a backup of the guest that it did not have, for vzdump
ends with 0 also when it did nothing.`,
  parameters: {
    guest: { type: 'integer', minimum: 100, maximum: 999_999_999, description: 'Number of the guest.' },
    storage: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$',
      default: null,
      description: 'Storage to back up to; without it that of its job.',
    },
    mode: {
      enum: ['snapshot', 'suspend', 'stop'],
      default: null,
      description: 'Without it that of its job.',
    },
  },
  positional: ['guest'],
  expands: true,
  hosts: (site, { guest }) =>
    site.hosts
      .filter(({ platform }) => platform === 'pve')
      .filter(({ guests }) => guest === undefined || guests.some(({ vmid }) => vmid === guest))
      .map(({ name }) => name),
  questions: (site, host, parameters) => {
    const guest = Number(parameters.guest);
    const way = wayOf(site, host, guest, parameters);
    const look = vzdumpQuestion(host, guest);
    return 'why' in way ? [look] : [look, listQuestion(host, way.storage, guest)];
  },
  plan,
};

function plan(site: ProcedureSite, host: string, parameters: Parameters, answers: Answers): ComputedPlan {
  const guest = Number(parameters.guest);
  const state = readVzdump(answers, host);
  if (typeof state === 'string') return { found: [], steps: [], refused: unknown(state) };
  const found = foundOf(host, guest, state);
  const refuse = (refused: Reason): ComputedPlan => ({ found, steps: [], refused });
  const way = wayOf(site, host, guest, parameters);
  if ('why' in way) return refuse(way);
  found.push(...way.says);
  const blocked = mayBegin(site, host, guest, state) ?? notListed(answers, host, way.storage);
  if (blocked) return refuse(blocked);
  return { found, steps: [backupStep(site, host, guest, way, answers)] };
}

function backupStep(
  site: ProcedureSite,
  host: string,
  guest: number,
  way: BackupWay,
  before: Answers,
): ComputedStep {
  const clock = Number(clockOf(before, host));
  const run: BackupRun = {
    host,
    unit: `provision-backup-${guest}-${clock}`,
    argv: [
      String(guest),
      '--storage',
      way.storage,
      '--mode',
      way.mode,
      ...way.options,
      // Not `--remove 0`: a guest that has as many backups as its retention keeps would then get no further one.
      '--prune-backups',
      'keep-all=1',
    ],
    id: String(guest),
  };
  const had = listed(before, host);
  const stops = way.mode === 'stop' ? ' (it is shut down meanwhile, if it runs)' : '';
  return {
    host,
    about: `back up guest ${guest} of ${host} to ${way.storage} in mode ${way.mode}${stops}, and see that the backup is there`,
    run: backupShell(run),
    limit: 60,
    questions: [
      vzdumpQuestion(host, guest),
      backupQuestion(run),
      listQuestion(host, way.storage, guest, run.unit),
    ],
    guard: (now) => {
      const state = readVzdump(now, host);
      if (typeof state === 'string') return unknown(state);
      return mayBegin(site, host, guest, state) ?? notListed(now, host, way.storage);
    },
    verify: (now) => backupReason(now, run) ?? notNew(now, host, guest, way.storage, had),
    within: 24 * 3600,
  };
}

/** Why no backup of this guest may begin now. */
function mayBegin(site: ProcedureSite, host: string, guest: number, state: VzdumpState): Reason | null {
  if (state.guest === undefined)
    return no(`${host} has no guest ${guest}`, 'was it moved, or removed? Nothing was changed');
  const hanging = stuckReason(site, state);
  if (hanging) return hanging;
  const [worker] = state.workers;
  if (worker) {
    const at = worker.upid.id || worker.at;
    return no(
      `a backup runs on ${host}${at ? `, at guest ${at}` : ''} (process ${worker.pid}), and a node makes one at a time`,
      `wait for it; if it hangs: provision run vzdump/unstick ${at || guest} --host ${host}. Nothing was changed`,
    );
  }
  const [holder] = state.holders;
  if (holder)
    return no(
      `process ${holder.pid} (${holder.comm}) holds the vzdump lock of ${host}`,
      'see what it is: a backup would wait for it for hours. Nothing was changed',
    );
  if (state.guestLock === '') return null;
  return no(
    `guest ${guest} is locked (${state.guestLock})`,
    state.guestLock === 'backup'
      ? `a backup that died left it behind: provision run vzdump/unstick ${guest} --host ${host}. Nothing was changed`
      : 'see what is at work on it. Nothing was changed',
  );
}

/**
 * `clock now EPOCH`; `list has VOLID` for each backup of the guest, then `list looked yes`, or `list unknown REASON`. While the unit is
 * active it is not looked (`list waits yes`): one listing of a storage can take seconds.
 */
function listQuestion(host: string, storage: string, guest: number, unit = ''): Question {
  const command = sh`pvesm list ${storage} --content backup --vmid ${guest}`;
  return {
    host,
    limit: 45,
    look: sh`printf 'clock\tnow\t%s\n' "$(date +%s)"
state=
[ -z ${unit} ] || state=$(limited 10 'systemctl is-active "$1"' ${unit})
case $state in
  active | activating) printf 'list\twaits\tyes\n' ;;
  *)
    rc=0
    said=$(ask pvesm 30 ${command.text}) || rc=$?
    case $rc in
      0) printf '%s\n' "$said" | awk '$1 ~ /:/ { print "list\thas\t" $1 } END { print "list\tlooked\tyes" }' ;;
      124) printf 'list\tunknown\tno answer in 30 s\n' ;;
      *) printf 'list\tunknown\tpvesm list ended with %s\n' "$rc" ;;
    esac ;;
esac`,
  };
}

function clockOf(answers: Answers, host: string): string {
  const said = saidBy(answers, host);
  return typeof said === 'string' ? '' : fact(said, 'clock', 'now');
}

function listed(answers: Answers, host: string): readonly string[] {
  const said = saidBy(answers, host);
  return typeof said === 'string' ? [] : allFacts(said, 'list', 'has');
}

/** Why the backups on the storage are not known: then nobody could say of a new one that it is new. */
function notListed(answers: Answers, host: string, storage: string): Reason | null {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  if (fact(said, 'list', 'looked') === 'yes') return null;
  const why = fact(said, 'list', 'unknown') || 'it gave no answer';
  return unknown(
    `what ${host} has on the storage ${storage} is not known: ${why}`,
    `see with: pvesm status, pvesm list ${storage}, on ${host}. Nothing was changed`,
  );
}

/** Why there is no backup that was not there before; null: there is one. */
function notNew(
  now: Answers,
  host: string,
  guest: number,
  storage: string,
  had: readonly string[],
): Reason | null {
  const said = saidBy(now, host);
  if (typeof said === 'string') return unknown(said);
  if (fact(said, 'list', 'waits') === 'yes') return no('its task has ended, its unit is about to');
  const unread = notListed(now, host, storage);
  if (unread) return { ...unread, hint: undefined };
  if (listed(now, host).some((volid) => !had.includes(volid))) return null;
  return never(
    `its task says that all went well, and ${storage} has no new backup of guest ${guest}`,
    `its log is in /var/log/pve/tasks on ${host}`,
  );
}
