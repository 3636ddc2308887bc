import type { Sh } from '../model/sh.ts';
import {
  brace,
  type Look,
  lookParts,
  lookShell,
  observePrelude,
  opening,
  portions,
  stateDirectory,
} from './observe.ts';
import { applyPrelude, attemptFunction } from './prelude.ts';
import { quote } from './quote.ts';
import { sha256 } from './sh.ts';
import { distinct, tar } from './tar.ts';

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

/** Run directories kept on a host. */
const runsKept = 20;

/**
 * The script that changes a host: takes the lock, stages all contents and the program itself, checks their hashes, and only
 * then starts the program detached and follows its log. From there the run ends the same way whatever happens to the connection.
 * Its frames: `other-machine`, `no-tool`, `no-state`, `no-space`, `locked`, `other-run`, or `started` and then those of `runProgram`; `end` last.
 */
export function applyScript(actions: readonly Action[], options: ApplyOptions): string {
  const blobs = distinct(actions.flatMap((action) => action.steps.flatMap((step) => step.blobs)));
  const files = [
    { name: 'run.sh', bytes: Buffer.from(runProgram(actions, options)) },
    { name: 'prelude', bytes: Buffer.from(applyPrelude) },
    { name: 'record', bytes: Buffer.from(options.recordBase.map((line) => `${line}\n`).join('')) },
    ...blobs.map((blob) => ({ name: blob.hash, bytes: blob.bytes })),
  ];
  const sums = files.map((file) => `${sha256(file.bytes)}  ${file.name}`).join('\n');
  const payload = tar(files).toString('base64').replace(/.{76}/g, '$&\n');
  return brace(`${opening(options)}
RUN=${options.run}
${statePaths}
stop() { frame "$1"; [ $# -lt 2 ] || printf '%s\\n' "$2"; frame end; exit 0; }
machine=
read -r machine 2>/dev/null <./etc/machine-id
[ "$machine" = ${quote(options.machineId)} ] || stop other-machine "$machine"
for tool in flock setsid timeout base64 tar sha256sum stat mktemp; do
  command -v "$tool" >/dev/null 2>&1 || stop no-tool "$tool"
done
mkdir -p "$STATE/runs" && chmod 0700 "$STATE" || stop no-state "$STATE"
[ -z "$ROOT" ] || [ "$(cd -P -- "$STATE" && pwd -P)" = "$STATE" ] || stop no-state "$STATE, which a link puts outside of the tree,"
# In a shell of its own first: dash ends, without a word, when exec cannot open a file.
(exec 9>>"$STATE/lock") 2>/dev/null || stop no-state "$STATE/lock"
exec 9>>"$STATE/lock"
flock ${options.wait > 0 ? `-w ${Math.ceil(options.wait)}` : '-n'} 9 ||
  # Without a name its holder has only just begun, or is just ending: the one is known a moment later, the other is over.
  { [ ! -s "$STATE/holder" ] && flock -w 1 9; } || {
  frame locked
  cat "$STATE/holder" 2>/dev/null
  frame end
  exit 0
}
${overtaken(options)}${writeHolder(options)}
printf '%s\\n' "$RUN" >"$STATE/last"
${sweep}
mkdir -p "$STAGE" || stop no-space "$STAGE"
base64 -d <<'PAYLOAD' | tar -x -f - -C "$STAGE"
${payload}
PAYLOAD
(cd "$STAGE" && sha256sum -c >/dev/null 2>&1 <<'SUMS'
${sums}
SUMS
) || { rm -rf -- "$RUNDIR"; stop no-space "$STAGE"; }
: >"$RUNDIR/log"
setsid /bin/sh "$STAGE/run.sh" >>"$RUNDIR/log" 2>&1 </dev/null &
pid=$!
exec 9>&-
frame started
${follow}
frame end && : >"$RUNDIR/seen"`);
}

/** Under the lock: stops when an apply has run since this host was looked at. By name, not by order: names hold times of several clocks. */
function overtaken({ newestRun }: ApplyOptions): string {
  if (newestRun === undefined) return '';
  return `newest=
{ read -r newest <"$STATE/last"; } 2>/dev/null
[ "$newest" = ${quote(newestRun ?? 'one was going on')} ] || { rm -f -- "$STATE/holder"; stop other-run "$newest"; }
`;
}

/** Who holds the lock: its process by number and start time, so that a name left behind by a power cut is not believed. */
function writeHolder({ holder }: ApplyOptions): string {
  return `read -r stat </proc/$$/stat
set -- \${stat##*) }
printf '%s\\t%s\\t%s\\t%s\\n' "$RUN" "$$" "\${20}" ${quote(holder)} >"$STATE/holder"`;
}

const statePaths = `STATE=\${PWD%/}${stateDirectory}
RUNDIR=$STATE/runs/$RUN
STAGE=$RUNDIR/stage`;

/**
 * Under the lock: what runs that died left behind. Temp files are known by the exact names those runs wrote down before making
 * them; nothing is removed by pattern.
 */
const sweep = `(
  for old in "$STATE"/runs/*; do
    [ -d "$old/stage" ] || continue
    if [ -f "$old/temps" ]; then
      while IFS= read -r temp; do [ -z "$temp" ] || rm -f -- "$temp"; done <"$old/temps"
    fi
    rm -rf -- "$old/stage"
  done
  set -- "$STATE"/runs/*
  while [ $# -ge ${runsKept} ]; do rm -rf -- "$1"; shift; done
) 9>&-`;

/** Prints the log of the detached program as it grows, until that program has ended. busybox tail has no --pid. */
const follow = `if tail --version >/dev/null 2>&1; then
  tail -c +1 -f -s 0.01 --pid="$pid" "$RUNDIR/log"
else
  offset=0
  while :; do
    alive=1
    kill -0 "$pid" 2>/dev/null || alive=
    tail -c +$((offset + 1)) "$RUNDIR/log" >"$RUNDIR/part"
    cat "$RUNDIR/part"
    offset=$((offset + $(wc -c <"$RUNDIR/part")))
    [ -n "$alive" ] || break
    sleep 0.1
  done
  rm -f -- "$RUNDIR/part"
fi`;

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
