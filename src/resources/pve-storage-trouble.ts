import { proxmoxName, storageFile, storageFormat } from './pve-storage-format.ts';
import type { StorageKey, StorageSpec } from './pve-storage-spec.ts';
import { type Complaint, type Section, type SectionFile, showComplaint, valueIn } from './section-config.ts';

/** Why no change of storage.cfg may be made, in the words of the first complaint that stands in the way. */
export function troubleIn(file: SectionFile, spec: StorageSpec, plugins: boolean): string | undefined {
  const broken = brokenIn(file, plugins);
  if (broken !== undefined) return broken;
  const unsaid = file.complaints.find((complaint) => isUnsaid(complaint, spec));
  return unsaid === undefined ? undefined : showComplaint(storageFile, unsaid);
}

/** The same for a change of whichever storage: it would fail, or the sections that are not in effect would be gone after it. */
export function brokenIn({ sections, complaints }: SectionFile, plugins: boolean): string | undefined {
  const writes = complaints.find(({ level }) => level === 'writes');
  if (writes !== undefined) return showComplaint(storageFile, writes);
  // What is not in effect is gone after the next write; a person may still want it.
  const lost =
    complaints.find(({ level, type }) => level === 'section' && !(plugins && type !== undefined)) ??
    displacedLocal(sections);
  return lost === undefined ? undefined : showComplaint(storageFile, lost);
}

/** A line of this storage with a value that does not count, of a key that the inventory says nothing of: what was meant is not known. */
function isUnsaid({ level, section, key }: Complaint, spec: StorageSpec): boolean {
  if (level !== 'key' || section !== spec.pve_storage || key === undefined || spec.state === 'absent')
    return false;
  const known = Object.values(storageFormat.types).some((type) => type.optional?.includes(key));
  const said = (Object.keys(spec) as StorageKey[]).some((one) => proxmoxName(one) === key);
  return known && !said && key !== 'disable' && key !== 'password';
}

export function ignoredIn({ complaints }: SectionFile, section: Section): string | undefined {
  const own = complaints.filter(({ section: id, level }) => id === section.id && level === 'key');
  const said = own.map((complaint) => showComplaint(storageFile, complaint));
  const old = section.keys.get('maxfiles')?.[0];
  if (old !== undefined)
    said.push(
      show(
        old.line,
        `maxfiles ${old.value}`,
        `Proxmox VE 9 ignores it and keeps everything, up to version 8 it means keep-last=${old.value}`,
      ),
    );
  const password = section.keys.get('password')?.[0];
  if (password !== undefined)
    said.push(
      show(password.line, 'password ...', 'is not used to log in, and every node of the cluster can read it'),
    );
  return said.length === 0 ? undefined : said.join('; ');
}

function show(line: number, found: string, means: string): string {
  return showComplaint(storageFile, { line, found, means, level: 'key' });
}

/** `local` is the directory /var/lib/vz on every node, whatever the file says. */
export function isLocal(section: Section | undefined): boolean {
  const path = valueIn(section, 'path');
  return section?.type === 'dir' && (path === undefined || path === '/var/lib/vz');
}

function displacedLocal(sections: readonly Section[]): Complaint | undefined {
  const local = sections.find((section) => section.id === 'local');
  if (local === undefined || isLocal(local)) return undefined;
  const means =
    '"local" is always the directory /var/lib/vz: Proxmox uses its own definition instead, and writes that at the next change of this file';
  return { line: local.line, found: `${local.type}: local`, means, level: 'section', section: 'local' };
}
