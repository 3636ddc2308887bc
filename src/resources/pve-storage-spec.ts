export const storageTypes = ['nfs', 'pbs', 'dir', 'zfspool', 'lvmthin', 'cifs'] as const;
export type StorageType = (typeof storageTypes)[number];

export interface StorageSpec {
  readonly pve_storage: string;
  readonly type?: StorageType;
  readonly content?: readonly string[];
  readonly server?: string;
  readonly export?: string;
  readonly path?: string;
  readonly options?: string;
  readonly datastore?: string;
  readonly namespace?: string;
  readonly port?: number;
  readonly username?: string;
  readonly fingerprint?: string;
  readonly password?: string;
  readonly share?: string;
  readonly domain?: string;
  readonly smbversion?: string;
  readonly subdir?: string;
  readonly pool?: string;
  readonly blocksize?: string;
  readonly sparse?: boolean;
  readonly mountpoint?: string;
  readonly thinpool?: string;
  readonly vgname?: string;
  readonly is_mountpoint?: boolean | string;
  readonly create_subdirs?: boolean;
  readonly nodes?: readonly string[];
  readonly disable?: boolean;
  readonly shared?: boolean;
  readonly prune_backups?: Readonly<Record<string, number | boolean>>;
  readonly max_protected_backups?: number;
  readonly bwlimit?: Readonly<Record<string, number>>;
  readonly preallocation?: string;
  readonly state?: 'present' | 'absent';
}

/** Keys of a storage, as the spec and our states call them: Proxmox has a hyphen where these have a `_`, except in `is_mountpoint`. */
export type StorageKey = Exclude<keyof StorageSpec, 'pve_storage' | 'type' | 'state'>;

export interface TypeKeys {
  readonly required: readonly StorageKey[];
  /** Cannot be changed: only by removing the storage and adding it again. */
  readonly fixed: readonly StorageKey[];
  readonly free: readonly StorageKey[];
  readonly content: readonly string[];
  /** What Proxmox takes when the file does not say. */
  readonly usual: readonly string[];
}

export const contentWords = ['images', 'rootdir', 'vztmpl', 'iso', 'backup', 'snippets', 'import', 'none'];
const disks = ['images', 'rootdir', 'none'];
const common: readonly StorageKey[] = ['content', 'nodes', 'disable'];
const retention: readonly StorageKey[] = ['prune_backups', 'max_protected_backups'];
const directory: readonly StorageKey[] = [
  ...common,
  ...retention,
  'create_subdirs',
  'bwlimit',
  'preallocation',
];

export const keysOfType: Readonly<Record<StorageType, TypeKeys>> = {
  dir: {
    required: ['path'],
    fixed: ['path'],
    free: [...directory, 'is_mountpoint', 'shared'],
    content: contentWords,
    usual: ['images', 'rootdir'],
  },
  nfs: {
    required: ['server', 'export'],
    fixed: ['server', 'export', 'path'],
    free: [...directory, 'options'],
    content: contentWords,
    usual: ['images'],
  },
  cifs: {
    required: ['server', 'share'],
    fixed: ['server', 'share', 'path'],
    free: [...directory, 'options', 'username', 'password', 'domain', 'smbversion', 'subdir'],
    content: contentWords,
    usual: ['images'],
  },
  pbs: {
    required: ['server', 'datastore'],
    fixed: ['server', 'datastore'],
    free: [...common, ...retention, 'namespace', 'port', 'username', 'password', 'fingerprint'],
    content: ['backup', 'none'],
    usual: ['backup'],
  },
  zfspool: {
    required: ['pool'],
    fixed: ['pool'],
    free: [...common, 'bwlimit', 'blocksize', 'sparse', 'mountpoint'],
    content: disks,
    usual: disks.slice(0, 2),
  },
  lvmthin: {
    required: ['thinpool', 'vgname'],
    fixed: ['thinpool', 'vgname'],
    free: [...common, 'bwlimit'],
    content: disks,
    usual: disks.slice(0, 2),
  },
};
