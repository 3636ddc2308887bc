import type { State, Value } from '../model/state.ts';
import { proxmoxName } from './pve-storage-format.ts';
import {
  keysOfType,
  type StorageKey,
  type StorageSpec,
  type StorageType,
  storageTypes,
} from './pve-storage-spec.ts';
import { type Section, valueIn } from './section-config.ts';

const lists: readonly StorageKey[] = ['content', 'nodes'];
const maps: readonly StorageKey[] = ['prune_backups', 'bwlimit'];
const booleans: readonly StorageKey[] = ['sparse', 'create_subdirs', 'disable', 'shared'];
const numbers: readonly StorageKey[] = ['port', 'max_protected_backups'];

/** Lists in one order, each word once. */
function canonicalList(words: readonly string[]): string | null {
  const all = [...new Set(words.filter((word) => word !== ''))].sort();
  return all.length === 0 ? null : all.join(',');
}

/** `keep-daily=7,keep-last=3`, zeros left out; only zeros keep everything. No parts: null, it is not set. */
function canonicalPrune(parts: readonly (readonly [string, number])[]): string | null {
  if (parts.length === 0) return null;
  const kept = parts.filter(([name, number]) => number > 0 && name !== 'keep-all');
  return kept.length === 0
    ? 'keep-all=1'
    : kept
        .map(([name, number]) => `${name}=${number}`)
        .sort()
        .join(',');
}

function canonicalText(key: StorageKey, value: string): string | null {
  if (value === '') return null;
  if (key === 'fingerprint' || key === 'server') return value.toLowerCase();
  if (key === 'path' || key === 'export' || key === 'mountpoint' || key === 'subdir')
    return value.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '');
  return value;
}

/** true, false or a path, as Proxmox reads it: words for yes and no in any case, everything else is a path. */
function canonicalMountpoint(value: string | boolean, path: string | null): string {
  const words = /^(?:(1|on|yes|true)|0|off|no|false)$/i.exec(String(value));
  if (words !== null) return words[1] === undefined ? 'no' : 'yes';
  const point = canonicalText('path', String(value));
  return point === path ? 'yes' : String(point);
}

/** What holds for a key that is not set; null: nothing in particular. */
function usual(key: StorageKey, type: StorageType, id: string): Value {
  if (key === 'content') return canonicalList(keysOfType[type].usual);
  if (key === 'is_mountpoint') return 'no';
  if (key === 'create_subdirs') return true;
  if (key === 'disable' || key === 'shared' || key === 'sparse') return false;
  if (key === 'port') return 8007;
  if (key === 'username' && type === 'pbs') return 'root@pam';
  if (key === 'path' && type !== 'dir') return `/mnt/pve/${id}`;
  return null;
}

/** The properties that the spec names, in the form in which two that mean the same are equal. */
export function wantedValues(spec: StorageSpec): State {
  const { type } = spec;
  if (type === undefined) return {};
  const state: Record<string, Value> = { type };
  const { fixed, free } = keysOfType[type];
  for (const key of [...fixed, ...free]) {
    const value = spec[key];
    if (value === undefined || key === 'password') continue;
    state[key] = wanted(key, value, spec, type);
  }
  // A storage that somebody switched off is not as wanted.
  return { ...state, disable: spec.disable ?? false };
}

type Given = Exclude<StorageSpec[StorageKey], undefined>;

function wanted(key: StorageKey, value: Given, spec: StorageSpec, type: StorageType): Value {
  if (key === 'is_mountpoint' && (typeof value === 'boolean' || typeof value === 'string'))
    return canonicalMountpoint(value, canonicalText('path', spec.path ?? ''));
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return canonicalText(key, value) ?? usual(key, type, spec.pve_storage);
  if (isList(value)) return canonicalList(value);
  const parts = Object.entries(value).map(([name, number]) => [name, Number(number)] as const);
  return key === 'prune_backups' ? canonicalPrune(parts) : canonicalList(parts.map((part) => part.join('=')));
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}

/** The properties of a section of storage.cfg, in the same form. Of a type that this program does not keep: only that. */
export function sectionValues(section: Section): State {
  const type = storageTypes.find((one) => one === section.type);
  if (type === undefined) return { type: section.type };
  const state: Record<string, Value> = { type };
  const { fixed, free } = keysOfType[type];
  for (const key of [...fixed, ...free]) {
    if (key === 'password') continue;
    const text = valueIn(section, proxmoxName(key));
    state[key] = text === undefined ? usual(key, type, section.id) : seen(key, text, section);
  }
  const old = valueIn(section, 'maxfiles');
  if (old !== undefined && state.prune_backups === null) state.prune_backups = `maxfiles=${old}`;
  return state;
}

function seen(key: StorageKey, text: string, section: Section): Value {
  if (booleans.includes(key)) return text === '1';
  if (numbers.includes(key)) return Number(text);
  if (lists.includes(key)) return canonicalList(text.split(/[,;\s]+/));
  if (key === 'prune_backups') return canonicalPrune(parts(text));
  if (maps.includes(key))
    return canonicalList(text.split(',').map((part) => (part.includes('=') ? part : `default=${part}`)));
  if (key === 'is_mountpoint')
    return canonicalMountpoint(text, canonicalText('path', valueIn(section, 'path') ?? ''));
  return canonicalText(key, text);
}

function parts(text: string): (readonly [string, number])[] {
  return text.split(',').map((part) => {
    const [name = '', number] = part.split('=');
    return [name, Number(number)] as const;
  });
}
