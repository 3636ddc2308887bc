import type { Change, Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { State } from '../model/state.ts';
import { at, blob, lines, sh } from '../shell/sh.ts';
import { noQuorum, stopUnlessWritable } from './pmxcfs.ts';
import { proxmoxName } from './pve-storage-format.ts';
import { keysOfType, type StorageKey, type StorageSpec } from './pve-storage-spec.ts';
import { wantedValues } from './pve-storage-values.ts';

/** Why a storage is left as it is. */
export function refuseStorage({ spec, have, want, differs }: Change<StorageSpec>): string | null {
  const id = spec.pve_storage;
  if (have?.trouble === noQuorum) return `${noQuorum}. Nothing was changed`;
  if (typeof have?.trouble === 'string')
    return `${have.trouble}. Nothing was changed: a change through Proxmox would fail now, or remove for good what it cannot read. Correct that first`;
  if (want === null)
    return have?.key === true
      ? `/etc/pve/priv/storage/${id}.enc is the key that backups on it are encrypted with; removing the storage would delete it, and nobody could read them again. Copy it to a safe place and run "pvesm remove ${id}" by hand`
      : null;
  if (have === null) return null;
  if (typeof have.left === 'string')
    return `in /etc/pve/priv/storage there is ${have.left}, and no storage ${id} in storage.cfg: "pvesm add" would delete that, and what was encrypted with a key that is lost nobody can read. Nothing was changed. Copy it to a safe place and add the storage by hand, with --encryption-key FILE for a key and --password for a password; a file that is not needed any more, remove`;
  const fixed: readonly string[] = spec.type === undefined ? [] : ['type', ...keysOfType[spec.type].fixed];
  const changed = fixed.filter((name) => differs.includes(name));
  // Of another type it has none of the keys that are wanted.
  const told = changed.includes('type') ? ['type'] : changed;
  if (told.length === 0) return null;
  const list = told.map((name) => `${name} (${have[name] ?? 'not set'}, wanted ${want[name] ?? 'not set'})`);
  const secrets =
    have.type === 'pbs' || have.type === 'cifs'
      ? `. Removing it deletes /etc/pve/priv/storage/${id}.pw and the encryption key ${id}.enc beside it, where there is one: copy that first`
      : '';
  return `Proxmox cannot change ${list.join(' and ')} of a storage. By hand: "pvesm remove ${id}", then apply again. What is stored there stays; guests and jobs that name ${id} find under that name what the new place holds${secrets}`;
}

export function changeStorage({ spec, have, want, differs }: Change<StorageSpec>): Step[] {
  const id = spec.pve_storage;
  if (want === null)
    return [
      {
        about: `pvesm remove ${id} (what is stored there stays)`,
        run: lines([stopUnlessWritable, sh`pvesm remove ${id}`]),
      },
    ];
  const withPassword = spec.password !== undefined && differs.includes('password');
  const words = have === null ? ['add', String(spec.type), id] : ['set', id];
  const flags = flagsOf(have === null ? begun(spec) : only(want, differs), spec);
  // Nothing is to be deleted from what does not exist yet.
  const away = have === null || flags.away.length === 0 ? [] : ['--delete', flags.away.join(',')];
  const argv = [...words, ...flags.set, ...away];
  const shown = `pvesm ${argv.join(' ')}${withPassword ? ' --password (on its standard input)' : ''}`;
  return [{ about: shown, run: lines([stopUnlessWritable, call(argv, spec, withPassword)]) }];
}

/**
 * The password goes in on standard input, where an argument would be seen by every process: `--password` without a value makes pvesm ask
 * for it, and without a terminal it takes a line. That is not documented, so the file that it writes is what counts.
 */
function call(argv: readonly string[], { pve_storage: id, password = '' }: StorageSpec, secret: boolean): Sh {
  if (!secret) return sh`pvesm ${argv}`;
  const staged = blob(`${password}\n`);
  const file = at(`/etc/pve/priv/storage/${id}.pw`);
  return sh`pvesm ${argv} --password <${staged}
[ "$(sed 's/^password=//' ${file})" = "$(cat ${staged})" ] || {
  say ${`pvesm did not take the password of ${id} from its standard input; it is not in /etc/pve/priv/storage/${id}.pw. Enter it by hand: "pvesm set ${id} --password", or in the web interface`}
  exit 1
}`;
}

/** A new storage is enabled unless it is said otherwise. */
function begun(spec: StorageSpec): State {
  const { disable, ...rest } = wantedValues(spec);
  return disable === true ? { ...rest, disable } : rest;
}

function only(state: State, names: readonly string[]): State {
  return Object.fromEntries(Object.entries(state).filter(([name]) => names.includes(name)));
}

/** Options of pvesm for these properties, and the keys to take away. */
function flagsOf(state: State, spec: StorageSpec): { readonly set: string[]; readonly away: string[] } {
  const set: string[] = [];
  const away: string[] = [];
  for (const [name, value] of Object.entries(state)) {
    if (name === 'type' || name === 'password') continue;
    const key = name as StorageKey;
    if (value === null) away.push(proxmoxName(key));
    else set.push(`--${proxmoxName(key)}`, written(key, value, spec));
  }
  return { set, away };
}

function written(key: StorageKey, value: string | number | boolean, spec: StorageSpec): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  // The value as the inventory has it, where ours is only good for comparing.
  const given = spec[key];
  return typeof given === 'string' && given !== '' ? given : String(value);
}
