import type { Context } from '../model/host.ts';
import type { Facts, SpecMistake } from '../model/resource.ts';
import type { Observed, State, Value } from '../model/state.ts';

export interface MountPoint {
  readonly id: string;
  /** Absent: nobody's business. */
  readonly backup?: boolean;
  readonly bind?: boolean;
}

export interface GuestOptionSpec {
  readonly pve_guest_option: number;
  readonly kind: 'vm' | 'ct';
  readonly agent?: boolean;
  readonly hookscript?: string;
  readonly mount_points?: readonly MountPoint[];
  readonly unlocked?: true;
}

/** `VM 111`, `CT 1031`: as Proxmox writes them. */
export function guestName({ kind, pve_guest_option: vmid }: GuestOptionSpec): string {
  return `${kind.toUpperCase()} ${vmid}`;
}

const ctVolume = /^mp([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$/;
const vmVolume = /^((scsi|virtio|sata)(0|[1-9][0-9]?)|ide[0-3]|efidisk0)$/;

/** What proves that nothing runs before it clears the lock of a guest. */
export function unstick({ pve_guest_option: vmid }: GuestOptionSpec, host: string): string {
  return `provision run vzdump/unstick ${vmid} --host ${host}`;
}

/** Options that this kind of guest does not have, and a hook script that no storage could hold. */
export function guestOptionMistakes(spec: GuestOptionSpec): SpecMistake[] {
  const found: SpecMistake[] = [];
  if (spec.kind === 'ct' && spec.agent !== undefined)
    found.push({
      at: ['agent'],
      says: 'is given for a container: only VMs have a guest agent',
      hint: 'remove it, or correct the kind',
    });
  if (spec.hookscript !== undefined && spec.hookscript !== 'none' && !spec.hookscript.includes(':snippets/'))
    found.push({
      at: ['hookscript'],
      says: `is ${JSON.stringify(spec.hookscript)}: Proxmox takes hook scripts only from a storage with the content type snippets`,
      hint: 'write STORAGE:snippets/NAME',
    });
  const points = spec.mount_points ?? [];
  for (const [index, { id, bind, backup }] of points.entries()) {
    const at = ['mount_points', String(index), 'id'];
    if (bind === true && backup === true)
      found.push({
        at: ['mount_points', String(index), 'backup'],
        says: 'is given for a bind mount: vzdump never has one in a backup, whatever its flag says',
        hint: 'back it up where it comes from, and write "backup: false"',
      });
    if (id === 'rootfs')
      found.push({ at, says: 'is "rootfs", which is in every backup of a container', hint: 'remove it' });
    else if (!(spec.kind === 'ct' ? ctVolume : vmVolume).test(id))
      found.push({
        at,
        says: `is ${JSON.stringify(id)}, which no ${spec.kind === 'ct' ? 'container' : 'VM'} has`,
        hint:
          spec.kind === 'ct'
            ? 'mount points are mp0, mp1, ...'
            : 'disks are scsi0, virtio0, sata0, ide0, efidisk0, ...',
      });
    if (points.findIndex((other) => other.id === id) < index)
      found.push({ at, says: `is ${JSON.stringify(id)}, which is there twice`, hint: 'remove one of them' });
  }
  return found;
}

export function wantedOptions(spec: GuestOptionSpec): State {
  const points = (spec.mount_points ?? []).map(({ id, backup }) => [
    id,
    backup ? 'in the backup' : 'left out',
  ]);
  return {
    ...(spec.agent === undefined ? {} : { agent: spec.agent }),
    ...(spec.hookscript === undefined ? {} : { hookscript: spec.hookscript }),
    ...Object.fromEntries(points),
    ...(spec.unlocked === undefined ? {} : { lock: 'none' }),
  };
}

/**
 * What the guest's own file says: its part without snapshots. What waits for the next start of the guest (a part of its own in the file)
 * counts as done, and is told as `waits`. `says`: why nothing can be set.
 */
export function readOptions(facts: Facts, spec: GuestOptionSpec, { host }: Context): Observed {
  const unknown = facts.get('unknown');
  if (unknown !== undefined) return { unknown };
  if (facts.get('looked') === undefined) return { unknown: 'the host said nothing about it' };
  const name = guestName(spec);
  const place = facts.get('conf');
  const [, node, folder] = place?.split('/') ?? [];
  if (place === undefined)
    return {
      have: {
        says: `no guest has the number ${spec.pve_guest_option}; guests are made or restored by Proxmox VE, not here`,
      },
    };
  const kind = folder === 'lxc' ? 'ct' : 'vm';
  if (kind !== spec.kind)
    return {
      have: {
        says: `${spec.pve_guest_option} is a ${kind === 'ct' ? 'container' : 'VM'}, not a ${spec.kind === 'ct' ? 'container' : 'VM'}; correct its kind in the inventory`,
      },
    };
  if (facts.get('elsewhere') !== undefined)
    return {
      have: {
        says: `${name} is on the node ${node}, not on ${host}; it belongs to that host in the inventory, or has to be moved back`,
      },
    };
  const now = entries(facts.all('now'));
  const runs = facts.all('worker').some((id) => id === '-' || id === String(spec.pve_guest_option));
  if (spec.unlocked && runs && now.get('lock') === 'backup')
    return {
      unknown: `${name} is locked, and a backup runs now: whether it is its own is told once it has ended`,
    };
  const next = entries(facts.all('next'));
  const gone = (next.get('delete') ?? '').split(/[, ]+/);
  const text = (key: string): string | undefined =>
    gone.includes(key) ? undefined : (next.get(key) ?? now.get(key));
  const state: Record<string, Value> = {
    lock: now.get('lock') ?? 'none',
    hookscript: text('hookscript') ?? 'none',
  };
  if (spec.kind === 'vm') {
    state.agent = isOn(text('agent'));
    state['agent-line'] = text('agent') ?? '';
  }
  for (const { id } of spec.mount_points ?? []) {
    const line = text(id);
    state[id] = line === undefined ? 'not there' : inBackup(line, spec.kind) ? 'in the backup' : 'left out';
    state[`${id}-line`] = line ?? '';
  }
  if (state.lock !== 'none') state.mend = unstick(spec, host);
  const asked = [...Object.keys(wantedOptions(spec))].filter((key) => next.has(key) || gone.includes(key));
  return { have: { ...state, ...(asked.length === 0 ? {} : { waits: asked.sort().join(', ') }) } };
}

function entries(lines: readonly string[]): Map<string, string> {
  return new Map(
    lines.flatMap((line) => {
      const match = /^([a-z]+[0-9]*): *(.*?) *$/.exec(line);
      return match === null ? [] : [[match[1] ?? '', match[2] ?? ''] as const];
    }),
  );
}

/** `1`, `1,fstrim_cloned_disks=1`, `enabled=1,type=virtio`. */
function isOn(text: string | undefined): boolean {
  return text?.split(',').some((part) => /^(enabled=)?(1|on|yes|true)$/i.test(part)) ?? false;
}

/** A disk of a VM is in the backup unless it says otherwise, a mount point of a container only when it says so; others never are. */
function inBackup(line: string, kind: 'vm' | 'ct'): boolean {
  if (notBackedUp(line) !== null) return false;
  const flag = line.split(',').find((part) => part.startsWith('backup='));
  return flag === undefined ? kind === 'vm' : /^backup=(1|on|yes|true)$/i.test(flag);
}

/** Why vzdump leaves it out whatever its flag says, or null. */
export function notBackedUp(line: string): string | null {
  const [volume = ''] = line.split(',');
  if (line.split(',').includes('media=cdrom')) return 'it is a CD-ROM drive';
  if (volume.startsWith('/dev/')) return `it is the device ${volume}`;
  if (volume.startsWith('/')) return `it is a bind mount of ${volume}`;
  if (!volume.replace(/^volume=|^file=/, '').includes(':')) return 'it is no volume of a storage';
  return null;
}
