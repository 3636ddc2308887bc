import type { Context } from '../model/host.ts';
import type { Change, Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { lines, sh, sha256 } from '../shell/sh.ts';
import { device, isBind, isNfs, type MountSpec, mountText, mountUnit } from './mount-text.ts';
import { lookMounts, type MountAsk, type SeenMount, seenMount } from './mountinfo.ts';
import { lookUnits, textFile } from './systemd-look.ts';
import { installTargets } from './systemd-names.ts';
import { residue, seenEnablement, seenFile, seenTargets } from './systemd-read.ts';

export function wanted(spec: MountSpec, context: Context): State | null {
  if (spec.state === 'absent') return null;
  const text = mountText(spec);
  const enabled = spec.enabled ?? true;
  const want: Record<string, Value> = {
    text: sha256(text),
    mode: '0644',
    owner: 'root:root',
    enabled: enabled ? 'enabled' : 'disabled',
    ...(enabled ? { wanted_by: installTargets(text) } : {}),
  };
  if (!context.live) return want;
  want.reload_needed = 'no';
  want.mounted = spec.active ?? true;
  if (!want.mounted) return want;
  want.source = spec.what ?? '';
  if (!isBind(spec) && spec.type !== undefined && spec.type !== 'auto') want.type = spec.type;
  want.runs = 'current';
  return want;
}

function mountAsk(spec: MountSpec): MountAsk {
  const base = { identity: spec.mount, point: spec.mount };
  return isBind(spec) ? { ...base, origin: spec.what } : { ...base, device: device(spec) };
}

/** The unit, the table of mounts, who else may own the mount point, and whether the directory below is empty. */
export function look(specs: readonly MountSpec[]): Sh {
  const points = specs.map((spec) => spec.mount);
  return lines([
    sh`(
${lookUnits(
  specs.map((spec) => ({
    identity: spec.mount,
    unit: mountUnit(spec),
    files: [textFile(mountUnit(spec))],
    active: false,
    runs: spec.state !== 'absent' && spec.active !== false,
    absent: spec.state === 'absent',
  })),
)}
)
[ -n "$ROOT" ] || {
${lookMounts(specs.map(mountAsk))}
}
{
printf 'point\t%s\n' ${points}
[ ! -f ./etc/fstab ] || awk '$1 !~ /^#/ && NF > 1 { gsub(/\\\\040/, " ", $2); print "fstab\t" $2 }' ./etc/fstab
each_path ${storages} ./etc/pve/storage.cfg
} | awk ${owners}
IFS='
'
set -- $(printf '%s\n' ${points} | awk ${notMounted})
unset IFS
[ $# -eq 0 ] || each_path ${occupied} "$@"`,
  ]);
}

/** Storages that PVE mounts itself. */
const storages = `[ ! -f "$1" ] || awk '
  function done() { if (id != "") print "storage\\t" path "\\t" id; id = "" }
  /^[a-z]+:/ { done() }
  /^(nfs|cifs|cephfs|glusterfs):/ { id = $2; path = "/mnt/pve/" id }
  $1 == "path" && id != "" { path = $2 }
  END { done() }' "$1"`;

const owners = `BEGIN { FS = "\\t"; OFS = "\\t" }
$1 == "point" { n++; point[n] = $2; next }
$1 == "fstab" { owner[$2] = "/etc/fstab" }
$1 == "storage" { owner[$2] = "the storage " $3 " of PVE" }
$2 == "unknown" { reason = $1 ": " $3 }
END { for (i = 1; i <= n; i++) {
  if (reason != "") print point[i], "unknown", reason
  if (point[i] in owner) print point[i], "owner", owner[point[i]]
} }`;

/** As paths for `each_path`. A point with something mounted is never touched. */
const notMounted = `BEGIN {
  while ((getline line < "/proc/self/mountinfo") > 0) {
    split(line, part, " ")
    gsub(/\\\\040/, " ", part[5]); gsub(/\\\\134/, "\\\\", part[5])
    mounted[part[5]] = 1
  }
}
!((ENVIRON["ROOT"] $0) in mounted) { print "." $0 }`;

const occupied = `for p do
  if [ -d "$p" ] && [ ! -L "$p" ]; then
    [ -z "$(ls -A -- "$p" | head -n 1)" ] || printf '%s\\toccupied\\tfiles\\n' "\${p#.}"
  elif [ -e "$p" ] || [ -L "$p" ]; then
    printf '%s\\toccupied\\tno directory\\n' "\${p#.}"
  fi
done`;

export function read(facts: Facts, spec: MountSpec, context: Context): Observed {
  const text = seenFile(facts, 'text');
  const mount = context.live ? seenMount(facts, mountAsk(spec)) : null;
  if (mount === undefined) return { unknown: 'the table of mounts could not be read' };
  const owner = facts.get('owner');
  if (spec.state === 'absent') {
    const left = residue(facts, text);
    const state = { ...left, ...(mount !== null && owner === undefined ? { mounted: true } : {}) };
    return {
      have:
        Object.keys(state).length === 0
          ? null
          : { ...state, ...(owner === undefined ? {} : { owned_by: owner }) },
    };
  }
  const have: Record<string, Value> = {};
  if (owner !== undefined) have.owned_by = owner;
  const below = facts.get('occupied');
  if (below !== undefined) have.occupied = below;
  if (text === null && mount === null && Object.keys(have).length === 0) return { have: null };
  if (text !== null) Object.assign(have, { text: text.sha256, mode: text.mode, owner: text.owner });
  have.enabled = seenEnablement(facts, text);
  have.wanted_by = seenTargets(facts);
  have.reload_needed = facts.get('reload_needed') ?? 'no';
  have.mounted = mount !== null;
  if (mount !== null) Object.assign(have, mounted(mount, spec));
  const runs = facts.get('runs');
  if (runs !== undefined) have.runs = runs === 'current' ? 'current' : 'stale';
  return { have };
}

/** The kernel says nfs4 where mount was asked for nfs, and /dev/sda1 where it was asked for a UUID. */
function mounted(mount: SeenMount, spec: MountSpec): State {
  const source =
    mount.same || trimmed(mount.source) === trimmed(spec.what ?? '') ? (spec.what ?? '') : mount.source;
  return { source, type: spec.type === 'nfs' && mount.type === 'nfs4' ? 'nfs' : mount.type };
}

function trimmed(source: string): string {
  return source.replace(/(.)\/+$/, '$1');
}

export function refuse({ spec, have, want, context }: Change<MountSpec>): string | null {
  const owner = have?.owned_by ?? (want === null && have?.text === undefined ? have?.from : undefined);
  if (typeof owner === 'string')
    return `${spec.mount} is mounted by ${owner}; two owners of one mount point undo each other's work`;
  if (want === null) return null;
  if (context.platform === 'pve' && spec.mount.startsWith('/mnt/pve/'))
    return `${spec.mount} is where PVE mounts a storage of that name; add the storage in PVE instead`;
  if (String(have?.text ?? '') === 'masked' || String(have?.enabled ?? '').startsWith('masked'))
    return `${mountUnit(spec)} is masked, which somebody did on purpose; if it should be mounted: systemctl unmask '${mountUnit(spec)}'`;
  if (
    isNfs(spec) &&
    (spec.options ?? []).some((option) => /^soft(err|reval)?$/.test(option)) &&
    !spec.allow_soft
  )
    return 'a soft NFS mount loses writes without an error when the server is slow; use hard, or give the reason in `allow_soft`';
  if (!context.live || want.mounted !== true || have?.occupied === undefined) return null;
  return have.occupied === 'files'
    ? `${spec.mount} is not empty: what is in it would be hidden by the mount; move it away first`
    : `${spec.mount} is not a directory`;
}
