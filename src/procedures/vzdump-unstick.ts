import type { ComputedPlan, ComputedProcedure, ComputedStep, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { no, unknown } from './reasons.ts';
import { hostNamed, type ProcedureSite } from './site.ts';
import { foundOf, stuckReason } from './vzdump-found.ts';
import { type ProcessId, vzdumpQuestion } from './vzdump-look.ts';
import { readVzdump, same, type VzdumpState, type Worker } from './vzdump-state.ts';

/** Seconds that a worker gets to clean up after TERM: it removes snapshots and unlocks the guest by itself. */
const politeness = 60;

export const unstick: ComputedProcedure<ProcedureSite> = {
  id: 'vzdump/unstick',
  about:
    'Ends the backup of a guest that hangs, and unlocks the guest when it is proven that no backup runs.',
  notes: `The worker is found by its UPID: title, process number and start time must agree, and it must be at work on this guest (its
UPID or its task log says so). It gets TERM and ${politeness} s to clean up, then KILL; in front of each signal the number and the start time are
compared again. Nothing is ended by its name, and the lock file is never removed: that it exists means nothing, only who holds it.

A process that hangs in the kernel (state D) cannot be ended by anybody. Then nothing is done, and the mount it hangs on is named: that is
to be mended first.

The guest is unlocked only when its lock is \`backup\`, no worker runs on the node and nobody holds the vzdump lock; the procedure itself
holds that lock meanwhile, so that no backup can begin in between. A worker that backs up several guests is ended as a whole: those that
it had not done yet have to be backed up again.`,
  parameters: {
    guest: { type: 'integer', minimum: 100, maximum: 999_999_999, description: 'Number of the guest.' },
  },
  positional: ['guest'],
  hosts: (site, { guest }) =>
    site.hosts
      .filter(({ platform }) => platform === 'pve')
      .filter(({ guests }) => guest === undefined || guests.some(({ vmid }) => vmid === guest))
      .map(({ name }) => name),
  questions: (_, host, { guest }) => [vzdumpQuestion(host, Number(guest))],
  plan: (site, host, { guest }, answers) => {
    const state = readVzdump(answers, host);
    if (typeof state === 'string') return { found: [], steps: [], refused: unknown(state) };
    return planFor(site, host, Number(guest), state);
  },
};

function planFor(site: ProcedureSite, host: string, guest: number, state: VzdumpState): ComputedPlan {
  const found = foundOf(host, guest, state);
  const refuse = (refused: Reason): ComputedPlan => ({ found, steps: [], refused });
  if (state.guest === undefined) {
    const told = hostNamed(site, host)?.guests.some(({ vmid }) => vmid === guest);
    const hint = told ? 'the inventory says otherwise: was it moved, or removed?' : undefined;
    return refuse(no(`${host} has no guest ${guest}`, hint));
  }
  const hanging = stuckReason(site, state);
  if (hanging) return refuse(hanging);
  const mine = state.workers.filter((worker) => worksOn(worker, guest));
  const unlockable = state.guestLock === 'backup';
  if (mine.length === 0 && unlockable) {
    const blocked = notFree(host, state);
    return blocked ? refuse(blocked) : { found, steps: [unlockStep(host, guest, state.guest, [])] };
  }
  if (mine.length === 0 && state.guestLock !== '') {
    return refuse(
      no(
        `guest ${guest} is locked by "${state.guestLock}", which is no lock of a backup`,
        `see what is at work on it: only that may take this lock away. Nothing was changed`,
      ),
    );
  }
  if (mine.length === 0) found.push(`no backup of guest ${guest} is going on here: there is nothing to end`);
  const doomed = mine.flatMap((worker) => [worker, ...worker.members]);
  return {
    found,
    steps: [
      ...mine.flatMap((worker) => [termStep(host, guest, worker), killStep(site, host, guest, worker)]),
      ...(mine.length > 0 && unlockable ? [unlockStep(host, guest, state.guest, doomed)] : []),
    ],
  };
}

/** Its UPID names the guest, or, where it has several, its log says that it is at this one. */
function worksOn({ upid, at }: Worker, guest: number): boolean {
  return upid.id === '' ? at === guest : upid.id === String(guest);
}

function notFree(host: string, { workers, holders }: VzdumpState): Reason | null {
  const [worker] = workers;
  if (worker) {
    const at = worker.upid.id || worker.at;
    return no(
      `a vzdump worker (process ${worker.pid}) runs on ${host}${at ? `, at guest ${at}` : ''}: it may be the one that locked the guest`,
      'wait for it, or end it with this procedure for the guest it is at. Nothing was changed',
    );
  }
  const [holder] = holders;
  if (holder === undefined) return null;
  return no(
    `process ${holder.pid} (${holder.comm}) holds the vzdump lock of ${host} and is no worker that could be proven`,
    'see what it is: while it holds the lock a backup may be at work. Nothing was changed',
  );
}

/** Shell function: whether process $1 still is the one that began at $2. */
const isFunction = sh`set -f
is() {
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  set -- "$1" "$2" \${stat##*) }
  [ "$3" != Z ] && [ "\${22}" = "$2" ]
}`;

/** The step's own look at the guest's node, as a state, or the reason why there is none. */
function onState(host: string, judge: (state: VzdumpState) => Reason | null): ComputedStep['guard'] {
  return (now) => {
    const state = readVzdump(now, host);
    return typeof state === 'string' ? unknown(state) : judge(state);
  };
}

function termStep(host: string, guest: number, worker: Worker): ComputedStep {
  const { pid, start } = worker;
  return {
    host,
    about: `ask the worker of guest ${guest} to stop (TERM), and give it ${politeness} s`,
    run: sh`${isFunction}
is ${pid} ${start} && kill -TERM ${pid} || say 'it is over already'`,
    limit: 30,
    questions: [vzdumpQuestion(host, guest, [worker])],
    guard: onState(host, (state) => mayEnd(state, worker, guest)),
    verify: onState(host, (state) => gone(state, [worker])),
    within: politeness,
    mayFail: true,
  };
}

function killStep(site: ProcedureSite, host: string, guest: number, worker: Worker): ComputedStep {
  const { pid, start } = worker;
  const all = [worker, ...worker.members];
  const known = worker.members.map((one) => `${one.pid}:${one.start}`);
  return {
    host,
    about: `end the worker of guest ${guest} and what it started (KILL)`,
    run: sh`${isFunction}
doomed=${known.join(' ')}
if is ${pid} ${start}; then
  # While the worker lives its session is its own: whatever is in it was started by it.
  set +f
  for one in /proc/[0-9]*; do
    read -r stat 2>/dev/null <"$one/stat" || continue
    set -- \${stat##*) }
    [ "$#" -ge 20 ] && [ "$4" = ${pid} ] && [ "$one" != /proc/${pid} ] || continue
    doomed="$doomed \${one#/proc/}:\${20}"
  done
fi
is ${pid} ${start} && kill -KILL ${pid} || :
for one in $doomed; do
  is "\${one%:*}" "\${one#*:}" && kill -KILL "\${one%:*}" || :
done`,
    limit: 60,
    questions: [vzdumpQuestion(host, guest, all)],
    guard: onState(host, (state) => stuckReason(site, state) ?? elsewhere(state, worker, guest)),
    verify: onState(host, (state) => gone(state, all)),
    within: 20,
  };
}

function unlockStep(
  host: string,
  guest: number,
  type: 'vm' | 'ct',
  doomed: readonly ProcessId[],
): ComputedStep {
  const [command, file] =
    type === 'vm' ? ['qm', `/etc/pve/qemu-server/${guest}.conf`] : ['pct', `/etc/pve/lxc/${guest}.conf`];
  const unlock = `sed '/^\\[/,$d' "$1" | grep -qx 'lock: *backup *' && exec "$2" unlock "$3"`;
  return {
    host,
    about: `unlock guest ${guest}: no backup runs on ${host}`,
    run: sh`# With the lock held no backup can begin meanwhile; it is freed as soon as this is over, and its file stays as it is.
lock=/run/vzdump.lock
[ -e "$lock" ] || lock=/dev/null
flock -n -o -E 75 "$lock" /bin/sh -c ${unlock} sh ${file} ${command} ${guest} || {
  rc=$?
  [ "$rc" -ne 75 ] || say 'a backup has begun meanwhile; nothing was unlocked'
  exit "$rc"
}`,
    limit: 60,
    questions: [vzdumpQuestion(host, guest, doomed)],
    guard: onState(
      host,
      (state) =>
        gone(state, doomed) ??
        notFree(host, state) ??
        (state.guestLock === 'backup' ? null : no(`the lock of guest ${guest} is "${state.guestLock}" now`)),
    ),
    verify: onState(host, (state) =>
      state.guestLock === '' ? null : no(`guest ${guest} is locked: ${state.guestLock}`),
    ),
    within: 10,
  };
}

/** Why this worker must not be asked to stop, as things are now. */
function mayEnd(state: VzdumpState, worker: Worker, guest: number): Reason | null {
  const now = state.workers.find((one) => same(one, worker));
  if (now === undefined) return no(`process ${worker.pid} is no vzdump worker any more`);
  if (worksOn(now, guest)) return null;
  return elsewhere(state, worker, guest) ?? no('it is no longer at this guest');
}

/** A worker of several guests may have gone on while it was waited for. */
function elsewhere({ workers }: VzdumpState, worker: Worker, guest: number): Reason | null {
  const now = workers.find((one) => same(one, worker));
  if (now === undefined || now.upid.id !== '' || now.at === null || now.at === guest) return null;
  return no(`it has gone on to guest ${now.at}`);
}

function gone({ watched }: VzdumpState, processes: readonly ProcessId[]): Reason | null {
  const left = watched.filter((one) => processes.some((process) => same(one, process)));
  if (left.length === 0) return null;
  return no(
    left.map(({ pid, comm, state }) => `process ${pid} (${comm}, state ${state}) is still there`).join('; '),
  );
}
