import { brace, opening } from './observe.ts';
import { applyPrelude } from './prelude.ts';
import { type Action, type ApplyOptions, runProgram, statePaths, writeHolder } from './program.ts';
import { quote } from './quote.ts';
import { sha256 } from './sh.ts';
import { distinct, tar } from './tar.ts';

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
