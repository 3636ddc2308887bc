import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** Seconds that one question may take; what asks the web API shares the key `synowebapi`. */
const askLimit = 20;

/**
 * One object of JSON as lines `path TAB value`: `data.rule.0.client TAB "10.10.0.0/24"`, values as in the JSON, then `end TAB yes`.
 * synowebapi prints a preamble with a `{` in the middle of a line, and noise: the object begins at the first line that *starts* with
 * one. Where none does, or it is cut off or broken, there is only `end TAB no`. A DSM has jq, a small machine may not.
 */
const flattenProgram = `!on && /^[{]/ { on = 1 }
on { text = text $0 " " }
function place() {
  if (depth == 0) return ""
  item[depth]++
  if (kind[depth] == "[") return base[depth] (item[depth] - 1)
  named[depth] = 0
  return base[depth] key[depth]
}
function broken() { print "end\\tno"; stop = 1 }
END {
  while (!stop) {
    sub(/^[ \\t\\r]+/, "", text)
    c = substr(text, 1, 1)
    if (c == "") broken()
    else if (depth > 0 && kind[depth] == "{" && !named[depth] && c == "\\"") {
      if (!match(text, /^"([^"\\\\]|\\\\.)*"[ \\t\\r]*:/)) { broken(); continue }
      word = substr(text, 2, RLENGTH - 2)
      sub(/"[ \\t\\r]*$/, "", word)
      key[depth] = word; named[depth] = 1
      text = substr(text, RLENGTH + 1)
    } else if (depth > 0 && c == ",") text = substr(text, 2)
    else if (depth > 0 && (c == "}" || c == "]")) {
      if (kind[depth] != (c == "}" ? "{" : "[") || named[depth]) { broken(); continue }
      if (!item[depth]) line[++n] = from[depth] "\\t" kind[depth] c
      text = substr(text, 2)
      if (--depth > 0) continue
      for (i = 1; i <= n; i++) print line[i]
      print "end\\tyes"
      stop = 1
    } else if (depth > 0 && kind[depth] == "{" && !named[depth]) broken()
    else if (c == "{" || c == "[") {
      p = place()
      depth++
      kind[depth] = c; from[depth] = p; base[depth] = p == "" ? "" : p "."; item[depth] = 0; named[depth] = 0
      text = substr(text, 2)
    } else if (match(text, /^("([^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null)/)) {
      value = substr(text, 1, RLENGTH)
      text = substr(text, RLENGTH + 1)
      gsub(/\\\\\\//, "/", value)
      line[++n] = place() "\\t" value
    } else broken()
  }
}`;

/** Shell functions for looks and steps: `flatten` reads what synowebapi printed. */
export const webapiFunctions = sh`flatten() { awk ${flattenProgram}; }
dsm_build() {
  [ ! -r ./etc.defaults/VERSION ] || awk -F'"' '
    $1 == "productversion=" { version = $2 }
    $1 == "buildnumber=" { build = $2 }
    END { if (build != "") print version "-" build }' ./etc.defaults/VERSION
}`;

/** Words of one call. Values are JSON: a string without quotes, or a name that the method does not know, is an answer to another question. */
export function callWords(
  api: string,
  method: string,
  values: Readonly<Record<string, unknown>> = {},
): string[] {
  const rest = Object.entries(values).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return ['synowebapi', '--exec', `api=${api}`, `method=${method}`, 'version=1', ...rest];
}

/** For `observe`: prints `rc TAB N`, then the answer flattened, each line with `flat TAB` in front. */
export function askFlat(words: readonly string[]): Sh {
  const text = sh`exec ${words}`.text;
  return sh`rc=0
said=$(ask synowebapi ${askLimit} ${text}) || rc=$?
printf 'rc\t%s\n' "$rc"
printf '%s\n' "$said" | flatten | sed 's/^/flat	/'`;
}

/** For steps: runs a call and sets `flat` to its answer; stops with what it said when it is not `"success": true`. */
export function callFlat(words: readonly string[], what: string): Sh {
  return sh`said=$(timeout -k 5 60 ${words} 2>/dev/null) || :
flat=$(printf '%s\n' "$said" | flatten)
case "
$flat
" in
  *"
success	true
"*) ;;
  *)
    code=$(printf '%s\n' "$flat" | awk -F'\t' '$1 == "error.code" { print "error " $2; exit }')
    say ${`${what}: DSM answered ${words[2] ?? ''} ${words[3] ?? ''} with`} "\${code:-no success}"
    exit 1
    ;;
esac`;
}

/** What the numbers mean that a look can come by. */
const meanings: Readonly<Record<string, string>> = {
  '101': 'a parameter is missing',
  '102': 'this DSM has no such API',
  '103': 'this DSM has no such method',
  '104': 'this DSM has no such version of the API',
  '105': 'no permission: it takes root',
  '106': 'the session timed out',
  '117': 'DSM is busy',
  '402': 'there is no such share',
  '403': 'a value is not allowed',
  '2301': 'a parameter has a wrong name or value',
  '2370': 'there is no such share',
  '3301': 'a share of this name exists',
};

/** "DSM 7.2.1-69057 answered with error 102: this DSM has no such API". */
export function errorText(facts: Facts, code: string): string {
  const meaning = meanings[code];
  return `${dsm(facts)} answered with error ${code}${meaning === undefined ? '' : `: ${meaning}`}`;
}

/**
 * Why there is no answer to judge, or null. Nothing is taken over from an earlier version of DSM: what this one does not answer in the
 * form that is known here is not known.
 */
export function unanswered(facts: Facts): string | null {
  const answer = facts.get('answer');
  if (answer === 'whole') return null;
  if (answer === 'late') return `no answer in ${askLimit} s: synowebapi`;
  if (answer === 'none') return `synowebapi of ${dsm(facts)} gave no answer that could be read`;
  if (answer === 'other') return `${dsm(facts)} answered in a form that is not known here`;
  if (answer === 'part') return `${dsm(facts)} listed a part of its shares only`;
  return 'synowebapi was not asked';
}

function dsm(facts: Facts): string {
  return `DSM ${facts.get('build') ?? 'of an unknown version'}`;
}
