import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** Seconds in which the middleware of TrueNAS must answer; while it starts, or waits for a pool, it does not. */
export const midcltLimit = 20;

/**
 * A path below a pool, as JSON writes it without escapes: the shell on the host finds it by its text. What is not ASCII is written in
 * two ways by different versions, so it is not allowed.
 */
export const poolPathPattern = '^/mnt(/(?!\\.{1,2}(/|$))[A-Za-z0-9 _.:@+,()-]+)+$';

/** One thing that a query answered with: JSON text by key, only of the keys that were asked for. */
export type Entry = ReadonlyMap<string, string>;

export interface Query {
  readonly method: string;
  /** Arguments as JSON, built by us. */
  readonly args: readonly string[];
  /** The key of an entry that holds the identity, or a list with it. */
  readonly by: readonly string[];
  /** Keys that are told, so that what changes by itself (space used) is not. */
  readonly keys: readonly string[];
}

/**
 * One call for all identities. Prints `asked TAB yes` for each, and `ID TAB entry TAB NUMBER TAB KEY TAB JSON` for every entry that
 * is it; numbers count from 1. JSON is taken apart on the host, so that each identity prints only what is its own.
 */
export function query({ method, args, by, keys }: Query, identities: readonly string[]): Sh {
  // A remark on stderr is no part of the answer; of a failure it is all there is.
  const call = sh`exec 3>&1
said=$(midclt call ${method} ${args} 2>&1 >&3 3>&-) && exit 0 || rc=$?
printf "%s\n" "$said"
exit "$rc"`.text;
  return sh`said=$(ask midclt ${midcltLimit} ${call}) && rc=0 || rc=$?
[ "$rc" -ne 124 ] || said="no answer in ${midcltLimit} s: the middleware does not answer"
printf '%s\n' "$said" | awk -v rc="$rc" -v by=${by.join(' ')} -v keys=${keys.join(' ')} -v method=${method} ${takeApart} ${identities}`;
}

/**
 * Walks through one JSON value. `depth` counts brackets outside strings; an entry is what stands at depth 2 of a list, its keys at
 * depth 2 of an object. A program of our own, because not every TrueNAS has jq.
 */
const takeApart = `BEGIN {
  for (i = 1; i < ARGC; i++) { id[i] = ARGV[i]; ARGV[i] = "" }
  n = ARGC - 1
  split(by, names, " "); for (i in names) isname[names[i]] = 1
  split(keys, wanted, " "); for (i in wanted) iskey[wanted[i]] = 1
}
{ text = text (NR > 1 ? " " : "") $0; if ($0 ~ /[^ ]/) last = $0; if (named == "" && $0 ~ /^\\[E[A-Z]+\\]/) named = $0 }
END {
  sub(/^[ ]+/, "", text); sub(/[ ]+$/, "", text)
  if (rc != 0 || text !~ /^\\[.*\\]$/) {
    if (named != "") last = named
    gsub(/\\t/, " ", last)
    for (i = 1; i <= n; i++) print id[i] "\\tunknown\\t" (rc == 124 ? last : method " of the middleware failed: " (last == "" ? "it said nothing" : last))
    exit
  }
  for (i = 1; i <= n; i++) print id[i] "\\tasked\\tyes"
  len = length(text); depth = 0; quoted = 0; key = ""; start = 0
  for (at = 1; at <= len; at++) {
    c = substr(text, at, 1)
    if (quoted) {
      if (c == "\\\\") at++
      else if (c == "\\"") { quoted = 0; if (depth == 2 && key == "") key = substr(text, opened + 1, at - opened - 1) }
      continue
    }
    if (c == "\\"") { quoted = 1; opened = at; continue }
    if (c == ":" && depth == 2 && start == 0) { start = at + 1; continue }
    if (c == "[" || c == "{") { depth++; if (depth == 2) { count = 0; key = ""; start = 0 }; continue }
    if (depth == 2 && start > 0 && (c == "," || c == "}")) { part(key, substr(text, start, at - start)); key = ""; start = 0 }
    if (c == "]" || c == "}") { if (depth == 2) tell(); depth-- }
  }
}
function part(name, value) {
  sub(/^[ \\t]+/, "", value); sub(/[ \\t]+$/, "", value)
  count++; partname[count] = name; partvalue[count] = value
}
function tell(  i, j, found) {
  for (i = 1; i <= n; i++) {
    found = 0
    for (j = 1; j <= count; j++) if (partname[j] in isname && index(partvalue[j], "\\"" id[i] "\\"")) found = 1
    if (!found) continue
    number[i]++
    for (j = 1; j <= count; j++) if (partname[j] in iskey) print id[i] "\\tentry\\t" number[i] "\\t" partname[j] "\\t" partvalue[j]
  }
}`;

/** Entries as `query` printed them; null: the host was not asked, or not understood. */
export function entries(facts: Facts): readonly Entry[] | null {
  if (facts.get('asked') !== 'yes') return null;
  const found = new Map<string, Map<string, string>>();
  for (const line of facts.all('entry')) {
    const [number = '', key = '', ...rest] = line.split('\t');
    const entry = found.get(number) ?? new Map<string, string>();
    found.set(number, entry.set(key, rest.join('\t')));
  }
  return [...found.values()];
}

/** The value of a key; undefined: not there, or no JSON. */
export function valueIn(entry: Entry, key: string): unknown {
  try {
    return JSON.parse(entry.get(key) ?? '');
  } catch {
    return undefined;
  }
}

/** Properties of a dataset are objects {value, rawvalue, parsed}: `value` is the word of the API, `rawvalue` that of ZFS. */
export function property(entry: Entry, key: string): { value: string; raw: string } | undefined {
  const found = valueIn(entry, key);
  if (typeof found !== 'object' || found === null) return undefined;
  const { value, rawvalue } = found as Readonly<Record<string, unknown>>;
  if (typeof value !== 'string' && typeof rawvalue !== 'string') return undefined;
  return { value: String(value ?? rawvalue), raw: String(rawvalue ?? value) };
}

/** A call that changes something, as it is. Its arguments are JSON that we built; a job is waited for, else only its number comes back. */
export function call(method: string, args: readonly unknown[], job = false): Sh {
  const json = args.map((one) => JSON.stringify(one));
  return job ? sh`midclt call --job ${method} ${json}` : sh`midclt call ${method} ${json}`;
}

/** The same as a step: what the middleware says when it refuses is told, its last line first of all. */
export function change(method: string, args: readonly unknown[], job = false): Sh {
  return sh`said=$(${call(method, args, job)} 2>&1) || { say "$said"; exit 1; }`;
}
