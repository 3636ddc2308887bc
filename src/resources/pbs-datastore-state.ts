import type { Change, Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { lines, sh } from '../shell/sh.ts';
import { lookMounts, seenMount } from './mountinfo.ts';
import { lookCfg, pathOf, readCfg } from './pbs-cfg.ts';
import {
  atLeast,
  type DatastoreSpec,
  firstReuse,
  maintenanceIn,
  tuningIn,
  tuningText,
} from './pbs-datastore-spec.ts';
import { type Section, valueIn } from './section-config.ts';

/** Seconds that the directory has to answer. */
const directoryLimit = 5;

export function wanted(spec: DatastoreSpec): State {
  const { comment, verify_new, notification_mode, notify_user, tuning, maintenance_mode } = spec;
  const named = { comment, verify_new, notification_mode, notify_user, maintenance_mode };
  return {
    registered: true,
    path: spec.path,
    ...(spec.mount === undefined ? {} : { mounted: true, source: spec.mount.source, type: spec.mount.type }),
    chunks: true,
    proxy_reads: true,
    ...Object.fromEntries(
      Object.entries(named).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    ...(tuning === undefined ? {} : { tuning: tuningText(tuning) }),
  };
}

/** The file, the table of mounts, and what lies in the directory; a version only where it decides something. */
export function look(specs: readonly DatastoreSpec[]): Sh {
  const asks = specs.map((spec) => ({
    identity: spec.pbs_datastore,
    file: 'datastore' as const,
    own: [`datastore: ${spec.pbs_datastore}`],
  }));
  const mounts = specs.flatMap(({ pbs_datastore, mount }) =>
    mount === undefined ? [] : [{ identity: pbs_datastore, point: mount.path }],
  );
  return lines([
    sh`rows=$(
${lookCfg(asks)}
)
printf '%s\n' "$rows"`,
    ...(mounts.length === 0 ? [] : [lookMounts(mounts)]),
    ...specs.map(inside),
    ...specs.filter(({ reuse }) => reuse).map(version),
  ]);
}

/** `inside chunks|files|empty|missing`. "Stale file handle" is no answer: behind it may be anything. */
function inside({ pbs_datastore, path, mount }: DatastoreSpec): Sh {
  return sh`rc=0
said=$(ask ${`mount ${mount?.path ?? path}`} ${directoryLimit} ${insideBody} ${path}) || rc=$?
case $rc in
  0) printf '%s\tinside\t%s\n' ${pbs_datastore} "$said" ;;
  124) printf '%s\tunknown\tno answer in %s s: what is mounted at %s hangs\n' ${pbs_datastore} ${directoryLimit} ${mount?.path ?? path} ;;
  *) printf '%s\tunknown\t%s could not be looked into: %s\n' ${pbs_datastore} ${path} "$said" ;;
esac`;
}

const insideBody = String.raw`reason() { case $said in *'No such file'*) return 1 ;; esac; printf '%s\n' "${'${said##*: }'}"; exit 1; }
if said=$(ls -d -- "$1/.chunks" 2>&1); then echo chunks; exit 0; fi
reason
if said=$(ls -A -- "$1/" 2>&1); then
  case $said in '' | lost+found) echo empty ;; *) echo files ;; esac
  exit 0
fi
reason
echo missing`;

function version({ pbs_datastore }: DatastoreSpec): Sh {
  return sh`case "
$rows
" in
  *"
"${`${pbs_datastore}\town\t`}*) ;;
  *) said=$(ask pbs-api 20 'proxmox-backup-manager versions') && printf '%s\n' "$said" |
    awk -v id=${pbs_datastore} '$1 == "proxmox-backup-server" { sub(/-.*/, "", $2); print id "\tversion\t" $2; exit }' ;;
esac`;
}

export function read(facts: Facts, spec: DatastoreSpec): Observed {
  const file = readCfg(facts, 'datastore');
  if ('unknown' in file) return file;
  const where = facts.get('inside') ?? '';
  if (!['chunks', 'files', 'empty', 'missing'].includes(where))
    return { unknown: `the host did not say what lies in ${spec.path}` };
  const mount = seen(facts, spec);
  if (mount === undefined) return { unknown: 'the table of mounts could not be read' };
  const section = file.sections.find(({ id }) => id === spec.pbs_datastore);
  const state: Record<string, Value> = { ...mount, chunks: where === 'chunks' };
  if (section !== undefined)
    return {
      have: { registered: true, ...state, proxy_reads: file.proxyReads, ...settings(section) },
    };
  const nested = file.sections.find((one) => overlaps(valueIn(one, 'path') ?? '', spec.path));
  if (nested !== undefined) state.overlaps = `${nested.id} at ${valueIn(nested, 'path')}`;
  if (where === 'files') state.files = true;
  const told = facts.get('version');
  if (told !== undefined) state.version = told;
  const free = nested === undefined && (where === 'empty' || where === 'missing') && !spec.reuse;
  return { have: free && mountFits(spec, state) ? null : { registered: false, ...state } };
}

function seen(facts: Facts, { pbs_datastore, mount }: DatastoreSpec): State | undefined {
  if (mount === undefined) return {};
  const found = seenMount(facts, { identity: pbs_datastore, point: mount.path });
  if (found === undefined) return undefined;
  if (found === null) return { mounted: false };
  const same = trimmed(found.source) === trimmed(mount.source);
  return {
    mounted: true,
    source: same ? mount.source : found.source,
    type: mount.type === 'nfs' && found.type === 'nfs4' ? 'nfs' : found.type,
  };
}

function trimmed(source: string): string {
  return source.replace(/(.)\/+$/, '$1');
}

function mountFits({ mount }: DatastoreSpec, have: State): boolean {
  if (mount === undefined) return true;
  return have.mounted === true && have.source === mount.source && have.type === mount.type;
}

function overlaps(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}

function settings(section: Section): State {
  const mode = valueIn(section, 'maintenance-mode');
  return {
    path: trimmed(valueIn(section, 'path') ?? ''),
    comment: valueIn(section, 'comment') ?? '',
    verify_new: valueIn(section, 'verify-new') === '1',
    // Its default moved from one version to the next: only what is written counts.
    notification_mode: valueIn(section, 'notification-mode') ?? null,
    notify_user: valueIn(section, 'notify-user') ?? null,
    tuning: tuningIn(valueIn(section, 'tuning') ?? ''),
    maintenance_mode: mode === undefined ? 'none' : maintenanceIn(mode),
  };
}

/** What lies there once the right file system is mounted cannot be seen before; the step looks again. */
export function afterMounting(have: State | null, spec: DatastoreSpec): State | null {
  if (have === null || spec.mount === undefined || mountFits(spec, have)) return have;
  const { files: _files, ...rest } = have;
  const mounted = { mounted: true, source: spec.mount.source, type: spec.mount.type };
  if (have.registered === true) return { ...rest, ...mounted, chunks: true };
  return spec.reuse || have.overlaps !== undefined
    ? { ...rest, ...mounted, chunks: spec.reuse === true }
    : null;
}

export function refuse({ spec, have }: Change<DatastoreSpec>): string | null {
  const { pbs_datastore: name, path, mount } = spec;
  if (have === null) return null;
  if (mount !== undefined && have.mounted === false)
    return `nothing is mounted at ${mount.path}: PBS would write to the disk underneath; mount it first`;
  if (mount !== undefined && !mountFits(spec, have))
    return `${have.source} (${have.type}) is mounted at ${mount.path}, not ${mount.source} (${mount.type}); nothing is done to another export`;
  if (have.registered === true) {
    if (have.path !== path)
      return `the datastore ${name} is at ${have.path}; a path is never changed, its backups would stay behind`;
    if (have.chunks !== true)
      return `${name} is known to PBS, but ${path} has no .chunks: another or an emptied file system lies there; a store is never made anew over that name`;
    return null;
  }
  if (have.overlaps !== undefined)
    return `${path} overlaps the datastore ${have.overlaps}; two datastores must not share a directory`;
  if (have.files === true)
    return `${path} is not empty and holds no datastore; move away what is in it, or choose another path`;
  if (have.chunks === true && !spec.reuse)
    return `a datastore lies at ${path} already (.chunks): it is never made anew; \`reuse: true\` attaches it with its backups`;
  if (have.chunks !== true && spec.reuse)
    return `\`reuse: true\` says that a datastore lies at ${path}, and there is no .chunks: is it the right export? For a new one leave reuse out`;
  if (!spec.reuse) return null;
  if (typeof have.version !== 'string')
    return 'the version of PBS could not be read, and only 3.3 or newer can attach a datastore';
  return atLeast(have.version, firstReuse) ? null : byHand(spec, have.version);
}

/** Up to 3.2 there is no command for it. Both of the lines that matter, exactly. */
function byHand({ pbs_datastore: name, path }: DatastoreSpec, version: string): string {
  const file = pathOf('datastore');
  return `PBS ${version} cannot attach a datastore (3.3 can); add it by hand and run this again: printf '\\ndatastore: ${name}\\n\\tpath ${path}\\n\\n' >>${file} && chown root:backup ${file} && chmod 0640 ${file}`;
}

/** Ends the step unless the mount is the right one and the directory as it was planned: PBS itself happily makes a store on the root disk. */
export function stopUnlessFit(spec: DatastoreSpec): Sh {
  const { path, mount } = spec;
  const asks = mount === undefined ? [] : [{ identity: 'x', point: mount.path }];
  const types = mount?.type === 'nfs' ? 'nfs nfs4' : (mount?.type ?? '');
  return lines([
    ...asks.map(
      (ask) => sh`found=$(
${lookMounts([ask])}
)
printf '%s\n' "$found" | SOURCE=${trimmed(mount?.source ?? '')} TYPES=${types} awk -F'\t' ${fits} || {
  say ${`${mount?.source} is not mounted at ${mount?.path} (any more); nothing was made`}
  exit 1
}`,
    ),
    sh`inside=$(timeout -k 1 20 /bin/sh -c ${insideBody} sh ${path}) || { say ${`${path} cannot be looked into`}": $inside"; exit 1; }
case $inside in
  ${spec.reuse ? 'chunks' : 'empty'}${spec.reuse ? sh`` : sh`|missing`}) ;;
  *) say ${`in ${path} are by now: `}"$inside; nothing was made"; exit 1 ;;
esac`,
  ]);
}

const fits = `{
  n = split(ENVIRON["TYPES"], type, " ")
  source = $6
  if (source != "/") sub(/\\/+$/, "", source)
  if ($5 != "/") source = source "[" $5 "]"
  for (i = 1; i <= n; i++) if ($2 == "mount" && $3 == type[i] && source == ENVIRON["SOURCE"]) good = 1
}
END { exit !good }`;
