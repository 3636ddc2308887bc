import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State } from '../model/state.ts';
import { eachPath } from '../shell/paths.ts';
import { lines, sh } from '../shell/sh.ts';
import { fileKind } from './properties.ts';

/**
 * Shell function `why_missing PATH...`: prints for those that are not there `path absent 1` (and `path no-directory 1` when there is
 * nothing they could be put into) or `path unknown REASON`. They are
 * asked for in one call, only for the reason: "not there" is not "could not look" (I/O error, stale handle). Answers are matched
 * by order, not by the name in the message: coreutils and busybox quote names there in ways of their own.
 */
export const whyMissing = String.raw`why_missing() {
  for p do
    shift
    [ -e "$p" ] || [ -L "$p" ] || set -- "$@" "$p"
  done
  [ $# -gt 0 ] || return 0
  stat -c '' -- "$@" 2>&1 >/dev/null | for p do
    IFS= read -r said || said=': it came and went while looking'
    case $said in
      *': No such file or directory' | *': Not a directory')
        printf '%s\tabsent\t1\n' "${'${p#.}'}"
        [ -d "${'${p%/*}'}" ] || printf '%s\tno-directory\t1\n' "${'${p#.}'}"
        ;;
      *) printf '%s\tunknown\t%s\n' "${'${p#.}'}" "${'${said##*: }'}" ;;
    esac
  done
}`;

/**
 * For use inside a body of `eachPath`: prints for every path of "$@" either `path stat TYPE|MODE|OWNER|GROUP|UID|GID`, or what
 * `why_missing` says. In a tree, names come from the tree's own passwd and group. No size: that of a directory changes with
 * every file made in it, and a guard compares this text.
 */
export const statBody = String.raw`${whyMissing}
stat_there() {
  for p do
    shift
    if [ -e "$p" ] || [ -L "$p" ]; then set -- "$@" "$p"; fi
  done
  [ $# -eq 0 ] || stat -c '%n	stat	%F|%a|%U|%G|%u|%g' -- "$@" 2>/dev/null | if [ -z "${'${ROOT:-}'}" ]; then
    sed 's/^\.//'
  else
    awk -F'|' -v OFS='|' '
      function names(file, into,   line, part) {
        into[0] = "root"
        while ((getline line < file) > 0) { split(line, part, ":"); if (!(part[3] in into)) into[part[3]] = part[1] }
      }
      BEGIN { names("./etc/passwd", user); names("./etc/group", group) }
      {
        sub(/^\./, "")
        $(NF - 3) = $(NF - 1) in user ? user[$(NF - 1)] : "UNKNOWN"
        $(NF - 2) = $NF in group ? group[$NF] : "UNKNOWN"
        print
      }'
  fi
}
why_missing "$@"
stat_there "$@"`;

/** `sha256sum` of the regular files among "$@" as `path sha256 HEX`. Never opens a pipe or device. */
export const hashBody = String.raw`for p do
  shift
  if [ -f "$p" ] && [ ! -L "$p" ]; then set -- "$@" "$p"; fi
done
if [ $# -gt 0 ]; then
  sha256sum -- "$@" 2>/dev/null | sed -e '/^\\/{s/^.//;s/\\\\/\\/g;}' -e 's/^\([0-9a-f]*\) [ *]\.\(.*\)$/\2	sha256	\1/'
fi`;

/** Looks at paths, and for those that name a mount point they lie below, at that in mountinfo. */
export function observePaths(
  specs: readonly { readonly path: string; readonly mounted: string | undefined }[],
  body: string,
): Sh {
  const rows = specs.flatMap(({ path, mounted }) => (mounted === undefined ? [] : [`${path}\t${mounted}`]));
  // eachPath may run the body in a shell of its own, which would not know what ROOT is.
  const looks = [
    sh`export ROOT`,
    eachPath(
      specs.map((spec) => spec.path),
      body,
    ),
  ];
  if (rows.length === 0) return lines(looks);
  return lines([...looks, sh`printf '%s\n' ${rows} | awk -F'\t' ${mountedProgram}`]);
}

/** Shell that ends the step unless something is mounted at `point` now. Never touches the mount. */
export function stopUnlessMounted(point: string | undefined): Sh[] {
  if (point === undefined) return [];
  const message = `nothing is mounted at ${point}: what is written there would fill the disk underneath`;
  return [
    sh`case "$(printf '%s\n' ${`x\t${point}`} | awk -F'\t' ${mountedProgram})" in
  *yes) ;;
  *) say ${message}; exit 1 ;;
esac`,
  ];
}

/** An automount point that has not been entered shows as mounted with type autofs: that is not the file system meant. */
const mountedProgram = String.raw`
BEGIN {
  readable = 0
  while ((getline line < "/proc/self/mountinfo") > 0) {
    readable = 1
    split(line, part, " ")
    point = part[5]
    gsub(/\\040/, " ", point); gsub(/\\011/, "\t", point); gsub(/\\134/, "\\", point)
    type = substr(line, index(line, " - ") + 3)
    sub(/ .*/, "", type)
    if (type == "autofs") delete mounted[point]
    else mounted[point] = 1
  }
}
readable { print $1 "\tmounted\t" ((ENVIRON["ROOT"] $2) in mounted ? "yes" : "no") }`;

export interface Ownership {
  readonly owner?: string;
  readonly group?: string;
}

/** Reads what `statBody` printed. A numeric owner in the spec is compared by number, a name by name. */
export function readStat(facts: Facts, wanted: Ownership): Observed {
  const mounted = facts.get('mounted');
  const guarded: State = mounted === undefined ? {} : { mounted: mounted === 'yes' };
  if (facts.get('absent') !== undefined) {
    const have = mounted === 'no' ? { type: 'nothing', ...guarded } : null;
    return facts.get('no-directory') === undefined
      ? { have }
      : { have, blocked: 'the directory it belongs in does not exist, and no resource makes it' };
  }
  const reason = facts.get('unknown');
  if (reason !== undefined) return { unknown: reason };
  const stat = facts.get('stat');
  if (stat === undefined) return { unknown: 'the host said nothing about it' };
  const [kind = '', mode = '', owner = '', group = '', uid = '', gid = ''] = stat.split('|');
  return {
    have: {
      type: fileKind(kind),
      mode: mode.padStart(4, '0'),
      owner: owner === 'UNKNOWN' || isNumber(wanted.owner) ? uid : owner,
      group: group === 'UNKNOWN' || isNumber(wanted.group) ? gid : group,
      ...guarded,
    },
  };
}

/** Why nothing may be written, when `mounted` was asked for and is not so. */
export function refuseUnmounted(
  path: string,
  mounted: string | undefined,
  have: State | null,
): string | null {
  if (mounted === undefined) return null;
  if (path !== mounted && !path.startsWith(`${mounted === '/' ? '' : mounted}/`))
    return `${path} does not lie below ${mounted}`;
  if (have?.mounted !== false) return null;
  return `nothing is mounted at ${mounted}: what is written there would fill the disk underneath`;
}

/** What is seen below a mount point before and after mounting has nothing to do with each other. */
export function afterMounting(have: State | null): State | null {
  return have?.mounted === false ? null : have;
}

export function isNumber(name: string | undefined): boolean {
  return name !== undefined && /^[0-9]+$/.test(name);
}
