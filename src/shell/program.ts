import type { Sh } from '../model/sh.ts';
import {
  type Look,
  lookParts,
  lookShell,
  observePrelude,
  opening,
  portions,
  stateDirectory,
} from './observe.ts';
import { attemptFunction } from './prelude.ts';
import { quote } from './quote.ts';
import { distinct } from './tar.ts';

interface Guard {
  readonly shell: string;
  readonly expect: string;
  readonly early?: boolean;
  /** What `shell` looks at, where looking at several together prints the same. */
  readonly look?: Look;
}

/** One change as the host will make it. */
export interface Action {
  /**
   * Shell that looks at the resource again, and what it must print; null: nothing to look at. Right before the change; `early`:
   * before the first change of all, because one of them may alter what is seen.
   */
  readonly guard: Guard | null;
  /** Indices of actions that must have succeeded. */
  readonly needs: readonly number[];
  readonly steps: readonly Sh[];
  /** What may be prepared before its turn: see Step. */
  readonly ahead?: Sh | undefined;
  /** Seconds the steps may take; null: file work, which needs no process to watch over it. */
  readonly limit: number | null;
  /** Directories above what it writes, and directories it makes: absolute paths. */
  readonly below: readonly string[];
  readonly makes: readonly string[];
  /** Line for the record once the steps have succeeded; null: nothing to record. */
  readonly record: string | null;
}

export interface ApplyOptions {
  readonly nonce: string;
  readonly root: string;
  /** Name of this run: sorts by time, unique. */
  readonly run: string;
  /** Who applies and since when, for "locked by": one line of printable text. */
  readonly holder: string;
  /** Seconds to wait for another apply to end. */
  readonly wait: number;
  /** Record lines of everything that is not an action of this run. */
  readonly recordBase: readonly string[];
  /** What /etc/machine-id held when the plan was made: between looking and changing, an address can move. */
  readonly machineId: string;
  /**
   * The newest run that the host had when it was looked at ('': none; null: one was going on). Another one now means that what was seen
   * may be half of somebody else's apply. undefined: do not ask.
   */
  readonly newestRun?: string | null;
  /** Everything to read again at the end. */
  readonly verify: readonly Look[];
}

/** Who holds the lock: its process by number and start time, so that a name left behind by a power cut is not believed. */
export function writeHolder({ holder }: ApplyOptions): string {
  return `read -r stat </proc/$$/stat
set -- \${stat##*) }
printf '%s\\t%s\\t%s\\t%s\\n' "$RUN" "$$" "\${20}" ${quote(holder)} >"$STATE/holder"`;
}

export const statePaths = `STATE=\${PWD%/}${stateDirectory}
RUNDIR=$STATE/runs/$RUN
STAGE=$RUNDIR/stage`;

/**
 * The program that runs detached on the host. Its frames: for each action `change INDEX start` (with what the steps printed) and
 * `change INDEX done | failed CODE | moved | skipped OTHER`; then `verify` and a `look TYPE` for everything.
 */
export function runProgram(actions: readonly Action[], options: ApplyOptions): string {
  return `{
${opening(options)}
RUN=${options.run}
${statePaths}
trap '' HUP
${writeHolder(options)}
${observePrelude}
. "$STAGE/prelude"
${attemptFunction}
${earlyGuards(actions).join('\n')}
${texts(actions).join('\n')}
${actionsShell(actions).join('\n')}
frame record
${writeRecord}
# What hung before the changes may answer after them.
[ ! -f "$SCRATCH/hung" ] || rm -f -- "$SCRATCH/hung"
frame verify
# What is stuck in the kernel while it looks must not keep the lock.
{
:
${lookParts(options.verify).join('\n')}
} 9>&-
rm -rf -- "$STAGE"
rm -f -- "$RUNDIR/why" "$STATE/holder"
: >"$RUNDIR/ended"
frame ended
exit 0
}
`;
}

/** Bytes up to which a content is also written into the program itself. */
const shortText = 8 * 1024;

/** Short contents as shell variables TEXT_HASH, for `put`: most files of a host are small, and each would cost a process. */
function texts(actions: readonly Action[]): string[] {
  const blobs = distinct(actions.flatMap((action) => action.steps.flatMap((step) => step.blobs)));
  return blobs.flatMap(({ bytes, hash }) => {
    if (bytes.length > shortText || bytes.includes(0)) return [];
    const text = bytes.toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? [`TEXT_${hash}=${quote(text)}`] : [];
  });
}

const writeRecord = `{
  cat "$STAGE/record"
  [ ! -f "$RUNDIR/record.done" ] || cat "$RUNDIR/record.done"
} >"$STATE/record.new" && sync "$STATE/record.new" && mv -T -- "$STATE/record.new" "$STATE/record"`;

/**
 * The guards that are asked before the first change: those of one type together, for they print the same together as alone; one by
 * one only when something has moved, to say what.
 */
function earlyGuards(actions: readonly Action[]): string[] {
  const early = actions.flatMap(({ guard }, index) => (guard?.early ? [{ guard, index }] : []));
  const alone = ({ guard, index }: { guard: Guard; index: number }): string =>
    `guard_${index}() {\n${guard.shell}\n}\nlook_before ${index} ${quote(guard.expect)}`;
  const byType = new Map<Look['type'] | undefined, typeof early>();
  for (const one of early)
    byType.set(one.guard.look?.type, [...(byType.get(one.guard.look?.type) ?? []), one]);
  return [...byType].flatMap(([type, all]) => {
    if (type === undefined) return all.map(alone);
    return portions(all).map((some) => {
      if (some.length === 1) return some.map(alone).join('\n');
      const specs = some.flatMap(({ guard }) => guard.look?.specs ?? []);
      const expected = some.flatMap(({ guard }) => guard.expect.split('\n')).sort(inBytes);
      return `if [ "$({\n${lookShell({ type, specs })}\n} 2>/dev/null 9>&- | sort)" != ${quote(expected.join('\n'))} ]; then
${some.map(alone).join('\n')}
fi`;
    });
  });
}

/** The order of `sort` with LC_ALL=C. */
export function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * The actions in their order. Whether others could write to the directories above them is asked for all in one call before the
 * first one, and again only for directories that this run has made since.
 */
function actionsShell(actions: readonly Action[]): string[] {
  const all = new Set(actions.flatMap((action) => action.below));
  let unseen = new Set(all);
  const prepared = groups(actions);
  return actions.flatMap((action, index) => {
    const group = prepared.get(index) ?? [];
    const members = group.length > 0 ? group.flatMap((member) => actions[member] ?? []) : [action];
    const look = members.some((member) => member.below.some((path) => unseen.has(path)));
    const words = [...unseen].sort().map((path) => quote(`.${path}`));
    if (look) unseen = new Set();
    for (const path of action.makes) if (all.has(path)) unseen.add(path);
    return [
      ...(look ? [`look_at_parents ${words.join(' ')}`] : []),
      ...group.map((member) => `CHANGE=${member}\n${actions[member]?.ahead?.text}`),
      ...(group.length > 0 ? ['flush_ahead'] : []),
      actionShell(action, index),
    ];
  });
}

/** Files prepared at once: enough to save most of the waiting for the disk, few enough to bound what lies about. */
const groupSize = 64;

/** Index of the first action of a group -> indices of the group: neighbours that can be prepared ahead, two at least. */
function groups(actions: readonly Action[]): Map<number, number[]> {
  const found = new Map<number, number[]>();
  let group: number[] = [];
  const close = (): void => {
    if (group.length > 1) found.set(group[0] ?? 0, group);
    group = [];
  };
  for (const [index, action] of actions.entries()) {
    if (action.ahead === undefined || group.length === groupSize) close();
    if (action.ahead !== undefined) group.push(index);
  }
  close();
  return found;
}

function actionShell(action: Action, index: number): string {
  const steps = action.steps.map((step) => step.text).join('\n');
  const watched = `set -eu\n. "$STAGE/prelude"\n${steps}`;
  const guard = action.guard?.early ? null : action.guard;
  return `${guard ? `guard_${index}() {\n${guard.shell}\n}\n` : ''}steps_${index}() {
${action.limit === null ? steps : `timeout -k 5 ${action.limit} /bin/sh -c ${quote(watched)}`}
}
attempt ${index} ${quote(action.needs.map((need) => ` ${need} `).join('.'))} ${guard ? 'guarded' : "''"} ${quote(guard?.expect ?? '')} ${quote(action.record ?? '')}`;
}
