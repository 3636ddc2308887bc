import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { at, lines, sh } from '../shell/sh.ts';

/** A mount point to be looked up, and what should be mounted there. */
export interface MountAsk {
  /** First column of what is printed. */
  readonly identity: string;
  readonly point: string;
  /** Device file, for those that a name in /dev stands for. */
  readonly device?: string | undefined;
  /** Directory, for a bind mount. */
  readonly origin?: string | undefined;
}

/**
 * Prints `mount TYPE TAB MAJ:MIN TAB ROOT TAB SOURCE` for a point that is mounted, `mount no` for one that is not; `device MAJ:MIN`
 * (hexadecimal) of the device file; `origin MAJ:MIN TAB ROOT TAB POINT` of the mount that a bind mount's directory lies on.
 * Mounts are read from the kernel's table: touching one that is dead would block for ever.
 */
export function lookMounts(asks: readonly MountAsk[]): Sh {
  const rows = asks.map((ask) => `${ask.identity}\t${ask.point}\t${ask.origin ?? ''}`);
  const devices = asks.flatMap(({ identity, device }) =>
    device === undefined
      ? []
      : [
          sh`device=$(stat -L -c '%t:%T' -- ${at(device)}) && printf '%s\\tdevice\\t%s\\n' ${identity} "$device"`,
        ],
  );
  return lines([sh`printf '%s\n' ${rows} | awk ${table}`, ...devices]);
}

/** Of several mounts over each other the last counts; an automount point that was not entered is not what is meant. */
const table = `BEGIN {
  FS = "\\t"; OFS = "\\t"
  while ((getline line < "/proc/self/mountinfo") > 0) {
    n++
    split(line, part, " ")
    device[n] = part[3]; root[n] = plain(part[4]); point[n] = plain(part[5])
    split(substr(line, index(line, " - ") + 3), part, " ")
    type[n] = part[1]; source[n] = plain(part[2])
    if (type[n] != "autofs") mounted[point[n]] = n
  }
}
function plain(text) {
  gsub(/\\\\040/, " ", text); gsub(/\\\\011/, "\\t", text); gsub(/\\\\043/, "#", text); gsub(/\\\\134/, "\\\\", text)
  return text
}
n == 0 { print $1, "unknown", "the table of mounts could not be read"; next }
!($2 in mounted) { print $1, "mount", "no" }
$2 in mounted { m = mounted[$2]; print $1, "mount", type[m], device[m], root[m], source[m] }
$3 != "" {
  best = 0
  for (m = 1; m <= n; m++) {
    prefix = point[m] == "/" ? "/" : point[m] "/"
    if (point[m] == $2 || index($3 "/", prefix) != 1) continue
    if (!best || length(point[m]) >= length(point[best])) best = m
  }
  print $1, "origin", device[best], root[best], point[best]
}`;

/** What is mounted at a point. */
export interface SeenMount {
  readonly type: string;
  /** As the table says; for part of a file system with the part in brackets: "/dev/sda1[/srv]". */
  readonly source: string;
  /** It is the device, or the directory, that was asked for, by whatever name. */
  readonly same: boolean;
}

/** Reads what `lookMounts` printed; null: nothing is mounted there, undefined: it was not said. */
export function seenMount(facts: Facts, ask: MountAsk): SeenMount | null | undefined {
  const said = facts.get('mount');
  if (said === undefined) return undefined;
  if (said === 'no') return null;
  const [type = '', device = '', root = '', ...source] = said.split('\t');
  const part = root === '/' || type === 'none' ? '' : `[${root}]`;
  return { type, source: `${source.join('\t')}${part}`, same: sameAs(facts, ask, device, root) };
}

function sameAs(facts: Facts, ask: MountAsk, device: string, root: string): boolean {
  if (ask.origin !== undefined) {
    const [on, above = '', point = ''] = facts.get('origin')?.split('\t') ?? [];
    const below = ask.origin.slice(point === '/' ? 0 : point.length);
    return on === device && (`${above === '/' ? '' : above}${below}` || '/') === root;
  }
  const hex = facts.get('device')?.split(':');
  return (
    hex !== undefined && hex.map((part) => Number.parseInt(part, 16)).join(':') === device && root === '/'
  );
}
