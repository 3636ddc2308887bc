import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State } from '../model/state.ts';
import { eachPath } from '../shell/paths.ts';
import { lines, sh } from '../shell/sh.ts';
import { fileKind } from './properties.ts';

/** Looks at paths, and for those that name a mount point they lie below, at that in mountinfo. */
export function observePaths(
  specs: readonly { readonly path: string; readonly mounted: string | undefined }[],
  body: string,
): Sh {
  const rows = specs.flatMap(({ path, mounted }) => (mounted === undefined ? [] : [`${path}\t${mounted}`]));
  const looks = eachPath(
    specs.map((spec) => spec.path),
    body,
  );
  if (rows.length === 0) return looks;
  return lines([looks, sh`printf '%s\n' ${rows} | awk -F'\t' ${mountedProgram}`]);
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
