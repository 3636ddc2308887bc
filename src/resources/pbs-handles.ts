import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { lines, sh } from '../shell/sh.ts';
import { pathSchema } from './properties.ts';
import { escapePath } from './systemd-names.ts';

export interface PbsHandlesSpec {
  readonly pbs_handles: string;
  readonly mount?: string;
}

/** Seconds for everything that touches the store. */
const limit = 10;
const daemons = ['proxmox-backup.service', 'proxmox-backup-proxy.service'];

/** Whether the daemons of a backup server see the same datastore as anybody who looks now. */
export const pbs_handles = defineType<PbsHandlesSpec>({
  name: 'pbs_handles',
  about:
    'Whether the daemons of a Proxmox Backup Server have the datastore open that lies at its path now. After a disruption of NFS they can hold handles of one that is gone: by hand all files are seen, and every backup fails until they are restarted.',
  example: 'pbs_handles: /mnt/pbs-datastore\n',
  checkOnly: true,
  needsLive: true,
  tools: ['systemctl'],
  schema: {
    type: 'object',
    required: ['pbs_handles'],
    additionalProperties: false,
    properties: {
      pbs_handles: { ...pathSchema, description: 'Path of the datastore.' },
      mount: {
        ...pathSchema,
        description: 'Mount point that the datastore lies on, where that is another path.',
      },
    },
  },
  limit: () => 2 * limit + 10,
  identity: (spec) => spec.pbs_handles,
  want: () => ({ daemons: 'running', store: 'there', handles: 'same' }),
  observe: (specs) => lines(specs.map(look)),
  read,
  symptoms,
  steps: () => [],
});

/** The table of mounts says which mount a question about the store depends on; what is touched is touched under its limit. */
function look(spec: PbsHandlesSpec): Sh {
  const store = spec.pbs_handles;
  const unit = `${escapePath(spec.mount ?? store)}.mount`;
  return sh`(
store=${store}
units=$(limited 10 ${`systemctl show -p Id -p MainPID -p ExecMainStartTimestampMonotonic -p ActiveEnterTimestampMonotonic ${daemons.join(' ')} "$1"`} ${unit}) || units=
printf '%s\n' "$units" | awk -v store=${store} ${unitRows}
PIDS=$(printf '%s\n' "$units" | awk -F= '$1 == "MainPID" && $2 > 0 { print $2 }' | sort -u)
export PIDS
key=local
if remote_path ".$store"; then key="mount $point"; fi
rc=0
said=$(ask "$key" ${limit} ${storeProbe} "$store") || rc=$?
case $rc in
  0) printf '%s\tstore\t%s\n' "$store" "$said" ;;
  124) printf '%s\tunknown\tno answer in %s s: the mount hangs\n' "$store" ${limit}; exit 0 ;;
  *) exit 0 ;;
esac
said=$(ask "$key" ${limit} ${handleProbe} "$store") || rc=$?
case $rc in
  0) printf '%s\n' "$said" | while IFS= read -r line; do [ -z "$line" ] || printf '%s\thandle\t%s\n' "$store" "$line"; done
    printf '%s\thandles\tlooked\n' "$store" ;;
  124) printf '%s\tunknown\tno answer in %s s: a handle of the daemons hangs\n' "$store" ${limit} ;;
esac
)`;
}

/** `unit NAME PID STARTED ENTERED`, times in seconds since the boot. Properties come in an order of systemd's own, Id last. */
const unitRows = String.raw`BEGIN { FS = "=" }
function flush() {
  if (id != "") print store "\tunit\t" id " " pid + 0 " " started + 0 " " entered + 0
  id = ""; pid = started = entered = 0
}
/^$/ { flush() }
$1 == "Id" { id = $2 }
$1 == "MainPID" { pid = $2 }
$1 == "ExecMainStartTimestampMonotonic" { started = sprintf("%.0f", $2 / 1000000) }
$1 == "ActiveEnterTimestampMonotonic" { entered = sprintf("%.0f", $2 / 1000000) }
END { flush() }`;

const storeProbe = `said=$(ls -d -- "$1/.chunks" 2>&1 >/dev/null) && echo there || printf '%s\\n' "\${said##*: }"`;

/**
 * Only what stays open counts (the store, its lock, its chunk directory): other files come and go while one looks. A mount that was
 * taken away lazily has no path any more; its files are known by a mount id that the table no longer has. The same export mounted once more
 * is the same file system: its files are the same then.
 */
const handleProbe = String.raw`for pid in $PIDS; do
  ls -l "/proc/$pid/fd" 2>/dev/null | awk '{ i = index($0, " -> "); n = split(substr($0, 1, i - 1), w, " "); if (i) print w[n] "\t" substr($0, i + 4) }' |
  while IFS='	' read -r fd link; do
    plain=${'$'}{link% (deleted)}
    case $plain in
      "$1" | "$1/.lock" | "$1/.chunks") ;;
      "$1"/*)
        said=$(stat -L -c '' -- "/proc/$pid/fd/$fd" 2>&1 >/dev/null) || case $said in *[Ss]tale*) echo "stale $plain: ${'$'}{said##*: }" ;; esac
        continue ;;
      /.lock | /.chunks | */.lock | */.chunks)
        id=$(awk '$1 == "mnt_id:" { print $2 }' "/proc/$pid/fdinfo/$fd")
        [ -n "$id" ] && ! awk -v id="$id" '$1 == id { found = 1 } END { exit !found }' "/proc/$pid/mountinfo" || continue
        held=$(stat -L -c %d:%i -- "/proc/$pid/fd/$fd" 2>/dev/null)
        now=$(stat -c %d:%i -- "$1/${'$'}{plain##*/}" 2>/dev/null)
        if [ -n "$held" ] && [ "$held" = "$now" ]; then echo "same $plain"; else echo "stale $plain: its mount is gone"; fi
        continue ;;
      *) continue ;;
    esac
    if held=$(stat -L -c %d:%i -- "/proc/$pid/fd/$fd" 2>&1); then
      now=$(stat -c %d:%i -- "$plain" 2>/dev/null)
      if [ "$held" = "$now" ]; then echo "same $plain"; else echo "stale $plain: another one lies there now"; fi
    else
      [ -e "/proc/$pid/fd/$fd" ] || [ -L "/proc/$pid/fd/$fd" ] || continue
      echo "stale $plain: ${'$'}{held##*: }"
    fi
  done
done | sort -u`;

function read(facts: Facts): Observed {
  const units = facts.all('unit').map((text) => text.split(' '));
  const store = facts.get('store');
  const own = daemons.map((name) => units.find(([id]) => id === name));
  if (store === undefined || facts.get('handles') !== 'looked' || own.includes(undefined))
    return { unknown: 'the daemons and their handles could not be looked at' };
  const down = daemons.filter((_, index) => !(Number(own[index]?.[1]) > 0));
  const stale = facts
    .all('handle')
    .filter((line) => line.startsWith('stale '))
    .map((line) => line.slice('stale '.length));
  const mounted = Number(units.find(([id]) => id?.endsWith('.mount'))?.[3] ?? 0);
  const started = Math.min(...own.map((unit) => Number(unit?.[2])).filter((time) => time > 0));
  return {
    have: {
      daemons: down.length === 0 ? 'running' : `${down.join(', ')} does not run`,
      store: store === 'there' ? 'there' : `.chunks: ${store}`,
      handles: stale.length === 0 ? 'same' : stale.join('; '),
      older: mounted > 0 && started < mounted ? 'yes' : 'no',
    },
  };
}

function symptoms(observed: Observed, spec: PbsHandlesSpec): Symptom[] {
  const of = `datastore:${spec.pbs_handles}`;
  const found = (code: string, says: string): Symptom => ({ code, of, says });
  if ('unknown' in observed)
    return observed.unknown.includes('hangs') ? [found('mount-hangs', observed.unknown)] : [];
  if (observed.have === null) return [];
  const { daemons: run, store, handles, older } = observed.have;
  return [
    ...(run === 'running' ? [] : [found('pbs-down', String(run))]),
    ...(store === 'there' ? [] : [found('store-absent', String(store))]),
    ...(handles === 'same' ? [] : [found('stale-handles', `the daemons hold ${handles}`)]),
    ...(older === 'yes'
      ? [found('older-than-mount', 'the daemons were started before the present mount')]
      : []),
  ];
}
