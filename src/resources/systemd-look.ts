import type { Sh } from '../model/sh.ts';
import { eachPath } from '../shell/paths.ts';
import { sh } from '../shell/sh.ts';
import { isTemplate, unitPath } from './systemd-names.ts';

/** One file whose bytes matter to a unit. */
export interface UnitFile {
  /** `text`, `dropin 10-local.conf` or `config`: the name under which it is printed. */
  readonly kind: string;
  readonly path: string;
}

/** What is to be seen of one unit. */
export interface UnitAsk {
  /** First column of what is printed. */
  readonly identity: string;
  readonly unit: string;
  readonly files: readonly UnitFile[];
  /** Print whether it is active. Only where wanted: the state of a job that runs now and then is nobody's business. */
  readonly active: boolean;
  /** Print whether it runs what is on disk. */
  readonly runs: boolean;
  /** Print what a removed unit may leave behind. */
  readonly absent: boolean;
}

/** Where a step notes which configuration a unit was started with. Below /run: a reboot must forget it. */
export const stampDirectory = '/run/provision/units';

/** Follows links: configuration behind a link counts, and /dev/null (a masked unit) is no regular file. */
const unitPaths = String.raw`stat_paths "$@"
(for p do [ ! -L "$p" ] || printf '%s\tlink\t%s\n' "${'$'}{p#.}" "$(readlink -- "$p")"; done)
for p do shift; [ ! -f "$p" ] || set -- "$@" "$p"; done
[ $# -eq 0 ] || {
  stat -L -c '%n	ctime	%z' -- "$@" | sed 's/^\.//'
  sha256sum -- "$@" | sed -e '/^\\/{s/^.//;s/\\\\/\\/g;}' -e 's/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'
}`;

/**
 * Prints for every unit, under its identity: `load`, `enabled`, `link TARGET.wants` (sorted), `reload_needed`, for each file
 * `KIND stat|sha256|link`, and where asked `active`, `runs` (current, stale, or "stale unit" when unit file or drop-in changed)
 * and, for one that should be gone, `fragment` and `left PATH`. In a `root` session `tree 1` instead of what only a manager knows.
 *
 * `runs` compares, never prints, what changes by itself: the stamp counts while the unit has the invocation it was made for;
 * without one a file changed (ctime) in or after the second of the unit's start makes it stale.
 */
export function lookUnits(asks: readonly UnitAsk[]): Sh {
  const named = asks.filter((ask) => !isTemplate(ask.unit)).map((ask) => ask.unit);
  const stamped = asks.filter((ask) => ask.runs || ask.absent).map((ask) => ask.unit);
  const gone = asks.filter((ask) => ask.absent).map((ask) => ask.unit);
  const paths = [...new Set(asks.flatMap((ask) => ask.files.map((file) => file.path)))];
  return sh`${{ text: lookFunctions, blobs: [] }}
{
ask ${asks.flatMap(rows)}
each_unit_path() {
${paths.length > 0 ? eachPath(paths, unitPaths) : sh`:`}
}
each_unit_path | tagged path
manager ${named}
find ./etc/systemd/system -mindepth 2 -maxdepth 2 -type l | sort | tagged link
stamps ${stamped}
leftovers ${gone}
} | awk ${judge}`;
}

/** Rows for awk, each one argument. */
function rows(ask: UnitAsk): string[] {
  const flags = [
    ask.active && 'active',
    ask.runs && 'runs',
    ask.absent && 'absent',
    isTemplate(ask.unit) && 'template',
  ];
  return [
    `unit\t${ask.identity}\t${ask.unit}\t${flags.filter((flag) => flag !== false).join(' ')}`,
    ...ask.files.map((file) => `file\t${file.kind}\t${file.path}`),
  ];
}

const shown =
  'Id,Names,LoadState,ActiveState,NeedDaemonReload,Type,FragmentPath,InvocationID,ExecMainStartTimestamp,InactiveExitTimestamp';

// `is-enabled` reads the links on disk; `show` would answer from memory after a link was removed by hand. It stops at the first
// unit that does not exist, so it is asked only for those that do, and one by one when its lines do not add up.
const lookFunctions = `export ROOT TZ=UTC
ask() { printf '%s\\n' "$@"; }
tagged() { awk -v tag="$1" '{ print tag "\\t" $0 }'; }
is_enabled() { for u do printf 'enabled\\t%s\\t%s\\n' "$u" "$(systemctl \${ROOT:+"--root=$ROOT"} is-enabled -- "$u")"; done; }
by_links() {
  for u do
    for dir in ./etc/systemd/system ./usr/lib/systemd/system ./lib/systemd/system; do
      [ ! -f "$dir/$u" ] || { printf 'enabled\\t%s\\tby links\\n' "$u"; break; }
    done
  done
}
manager() {
  if [ -n "$ROOT" ]; then
    printf 'tree\\n'
    if command -v systemctl >/dev/null; then is_enabled "$@"; else by_links "$@"; fi
    return
  fi
  [ $# -gt 0 ] || return 0
  shown=$(timeout -k 1 15 systemctl --no-pager show -p ${shown} -- "$@") || shown=
  printf '%s\\n' "$shown" | tagged show
  set -- $(printf '%s\\n' "$shown" | awk 'BEGIN { RS = ""; FS = "\\n" } {
    id = ""; there = 0
    for (i = 1; i <= NF; i++) {
      if ($i ~ /^Id=/) id = substr($i, 4)
      if ($i ~ /^LoadState=/ && $i != "LoadState=not-found") there = 1
    }
    if (there) print id
  }')
  [ $# -gt 0 ] || return 0
  states=$(systemctl is-enabled -- "$@")
  if [ "$(printf '%s\\n' "$states" | wc -l)" -ne $# ]; then is_enabled "$@"; return; fi
  for state in $states; do printf 'enabled\\t%s\\t%s\\n' "$1" "$state"; shift; done
}
stamps() {
  for u do
    note=./run/provision/units/$u
    [ -f "$note" ] || continue
    while IFS= read -r line; do printf 'stamp\\t%s\\t%s\\n' "$u" "$line"; done <"$note"
  done
}
leftovers() {
  for u do
    for f in "./run/provision/units/$u" "./var/lib/systemd/timers/stamp-$u"; do
      [ ! -f "$f" ] || printf 'left\\t%s\\t%s\\n' "$u" "\${f#.}"
    done
    find "./etc/systemd/system/$u.d" -mindepth 1 -maxdepth 1 2>/dev/null | sort | while IFS= read -r f; do
      printf 'left\\t%s\\t%s\\n' "$u" "\${f#.}"
    done
  done
}`;

const judge = `BEGIN { FS = "\\t"; OFS = "\\t" }
$1 == "unit" { n++; id[n] = $2; unit[n] = $3; flags[n] = " " $4 " "; next }
$1 == "file" { k = ++files[n]; kind[n, k] = $2; path[n, k] = $3; next }
$1 == "tree" { tree = 1; next }
$1 == "path" { fact[$2, $3] = $4; next }
$1 == "enabled" { enabled[$2] = $3; next }
$1 == "link" { m = split($2, part, "/"); links[part[m]] = links[part[m]] "\\n" part[m - 1]; next }
$1 == "stamp" && $3 == "invocation" { started[$2] = $4; next }
$1 == "stamp" { noted[$2, $4] = $5; next }
$1 == "left" { left[$2] = left[$2] "\\n" $3; next }
$1 == "show" && $2 == "" { known(); next }
$1 == "show" { at = index($2, "="); block[substr($2, 1, at - 1)] = substr($2, at + 1) }
function known(  i, m, name, key) {
  gsub(/\\\\x5c/, "\\\\", block["Names"])
  m = split(block["Id"] " " block["Names"], name, " ")
  for (i = 1; i <= m; i++) for (key in block) show[name[i], key] = block[key]
  for (key in block) delete block[key]
}
function say(name, value) { print id[n], name, value }
function many(name, text,  i, m, part) {
  m = split(text, part, "\\n")
  for (i = 2; i <= m; i++) say(name, part[i])
}
function runs(u,  i, p, now, old, time, stale) {
  if (show[u, "Type"] == "oneshot") return "current"
  time = show[u, "ExecMainStartTimestamp"]
  if (time !~ /[0-9]/) time = show[u, "InactiveExitTimestamp"]
  time = substr(time, index(time, " ") + 1, 19)
  stale = "current"
  for (i = 1; i <= files[n]; i++) {
    p = path[n, i]
    now = ((p, "sha256") in fact) ? fact[p, "sha256"] : "absent"
    if (started[u] != "" && started[u] == show[u, "InvocationID"] && ((u, p) in noted)) old = noted[u, p] != now
    else old = now != "absent" && substr(fact[p, "ctime"], 1, 19) >= time
    if (old && kind[n, i] != "config") return "stale unit"
    if (old) stale = "stale"
  }
  return stale
}
END {
  known()
  total = n
  for (n = 1; n <= total; n++) {
    u = unit[n]
    for (i = 1; i <= files[n]; i++) if ((path[n, i], "unknown") in fact) say("unknown", path[n, i] ": " fact[path[n, i], "unknown"])
    if (tree) { say("tree", 1); if (u in enabled) say("enabled", enabled[u]) }
    else if (flags[n] ~ / template /) say("load", "template")
    else if (!((u, "Id") in show)) say("unknown", "systemctl gave no answer")
    else {
      say("load", show[u, "LoadState"])
      say("enabled", enabled[show[u, "Id"]])
      say("reload_needed", show[u, "NeedDaemonReload"])
      if (flags[n] ~ / (active|absent) /) say("active", show[u, "ActiveState"])
      if (flags[n] ~ / runs / && show[u, "ActiveState"] ~ /^(active|reloading)$/) say("runs", runs(u))
      if (flags[n] ~ / absent /) say("fragment", show[u, "FragmentPath"])
    }
    many("link", links[u])
    for (i = 1; i <= files[n]; i++) {
      if (kind[n, i] == "config") continue
      p = path[n, i]
      if ((p, "stat") in fact) say(kind[n, i] " stat", fact[p, "stat"])
      if ((p, "sha256") in fact) say(kind[n, i] " sha256", fact[p, "sha256"])
      if ((p, "link") in fact) say(kind[n, i] " link", fact[p, "link"])
    }
    many("left", left[u])
  }
}`;

/** The unit file itself, as an ask names it. */
export function textFile(unit: string): UnitFile {
  return { kind: 'text', path: unitPath(unit) };
}
