import type { ResourceType } from '../model/resource.ts';
import { pathFunctions, pathLimit } from './paths.ts';
import { quote } from './quote.ts';

/** Resources of one type, looked at together. */
export interface Look {
  readonly type: ResourceType;
  readonly specs: readonly unknown[];
}

export interface ObserveOptions {
  /** Random hex, new for every run. */
  readonly nonce: string;
  /** Where the files of the host are: `/`, or the tree of a `root` session. */
  readonly root: string;
}

/** Where runs, their logs, kept copies, the record and the lock live on a host: 0700, root. */
export const stateDirectory = '/var/lib/provision';

/** More paths than this in one command line would make the shell's argument handling slow. */
const chunkSize = 250;

/** Tools the first frame reports: what the types and the apply script ask about. */
const alwaysReported = [
  'flock',
  'setsid',
  'timeout',
  'base64',
  'tar',
  'sha256sum',
  'stat',
  'mktemp',
  'systemctl',
];

/** The script that reads everything a host is asked about, in one go, changing nothing. */
export function observeScript(looks: readonly Look[], options: ObserveOptions): string {
  const tools = [...new Set([...alwaysReported, ...looks.flatMap((look) => look.type.tools ?? [])])].sort();
  return brace(
    [opening(options), observePrelude, identityPart(tools), ...lookParts(looks), 'frame end'].join('\n'),
  );
}

/**
 * A script that is cut in transit must run nothing. Braced, a missing tail is a syntax error; unbraced, its first half runs
 * and exits 0.
 */
export function brace(body: string): string {
  return `{ exec </dev/null\n${body}\nexit 0\n}\n`;
}

/** Environment, working directory and frames: the head of every script. A name of ours may mean something else in somebody's environment. */
export function opening({ nonce, root }: ObserveOptions): string {
  return `export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/syno/sbin:/usr/syno/bin
unset CDPATH ENV IFS BAD CHANGE PUTS TRUSTED SCRATCH RUN RUNDIR STAGE
umask 077
NONCE=${nonce}
ROOT=${quote(root === '/' ? '' : root)}
frame() { printf '\\n%s %s\\n' "$NONCE" "$1"; }
cd ${quote(root)} || { frame 'no-root'; exit 1; }`;
}

/** The shell that looks at one chunk of resources of one type; also used, with one resource, as the guard of a change. */
export function lookShell(look: Look): string {
  return look.type.observe(look.specs as never).text;
}

/**
 * Functions for `observe`:
 * `each_path BODY PATH...` see paths.ts; a mount that hung is not asked a second time · `limited SECONDS SHELL_TEXT` runs text in its own shell under a limit, output through a file
 * (a pipe or `$(...)` would wait for a child stuck in the kernel), exit 124 when it took too long · `ask KEY SECONDS SHELL_TEXT [ARG]`
 * the same for what several questions depend on (a daemon, a mount): once it took too long, later questions with the same key end
 * with 124 at once. What is remembered lies in a directory that is made only when it is needed and goes with the script.
 */
export const observePrelude = `NETWORK=
while read -r _ _ _ _ point rest; do
  case "\${rest##* - }" in
    nfs*|cifs*|smb*|fuse*|ceph*|9p*|glusterfs*|afs*|autofs*) NETWORK="$NETWORK $point" ;;
  esac
done 2>/dev/null </proc/self/mountinfo
export ROOT
PATH_FUNCTIONS=${quote(pathFunctions)}
eval "$PATH_FUNCTIONS"
set -f
remote_path() {
  absolute=$ROOT\${1#.}
  # As the table of mounts writes it.
  case $absolute in *' '* | *\\\\*) absolute=$(printf '%s' "$absolute" | sed 's/\\\\/\\\\134/g; s/ /\\\\040/g') ;; esac
  for point in $NETWORK; do
    case "$absolute/" in "$point"/*) return 0 ;; esac
  done
  return 1
}
SCRATCH=/tmp/provision.$NONCE
[ ! -w /run ] || SCRATCH=/run/provision.$NONCE
trap '[ ! -d "$SCRATCH" ] || rm -rf -- "$SCRATCH"' EXIT
scratch() { [ -d "$SCRATCH" ] || mkdir -m 0700 -- "$SCRATCH"; }
was_hung() {
  [ -f "$SCRATCH/hung" ] || return 1
  while IFS= read -r one; do [ "$one" != "$1" ] || return 0; done <"$SCRATCH/hung"
  return 1
}
ask() {
  if was_hung "$1"; then return 124; fi
  rc=0
  limited "$2" "$3" "\${4-}" || rc=$?
  [ "$rc" -ne 124 ] || printf '%s\\n' "$1" >>"$SCRATCH/hung"
  return "$rc"
}
limited() {
  scratch || return 125
  rc=0
  timeout -k 1 "$1" /bin/sh -c "$2" sh "\${3-}" >"$SCRATCH/out" 2>/dev/null </dev/null || rc=$?
  case $rc in
    124|137|143) return 124 ;;
  esac
  # What cannot be handed on was not seen, however well it went.
  cat "$SCRATCH/out" || return 125
  return "$rc"
}
each_path() {
  body=$1
  shift
  far=
  [ -z "$NETWORK" ] || for p do if remote_path "$p"; then far=1; break; fi; done
  if [ -n "$far" ]; then
    for p do
      shift
      if remote_path "$p"; then
        rc=0
        ask "mount $point" ${pathLimit} "$PATH_FUNCTIONS
$body" "$p" || rc=$?
        if [ "$rc" -eq 124 ]; then
          printf '%s\\tunknown\\tno answer in ${pathLimit} s: the network mount it lies on hangs\\n' "\${p#.}"
        fi
      else
        set -- "$@" "$p"
      fi
    done
  fi
  [ $# -eq 0 ] || eval "$body"
}`;

/** A list in pieces that one command line may hold. */
export function portions<Item>(items: readonly Item[]): Item[][] {
  const count = Math.ceil(items.length / chunkSize);
  return Array.from({ length: count }, (_, part) => items.slice(part * chunkSize, (part + 1) * chunkSize));
}

function chunks(look: Look): Look[] {
  return portions(look.specs).map((specs) => ({ type: look.type, specs }));
}

/** Frames `look TYPE`: a few for a type with many resources, each type in a shell of its own. */
export function lookParts(looks: readonly Look[]): string[] {
  return looks
    .flatMap(chunks)
    .map((look) => `frame ${quote(`look ${look.type.name}`)}\n(\n${lookShell(look)}\n) 2>/dev/null`);
}

/** Who this machine is and what it can do; read before anything is believed. mountinfo is read, mounts are never touched. */
function identityPart(tools: readonly string[]): string {
  return `frame facts
fact() { printf '%s\\t%s\\n' "$1" "$2"; }
one() { value=; { read -r value <"$2"; } 2>/dev/null; fact "$1" "$value"; }
one machine-id ./etc/machine-id
fact uid "$(id -u)"
fact clock "$(date +%s)"
[ ! -e ./usr/bin/pveversion ] || fact platform pve
[ ! -e ./usr/sbin/proxmox-backup-manager ] || fact platform pbs
[ ! -e ./etc.defaults/VERSION ] || fact platform synology
[ ! -e ./usr/bin/midclt ] || fact platform truenas
for tool in ${tools.map(quote).join(' ')}; do
  if command -v "$tool" >/dev/null 2>&1; then fact tool "$tool"; fi
done
frame mounts
cat /proc/self/mountinfo 2>/dev/null
frame space
df -P -k . ./var/lib ./run .${stateDirectory} 2>/dev/null
frame record
cat .${stateDirectory}/record 2>/dev/null
frame runs
newest=
{ read -r newest <.${stateDirectory}/last; } 2>/dev/null
printf 'newest\\t%s\\n' "$newest"
if read -r run pid started holder <.${stateDirectory}/holder && read -r stat </proc/"$pid"/stat; then
  set -- \${stat##*) }
  [ "\${20}" != "$started" ] || printf 'running\\t%s\\t%s\\n' "$run" "$holder"
elif [ -n "$newest" ]; then
  if [ -e ".${stateDirectory}/runs/$newest/seen" ]; then :
  elif [ -e ".${stateDirectory}/runs/$newest/ended" ]; then printf 'unseen\\t%s\\n' "$newest"
  else printf 'interrupted\\t%s\\n' "$newest"
  fi
fi 2>/dev/null`;
}
