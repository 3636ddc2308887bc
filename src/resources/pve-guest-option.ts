import type { Symptom } from '../model/finding.ts';
import { type Change, defineType, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { readCfs, unlessQuorate } from './pve-cfs.ts';
import {
  type GuestOptionSpec,
  guestName,
  guestOptionMistakes,
  notBackedUp,
  readOptions,
  unstick,
  wantedOptions,
} from './pve-guest-option-state.ts';
import { processOfTask } from './vzdump-process.ts';

/** Options of a guest of Proxmox VE that decide about its backups. */
export const pveGuestOption = defineType<GuestOptionSpec>({
  name: 'pve_guest_option',
  about:
    'Options of a guest that decide about its backups: the guest agent, which volumes are in the backup, its hook script; and that no backup left its lock behind. Guests are never made, started, stopped or unlocked.',
  example: `pve_guest_option: 1031
kind: ct
mount_points:
  - {id: mp1, backup: true}
unlocked: true
`,
  schema: {
    type: 'object',
    required: ['pve_guest_option', 'kind'],
    additionalProperties: false,
    minProperties: 3,
    properties: {
      pve_guest_option: {
        type: 'integer',
        minimum: 100,
        maximum: 999999999,
        description: 'Number of the guest (VMID). It must be on this node.',
      },
      kind: { enum: ['vm', 'ct'], description: '`vm` or `ct` (container).' },
      agent: {
        type: 'boolean',
        description:
          'VM: whether Proxmox VE talks to the guest agent. A running VM has it only after it was powered off and on.',
      },
      hookscript: {
        type: 'string',
        pattern: '^(none|[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]:[A-Za-z0-9._/-]+)$',
        maxLength: 255,
        description:
          '`STORAGE:snippets/NAME`, on a storage with the content type snippets; `none`: no hook script.',
      },
      mount_points: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['id'],
          additionalProperties: false,
          properties: {
            id: { type: 'string', maxLength: 16 },
            backup: { type: 'boolean' },
            bind: { type: 'boolean' },
            path: { type: 'string' },
            source: { type: 'string' },
            note: { type: 'string' },
          },
        },
        description:
          'Volumes and whether they are in the backup, `backup: true` or `false`: `mp0`, ... of a container (left out by default), disks such as `scsi0` of a VM (in it by default). One with `bind: true` is never in it. As in `guests` of a host: `path`, `source` and `note` are for people.',
      },
      unlocked: {
        enum: [true],
        description:
          'The guest has no lock. One that is seen is told, with the procedure that proves that nothing runs before it is cleared; `apply` clears none.',
      },
    },
  },
  needsLive: true,
  tools: ['qm', 'pct'],
  stepLimit: 120,
  mistakes: guestOptionMistakes,
  // A backup that has begun since, or ended, is no edit of somebody else's: the lock itself is compared.
  shared: ['worker'],
  identity: (spec) => String(spec.pve_guest_option),
  provides: (spec) => [`guest-option:${spec.pve_guest_option}`],
  needs: ({ hookscript }) =>
    hookscript === undefined || hookscript === 'none' ? [] : [`storage:${hookscript.replace(/:.*/, '')}`],
  want: wantedOptions,
  observe,
  read: (facts, spec, context) => unlessQuorate(facts, readOptions(facts, spec, context)),
  refuse,
  steps,
  symptoms,
});

/**
 * Of the guest's file what is asked about, without its snapshots: `now` what holds, `next` what waits for its next start. Where the file
 * lies says which node has the guest, and what kind of guest it is.
 */
function observe(specs: readonly GuestOptionSpec[]): Sh {
  const vmids = specs.map((spec) => String(spec.pve_guest_option)).join(' ');
  const { text } = sh`node=$(uname -n)
node=\${node%%.*}
for vmid in ${vmids.split(' ')}; do
  printf '%s\tlooked\t1\n' "$vmid"
  for conf in nodes/*/qemu-server/"$vmid".conf nodes/*/lxc/"$vmid".conf; do
    [ -e "$conf" ] || continue
    printf '%s\tconf\t%s\n' "$vmid" "$conf"
    case $conf in nodes/"$node"/*) ;; *) printf '%s\telsewhere\t1\n' "$vmid" ;; esac
    awk -v vmid="$vmid" ${lines} "$conf" || exit 4
  done
done`;
  return sh`${readCfs(vmids.split(' '), text)}
[ -n "$lost" ] || printf '%s\n' "$seen"
export ROOT
workers() { awk ${workers} ./var/log/pve/tasks/active 2>/dev/null; }
for vmid in ${vmids.split(' ')}; do
  case $seen in *"
$vmid	now	lock: backup"*) for id in $(workers); do printf '%s\tworker\t%s\n' "$vmid" "$id"; done ;; esac
done`;
}

/** The ids of the vzdump tasks that run now, `-` for one over several guests. */
const workers = `${processOfTask}
{
  n = split($1, upid, ":")
  if (n < 8 || upid[6] != "vzdump" || process($1) == "") next
  print upid[7] == "" ? "-" : upid[7]
}`;

const lines = `BEGIN { part = "now" }
/^\\[/ { part = tolower($0) ~ /^\\[(pve:)?pending\\][ \\t\\r]*$/ ? "next" : ""; next }
part != "" && /^(lock|agent|hookscript|delete|mp[0-9]+|scsi[0-9]+|virtio[0-9]+|sata[0-9]+|ide[0-9]+|efidisk0):/ {
  print vmid "\\t" part "\\t" $0
}`;

function refuse({ spec, have, differs, context }: Change<GuestOptionSpec>): string | null {
  if (typeof have?.says === 'string') return have.says;
  const name = guestName(spec);
  if (typeof have?.lock === 'string' && have.lock !== 'none')
    return `${name} is locked (${have.lock}): a backup runs, or one that died left it behind. No lock is cleared here; ${unstick(spec, context.host)} proves that nothing runs, and then clears it`;
  for (const id of differs) {
    const line = have?.[`${id}-line`];
    if (have?.[id] === 'not there') return `${name} has no ${id}; correct mount_points in the inventory`;
    const why = typeof line === 'string' && line !== '' && id !== 'agent' ? notBackedUp(line) : null;
    if (why !== null)
      return `${id} of ${name} is in no backup, whatever its flag says: ${why}. Back it up where it comes from, and say "backup: false" here`;
  }
  return null;
}

function steps({ spec, have, differs }: Change<GuestOptionSpec>): Step[] {
  const program = spec.kind === 'vm' ? 'qm' : 'pct';
  const waits =
    spec.kind === 'vm'
      ? 'a running VM has it after it was powered off and on'
      : 'a running container has it after a restart';
  return differs.flatMap((name): Step[] => {
    const line = have?.[`${name}-line`];
    const value = newText(name, typeof line === 'string' ? line : '', spec);
    if (value === undefined) return [];
    const option = value === null ? ['--delete', name] : [`--${name}`, value];
    return [
      {
        about: `${program} set ${spec.pve_guest_option} ${option.join(' ')}${name === 'hookscript' ? '' : ` (${waits})`}`,
        run: sh`${program} set ${spec.pve_guest_option} ${option} >/dev/null`,
      },
    ];
  });
}

/** The new text of an option; null: it is taken away. Only the flag in it changes: what is left out of the text is lost to the guest. */
function newText(name: string, line: string, spec: GuestOptionSpec): string | null | undefined {
  const parts = line === '' ? [] : line.split(',');
  if (name === 'hookscript') return spec.hookscript === 'none' ? null : spec.hookscript;
  if (name === 'agent') {
    const rest = parts.filter((part) => part.includes('=') && !part.startsWith('enabled='));
    return [`enabled=${spec.agent === true ? 1 : 0}`, ...rest].join(',');
  }
  const point = spec.mount_points?.find(({ id }) => id === name);
  if (point === undefined) return undefined;
  return [
    ...parts.filter((part) => !part.startsWith('backup=')),
    `backup=${point.backup === true ? 1 : 0}`,
  ].join(',');
}

function symptoms(observed: Observed, spec: GuestOptionSpec): Symptom[] {
  const have: State = ('have' in observed ? observed.have : null) ?? {};
  const name = guestName(spec);
  const of = `guest:${spec.pve_guest_option}`;
  const found: Symptom[] = [];
  if (typeof have.lock === 'string' && have.lock !== 'none')
    found.push({
      code: 'guest-locked',
      of,
      says: `${name} is locked (${have.lock})`,
      data: { lock: have.lock },
    });
  if (typeof have.waits === 'string')
    found.push({
      code: 'waits-for-restart',
      of,
      says: `${have.waits} of ${name} is set, and holds only after the guest was stopped and started`,
    });
  return found;
}
