import type { Step } from '../model/resource.ts';
import { blob, lines, sh } from '../shell/sh.ts';

/**
 * `judge_unit DIRECTORY NAME LENIENT` runs `systemd-analyze verify` on DIRECTORY/NAME and prints what it finds wrong with this
 * unit. Its exit code says little: 0 for an unknown key, 1 for a fault of some other unit. Lenient: programs and units
 * that are not there are no fault, because the same plan may bring them.
 */
const judgeUnit = `judge_unit() {
  found=$(timeout -k 1 20 systemd-analyze verify --man=no -- "$1/$2" 2>&1) && rc=0 || rc=$?
  own=$(printf '%s\\n' "$found" | awk -v lenient="$3" '
    BEGIN { dir = ENVIRON["UNIT_DIR"] "/"; name = ENVIRON["UNIT_NAME"]; stem = name; sub(/@\\..*/, "@", stem) }
    $0 == "" { next }
    lenient && (/is not executable: No such file or directory/ || /Unit [^ ]* not found/) { missing = 1; next }
    (at = index($0, dir)) { print substr($0, 1, at - 1) substr($0, at + length(dir)); next }
    index($0, name ":") == 1 || index($0, "Unit " name " ") == 1 { print; next }
    stem != name && index($0, stem) == 1 { print }
    END { if (missing) print "missing" }')
  case "$own" in
    missing) return 0 ;;
    '') [ "$rc" -eq 0 ] || printf '%s\\n' "$found"; return "$rc" ;;
  esac
  printf '%s\\n' "$own" | grep -v '^missing$'
  return 1
}`;

const scratchDirectory = `UNIT_DIR=$(mktemp -d /run/provision.XXXXXX 2>/dev/null || mktemp -d) || { echo 'no place for a copy of the unit'; exit 1; }
export UNIT_DIR UNIT_NAME
trap 'rm -rf -- "$UNIT_DIR"' EXIT`;

/** For `diff`: the new text of a unit, under its proper name, in a directory of its own. */
export function unitValidator(unit: string, content: string): { argv: readonly string[]; content: string } {
  const script = `command -v systemd-analyze >/dev/null 2>&1 || exit 0
UNIT_NAME=$1
${scratchDirectory}
cat -- "$2" >"$UNIT_DIR/$1"
${judgeUnit}
judge_unit "$UNIT_DIR" "$1" 1`;
  return { argv: ['sh', '-c', script, 'sh', unit, '{file}'], content };
}

/** Right before the files are put in place: all of them together, and now what the unit names must be there. */
export function verifyUnit(
  unit: string,
  content: string | undefined,
  dropins: readonly (readonly [name: string, text: string])[],
): Step {
  const head = { text: `${scratchDirectory}\n${judgeUnit}`, blobs: [] };
  return {
    about: `check ${unit} with systemd-analyze verify`,
    run: sh`if command -v systemd-analyze >/dev/null 2>&1; then (
UNIT_NAME=${unit}
${head}
${content === undefined ? sh`own=$(systemctl show -p FragmentPath -- ${unit}); own=\${own#*=}` : sh`own=${blob(content)}`}
[ -n "$own" ] || exit 0
cat -- "$own" >"$UNIT_DIR/$UNIT_NAME"
mkdir "$UNIT_DIR/$UNIT_NAME.d"
${lines(dropins.map(([name, text]) => sh`cat -- ${blob(text)} >"$UNIT_DIR/$UNIT_NAME.d/"${name}`))}
judge_unit "$UNIT_DIR" "$UNIT_NAME" ''
); fi`,
  };
}
