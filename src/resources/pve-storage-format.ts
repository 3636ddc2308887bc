import {
  contentWords,
  keysOfType,
  type StorageKey,
  type StorageType,
  storageTypes,
} from './pve-storage-spec.ts';
import type { PerlFormat, PerlType } from './section-config-perl.ts';

export const storageFile = '/etc/pve/storage.cfg';

/** As Proxmox calls a key. */
export function proxmoxName(key: StorageKey): string {
  return key === 'is_mountpoint' ? key : key.replaceAll('_', '-');
}

/** Keys that this program does not set and Proxmox knows. */
const further: Readonly<Record<StorageType, readonly string[]>> = {
  dir: ['content-dirs', 'format', 'create-base-path', 'mkdir', 'maxfiles', 'snapshot-as-volume-chain'],
  nfs: ['content-dirs', 'format', 'create-base-path', 'mkdir', 'maxfiles', 'snapshot-as-volume-chain'],
  cifs: ['content-dirs', 'format', 'create-base-path', 'mkdir', 'maxfiles', 'snapshot-as-volume-chain'],
  pbs: ['encryption-key', 'master-pubkey', 'maxfiles'],
  zfspool: [],
  lvmthin: [],
};

function typeOf(type: StorageType): PerlType {
  const { required, fixed, free } = keysOfType[type];
  const names = [...fixed, ...free].map(proxmoxName);
  // The shared ones take the key, although it is not written for them.
  return { required: required.map(proxmoxName), optional: [...names, ...further[type], 'shared'] };
}

/** Known to Proxmox and by name only here: nothing in them is judged. */
const others = ['btrfs', 'cephfs', 'esxi', 'glusterfs', 'iscsi', 'iscsidirect', 'lvm', 'rbd', 'zfs'];

const whole = (low: number, high: number) => (value: string) =>
  /^[+-]?\d+$/.test(value) && Number(value) >= low && Number(value) <= high
    ? null
    : `no whole number ${high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`}`;

const oneOf =
  (...words: readonly string[]) =>
  (value: string) =>
    words.includes(value) ? null : `none of ${words.join(', ')}`;

function contentWrong(value: string): string | null {
  const wrong = value.split(/[,;\s]+/).find((word) => word !== '' && !contentWords.includes(word));
  return wrong === undefined ? null : `${wrong} is no kind of content`;
}

const keep = /^keep-(?:all|last|hourly|daily|weekly|monthly|yearly)=\d+$/;

function pruneWrong(value: string): string | null {
  const parts = value.split(',');
  const wrong = parts.find((part) => !keep.test(part));
  if (wrong !== undefined)
    return `"${wrong}" is no keep-last=N, keep-hourly=N, ... (no blanks, commas between)`;
  const names = parts.map((part) => part.split('=')[0]);
  if (new Set(names).size < names.length) return 'one of its parts stands twice';
  return names.length > 1 && names.includes('keep-all') ? 'keep-all cannot stand beside others' : null;
}

/** What becomes of a storage when a line does not count. */
function without(type: string, key: string): string | undefined {
  if (key === 'disable') return 'the storage stays enabled';
  if (key === 'prune-backups') return 'so that everything is kept, unless a job says otherwise';
  if (key === 'fingerprint') return 'so that only a certificate of a known authority is accepted';
  if (key === 'nodes') return 'so that every node has it';
  if (key === 'options') return 'so that it is mounted without options';
  if (key !== 'content') return undefined;
  const usual = storageTypes.find((one) => one === type);
  if (usual === undefined) return undefined;
  const taken = keysOfType[usual].usual;
  return `so that it holds ${taken.join(' and ')}${taken.includes('backup') ? '' : ', and no backups'}`;
}

/** storage.cfg as Proxmox VE reads it. */
export const storageFormat: PerlFormat = {
  types: {
    ...Object.fromEntries(storageTypes.map((type) => [type, typeOf(type)])),
    ...Object.fromEntries(others.map((type) => [type, { required: [], optional: null }])),
  },
  booleans: [
    ...['disable', 'shared', 'sparse', 'create-subdirs', 'create-base-path', 'mkdir'],
    'snapshot-as-volume-chain',
  ],
  values: {
    content: contentWrong,
    'prune-backups': pruneWrong,
    nodes: (value) =>
      /^[A-Za-z0-9-]+(?:[,;\s]+[A-Za-z0-9-]+)*$/.test(value) ? null : 'no list of names of nodes',
    options: (value) => (/^\S+$/.test(value) ? null : 'options are one word without blanks'),
    fingerprint: (value) =>
      /^(?:[A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}$/.test(value)
        ? null
        : 'no 32 pairs of hexadecimal digits with colons',
    port: whole(1, 65535),
    'max-protected-backups': whole(-1, Number.MAX_SAFE_INTEGER),
    maxfiles: whole(0, Number.MAX_SAFE_INTEGER),
    preallocation: oneOf('off', 'metadata', 'falloc', 'full'),
    bwlimit: (value) =>
      value
        .split(',')
        .every((part) => /^(?:(?:default|clone|migration|move|restore)=)?\d+(?:\.\d+)?$/.test(part))
        ? null
        : 'no list of restore=N, clone=N, ...',
    path: (value) => (value.startsWith('/') ? null : 'no absolute path'),
  },
  without,
  id: /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i,
  anyCase: true,
};
