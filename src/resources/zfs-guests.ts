/** Whose data an entry of the list of permanent errors is. */
export interface Owner {
  /** `guest` 1031: a volume of it; `backup` 1031: an archive of it. */
  readonly kind: 'guest' | 'backup';
  readonly vmid: number;
}

/** `vm-100-disk-0`, `base-100-disk-1`, `subvol-1031-disk-0`, `vm-100-cloudinit`, `vm-100-state-before`. A volume of a cluster (`-pvc-`) has no guest. */
const volume = /(?:^|\/)(?:vm|base|basevol|subvol)-(\d{3,9})-(?:disk-\d|cloudinit|state-|fleece-)/;

/** A disk image in the directory of its guest, whatever it is called. */
const image = /\/images\/(\d{3,9})\/[^/]+\.(?:raw|qcow2|vmdk)(?:$|:)/;

const archive = /\/vzdump-(?:qemu|lxc|openvz)-(\d{3,9})-\d{4}_/;

/**
 * Whose data was hit: `/var/lib/vz/images/100/vm-100-disk-0.raw`, `rpool/data/vm-100-disk-0:<0x1>` (a zvol),
 * `rpool/data/subvol-1031-disk-0:/etc/x` (not mounted), `rpool/data/subvol-1031-disk-0@before:/etc/x`. Null: nobody's, as `<metadata>:<0x3d>`,
 * or of a dataset that is gone, `<0x5e>:<0x1>`. What a guest keeps in a volume may be named like a volume: the outermost name counts.
 */
function ownerOf(entry: string): Owner | null {
  const found = ([volume, image] as const)
    .map((pattern) => pattern.exec(entry))
    .filter((match) => match !== null)
    .sort((a, b) => a.index - b.index)[0];
  const saved = archive.exec(entry);
  if (saved !== null && (found === undefined || saved.index < found.index))
    return { kind: 'backup', vmid: Number(saved[1]) };
  return found === undefined ? null : { kind: 'guest', vmid: Number(found[1]) };
}

/** Distinct numbers in rising order: `1008,1034`. Empty without any. */
export function vmidsOf(entries: readonly string[], kind: Owner['kind']): string {
  const all = entries.flatMap((entry) => {
    const owner = ownerOf(entry);
    return owner?.kind === kind ? [owner.vmid] : [];
  });
  return [...new Set(all)].sort((a, b) => a - b).join(',');
}

/** Entries that are named in full; a pool can have a hundred thousand. */
const named = 20;

/** For a person: whose it is in front of what is hit, those of guests first. */
export function damageText(entries: readonly string[]): string {
  const told = entries.map((entry) => {
    const owner = ownerOf(entry);
    if (owner === null) return { rank: Number.MAX_SAFE_INTEGER, text: meaning(entry) };
    const whose = owner.kind === 'guest' ? 'guest' : 'backup of guest';
    return {
      rank: owner.vmid + (owner.kind === 'guest' ? 0 : 1e10),
      text: `${whose} ${owner.vmid}: ${entry}`,
    };
  });
  const sorted = told.sort((a, b) => a.rank - b.rank).map(({ text }) => text);
  const more = sorted.length - named;
  return [...sorted.slice(0, named), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function meaning(entry: string): string {
  if (/^<0x[0-9a-f]+>:/.test(entry)) return `${entry} (of a dataset or snapshot that is gone)`;
  if (entry.startsWith('<metadata>')) return `${entry} (of the pool itself)`;
  return entry;
}
