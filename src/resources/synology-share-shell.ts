import type { Sh } from '../model/sh.ts';
import { at, lines, sh } from '../shell/sh.ts';
import { askFlat, callFlat, callWords, webapiFunctions } from './synowebapi.ts';

/** One call for all shares. Nothing that changes by itself is asked for: sizes and quotas would look like somebody's change. */
const listWords = callWords('SYNO.Core.Share', 'list', {
  shareType: 'all',
  additional: ['hidden', 'encryption'],
});

/** What may be asked of one share. */
export interface ShareAsk {
  /** Also its identity. */
  readonly name: string;
  readonly volume: string;
  /** Print who may do what. */
  readonly lists: boolean;
}

/**
 * Prints for every share, under its name: `build`, `volume mounted|missing`, `answer`, then `error CODE`, or `listed no`, or
 * `is KEY TAB JSON` for each key of it; `path none|subvolume|directory|other`, and where asked `acl TIER TAB LIST`.
 * DSM takes names that differ in case only for one.
 */
export function observeShares(asks: readonly ShareAsk[]): Sh {
  const rows = asks.map(({ name, volume }) => `want\t${name}\t${name.toLowerCase()}\t${volume}`);
  return lines([
    webapiFunctions,
    subvolumeFunction,
    sh`if [ -z "$ROOT" ]; then
{
printf '%s\n' ${rows}
printf 'build\t%s\n' "$(dsm_build)"
${askFlat(listWords)}
} | awk ${judge}`,
    ...asks.map(observePath),
    ...asks.filter(({ lists }) => lists).map(observeLists),
    sh`fi`,
  ]);
}

const judge = `BEGIN {
  FS = OFS = "\\t"
  while ((getline text < "/proc/self/mountinfo") > 0) { split(text, part, " "); mounted[part[5]] = 1 }
}
$1 == "want" { id[++n] = $2; name[n] = $3; volume[n] = $4 }
$1 == "build" { build = $2 }
$1 == "rc" { rc = $2 }
$1 == "flat" {
  value[$2] = $3
  if ($2 !~ /^data\\.shares\\.[0-9]+\\.name$/) next
  split($2, part, ".")
  shares++
  known[tolower(substr($3, 2, length($3) - 2))] = part[3]
}
END {
  answer = "whole"
  if (rc == 124) answer = "late"
  else if (value["end"] != "yes") answer = "none"
  else if (value["success"] == "true") {
    if (!shares && value["data.shares"] != "[]") answer = "other"
    else if (value["data.total"] != "" && value["data.total"] + 0 != shares + 0) answer = "part"
  } else if (value["error.code"] == "") answer = "other"
  m = split("name vol_path desc hidden encryption", key, " ")
  for (i = 1; i <= n; i++) {
    if (build != "") print id[i], "build", build
    print id[i], "volume", volume[i] in mounted ? "mounted" : "missing"
    print id[i], "answer", answer
    if (answer != "whole") continue
    if (value["success"] != "true") print id[i], "error", value["error.code"]
    else if (!(name[i] in known)) print id[i], "listed", "no"
    else for (j = 1; j <= m; j++) {
      path = "data.shares." known[name[i]] "." key[j]
      if (path in value) print id[i], "is", key[j], value[path]
    }
  }
}`;

/** Every share is a btrfs subvolume; DSM takes an existing one back with its data, but no plain directory. */
const subvolumeFunction = sh`path_kind() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then echo none
  elif [ -L "$1" ] || [ ! -d "$1" ]; then echo other
  elif timeout -k 1 10 btrfs subvolume show "$1" >/dev/null 2>&1; then echo subvolume
  else echo directory
  fi
}`;

function observePath({ name, volume }: ShareAsk): Sh {
  return sh`printf '%s\tpath\t%s\n' ${name} "$(path_kind ${at(`${volume}/${name}`)})"`;
}

function observeLists({ name }: ShareAsk): Sh {
  const text = sh`exec synoshare --list_acl ${name}`.text;
  return sh`ask synowebapi 20 ${text} | NAME=${name} awk ${listProgram}`;
}

/** From `ACL RW List .....[@rigtest,bob]` to `RW TAB @rigtest,bob`. */
const listProgram = `match($0, /ACL (RO|RW|NA|Custom) List *[.]*\\[.*\\]/) {
  text = substr($0, RSTART, RLENGTH)
  split(text, part, " ")
  sub(/^[^[]*\\[/, "", text); sub(/\\]$/, "", text)
  print ENVIRON["NAME"] "\\tacl\\t" part[2] "\\t" text
}`;

/** Functions for the steps that write: they look before and read back after, because a wrong word is answered with success. */
export function writeFunctions(name: string): Sh {
  return lines([
    webapiFunctions,
    subvolumeFunction,
    sh`set +f
write() {
  said=$(timeout -k 5 120 "$@" 2>&1) && rc=0 || rc=$?
  [ "$rc" -ne 0 ] || return 0
  case $said in
    *0xE700*) say "$1 $2 ended with $rc: 0xE700, there is a plain directory where the share should be" ;;
    *) say "$1 $2 ended with $rc: $said" ;;
  esac
  exit 1
}
# Keys of the share as DSM lists it now: KEY=JSON for each word given.
read_back() {
  ${callFlat(listWords, `the shares could not be read back`)}
  for expected do
    printf '%s\n' "$flat" | NAME=${name} EXPECTED=$expected awk -F'\t' ${backProgram} || {
      say "DSM reported success, but its share "${name}" does not have $expected"
      exit 1
    }
  done
}
lists() { timeout -k 5 60 synoshare --list_acl ${name} 2>/dev/null | NAME=x awk ${listProgram}; }
# only TIER USER...: takes out whoever else is in it. DSM may let somebody in by itself when it makes a share.
only() {
  tier=$1
  shift
  lists | TIER=$tier awk -F'\t' '$3 == ENVIRON["TIER"] { n = split($4, who, ","); for (i = 1; i <= n; i++) print who[i] }' |
    while IFS= read -r who; do
      keep=
      for wanted do [ "$wanted" != "$who" ] || keep=yes; done
      [ -n "$keep" ] || write synoshare --setuser ${name} "$tier" - "$who"
    done
}
# Whether TIER of the share holds USER.
holds() {
  lists | TIER=$1 WHO=$2 awk -F'\t' '$3 == ENVIRON["TIER"] { n = split($4, who, ","); for (i = 1; i <= n; i++) if (who[i] == ENVIRON["WHO"]) found = 1; seen = 1 } END { exit seen ? !found : 2 }'
}`,
  ]);
}

const backProgram = `{ value[$1] = $2; if ($1 ~ /^data\\.shares\\.[0-9]+\\.name$/ && $2 == "\\"" ENVIRON["NAME"] "\\"") { split($1, part, "."); at = part[3] } }
END {
  cut = index(ENVIRON["EXPECTED"], "=")
  exit at == "" || value["data.shares." at "." substr(ENVIRON["EXPECTED"], 1, cut - 1)] != substr(ENVIRON["EXPECTED"], cut + 1)
}`;
