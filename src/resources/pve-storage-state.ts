import type { Symptom } from '../model/finding.ts';
import type { Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { sha256 } from '../shell/sh.ts';
import { noQuorum, notMounted } from './pmxcfs.ts';
import { storageFile, storageFormat } from './pve-storage-format.ts';
import type { StorageSpec } from './pve-storage-spec.ts';
import { ignoredIn, isLocal, troubleIn } from './pve-storage-trouble.ts';
import { sectionValues, wantedValues } from './pve-storage-values.ts';
import type { Section, SectionFile } from './section-config.ts';
import { parsePerlSections } from './section-config-perl.ts';

export function wantedStorage(spec: StorageSpec): State | null {
  if (spec.state === 'absent') return null;
  return { ...wantedValues(spec), ...(spec.password === undefined ? {} : { password: 'as wanted' }) };
}

/**
 * Beside the properties of the storage: `trouble` why nothing may be changed in storage.cfg, `ignored` lines of this storage that do not
 * count, `key` an encryption key lies on the host, `left` files of a storage that is not there. None of them is wanted, so none of them is a difference.
 */
export function readStorage(facts: Facts, spec: StorageSpec): Observed {
  const mounted = facts.get('mounted');
  if (mounted !== undefined) return { unknown: notMounted };
  const reason = facts.get('unknown');
  if (reason !== undefined) return { unknown: reason };
  const read = facts.get('read');
  if (read !== 'absent' && read !== 'storage.cfg')
    return { unknown: 'the host said nothing about storage.cfg' };
  const quorate = facts.get('quorate');
  if (quorate !== 'yes' && quorate !== 'no') return { unknown: '/etc/pve/.members could not be read' };
  const password = passwordOf(facts, spec);
  if (password === undefined)
    return { unknown: `/etc/pve/priv/storage/${spec.pve_storage}.pw could not be read` };

  const parsed = parsePerlSections(facts.all('file').join('\n'), storageFormat);
  const section = sectionOf(parsed, spec.pve_storage);
  const trouble = quorate === 'yes' ? troubleIn(parsed, spec, facts.get('plugins') === 'yes') : noQuorum;
  const troubled: State = trouble === undefined ? {} : { trouble };
  if (section === undefined) {
    const left = leftOver(spec, password, facts.get('key') === 'yes');
    if (spec.state === 'absent' || (trouble === undefined && left === undefined)) return { have: null };
    return { have: { type: 'none', ...(left === undefined ? {} : { left }), ...troubled } };
  }
  const ignored = ignoredIn(parsed, section);
  return {
    have: {
      ...sectionValues(section),
      ...(section.type === 'pbs' || section.type === 'cifs' ? { password } : {}),
      ...(facts.get('key') === 'yes' ? { key: true } : {}),
      ...(ignored === undefined ? {} : { ignored }),
      ...troubled,
    },
  };
}

/**
 * Files in /etc/pve/priv/storage that adding the storage would delete: without a key, or a password, `pvesm add` takes care that there
 * is none of an earlier storage of this id. After a host was made anew from copies they may be the only ones.
 */
function leftOver(spec: StorageSpec, password: string, key: boolean): string | undefined {
  const { pve_storage: id, type } = spec;
  const names = [
    ...(type === 'pbs' && key ? [`${id}.enc`] : []),
    ...((type === 'pbs' || type === 'cifs') && spec.password === undefined && password !== 'none'
      ? [`${id}.pw`]
      : []),
  ];
  return names.length === 0 ? undefined : names.join(' and ');
}

/** Undefined when there is a file that could not be read. For cifs the file is one for mount.cifs, with `password=` in front. */
function passwordOf(facts: Facts, spec: StorageSpec): string | undefined {
  const hash = facts.get('pw');
  if (hash === 'none') return 'none';
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  if (spec.password === undefined) return 'other';
  const forms = spec.type === 'cifs' ? [`password=${spec.password}`, spec.password] : [spec.password];
  return forms.some((form) => hash === sha256(`${form}\n`) || hash === sha256(form)) ? 'as wanted' : 'other';
}

/** Proxmox has its own definition of `local` wherever the file has none, or another one. */
function sectionOf({ sections }: SectionFile, id: string): Section | undefined {
  const section = sections.find((one) => one.id === id);
  if (id !== 'local') return section;
  const keys = new Map(section?.keys);
  if (section !== undefined && isLocal(section)) {
    keys.delete('nodes');
    keys.set('path', [{ value: '/var/lib/vz', line: section.line }]);
    return { ...section, keys };
  }
  const one = (value: string) => [{ value, line: 0 }];
  return {
    type: 'dir',
    id,
    line: section?.line ?? 0,
    keys: new Map([
      ['path', one('/var/lib/vz')],
      ['content', one('backup,images,iso,rootdir,snippets,vztmpl')],
      ['prune-backups', one('keep-all=1')],
    ]),
  };
}

/** A file that Proxmox understands otherwise than it looks, and a backup server that nobody can log in to. */
export function storageSymptoms(observed: Observed, spec: StorageSpec): Symptom[] {
  if (!('have' in observed) || observed.have === null) return [];
  const { trouble, ignored, type, password, disable } = observed.have;
  const file = `file:${storageFile}`;
  const found: Symptom[] = [];
  if (trouble === noQuorum) found.push({ code: 'no-quorum', of: 'quorum:/etc/pve', says: noQuorum });
  else if (typeof trouble === 'string') found.push({ code: 'section-config', of: file, says: trouble });
  if (typeof ignored === 'string' && ignored !== trouble)
    found.push({ code: 'section-config', of: file, says: ignored });
  if (type === 'pbs' && password === 'none' && disable !== true)
    found.push({
      code: 'no-password',
      of: `storage:${spec.pve_storage}`,
      says: `/etc/pve/priv/storage/${spec.pve_storage}.pw is missing: nobody can log in to the backup server`,
    });
  return found;
}
