import type { SpecMistake } from '../model/resource.ts';
import { keysOfType, type StorageSpec, type StorageType, type TypeKeys } from './pve-storage-spec.ts';

/** The words of a list in a sentence: "a, b and c". */
const spoken = (words: readonly string[]) => words.join(', ').replace(/, ([^,]*)$/, ' and $1');

/** What fits the schema and is still not what it looks like. */
export function storageMistakes(spec: StorageSpec): SpecMistake[] {
  if (spec.pve_storage === 'local' && spec.state === 'absent')
    return [
      {
        at: ['state'],
        says: 'cannot be absent: Proxmox puts its own definition in the place of a missing "local"',
      },
    ];
  if (spec.state === 'absent' || spec.type === undefined) return [];
  const { type } = spec;
  const known = keysOfType[type];
  const found: SpecMistake[] = [];
  for (const key of known.required)
    if (spec[key] === undefined)
      found.push({
        at: ['type'],
        says: `is ${type}, which requires "${key}", and there is none`,
        hint: `Proxmox reads such a storage as nothing, and every later change of storage.cfg fails; add "${key}: ..."`,
      });
  for (const key of Object.keys(spec) as (keyof StorageSpec)[]) {
    if (key === 'pve_storage' || key === 'type' || key === 'state') continue;
    if (![...known.fixed, ...known.free].includes(key))
      found.push({
        at: [key],
        says: `is no key of the type ${type}`,
        hint: `it has ${spoken([...known.fixed, ...known.free])}`,
      });
  }
  found.push(...contentMistakes(spec.content ?? [], type, known), ...pruneMistakes(spec.prune_backups ?? {}));
  if (spec.pve_storage === 'local') found.push(...localMistakes(spec));
  return found;
}

function contentMistakes(content: readonly string[], type: StorageType, known: TypeKeys): SpecMistake[] {
  const wrong = content.flatMap((word, index) =>
    known.content.includes(word)
      ? []
      : [
          {
            at: ['content', String(index)],
            says: `is ${word}, which a storage of type ${type} cannot hold`,
            hint: `allowed: ${spoken(known.content)}. Proxmox would drop the whole list and take ${spoken(known.usual)}`,
          },
        ],
  );
  if (content.length > 1 && content.includes('none'))
    wrong.push({
      at: ['content'],
      says: 'has "none" beside others',
      hint: 'write none alone, or leave it out',
    });
  return wrong;
}

function pruneMistakes(prune: Readonly<Record<string, number | boolean>>): SpecMistake[] {
  const names = Object.keys(prune);
  if (names.length === 0) return [];
  if (names.includes('keep-all') && names.length > 1)
    return [
      {
        at: ['prune_backups', 'keep-all'],
        says: 'stands beside other keep-* values',
        hint: 'Proxmox refuses the whole line then, and keeps everything; write the one or the others',
      },
    ];
  if (!names.includes('keep-all') && names.every((name) => prune[name] === 0))
    return [
      {
        at: ['prune_backups'],
        says: 'has zeros only, which Proxmox reads as "keep everything"',
        hint: 'write {keep-all: true} if that is meant',
      },
    ];
  return [];
}

/** The storage `local` is the same on all nodes, whatever the file says. */
function localMistakes({ type, path, nodes }: StorageSpec): SpecMistake[] {
  const hint = 'Proxmox puts its own definition in the place of such a "local"; take another id';
  const found: SpecMistake[] = [];
  if (type !== 'dir') found.push({ at: ['type'], says: `is ${type}, and "local" is always a dir`, hint });
  else if (path !== '/var/lib/vz')
    found.push({ at: ['path'], says: 'is not /var/lib/vz, where "local" always is', hint });
  if (nodes !== undefined)
    found.push({ at: ['nodes'], says: 'has no effect: "local" is on every node', hint: 'leave it out' });
  return found;
}
