import { type Change, defineType, type SpecMistake } from '../model/resource.ts';
import { observeShares } from './synology-share-shell.ts';
import { named, read, type ShareSpec, sharePath, tiers } from './synology-share-state.ts';
import { steps } from './synology-share-steps.ts';

/** Names that DSM keeps for itself. */
const reserved = /^(global|homes?|printers|surveillance|usbbackup|usbshare\d*(-\d+)?|esatashare\d*(-\d+)?)$/i;
/** Shares that a package makes when it is installed, and expects as it made them. */
const fromPackages = /^(netbackup|photo|web|web_packages|music|video|chat|docker)$/i;

const people = {
  type: 'array',
  uniqueItems: true,
  maxItems: 100,
  items: { type: 'string', pattern: '^@?[A-Za-z0-9_][A-Za-z0-9_.-]*(@[A-Za-z0-9.-]+)?$', maxLength: 128 },
} as const;

/** A shared folder of a Synology: what everything else there hangs on. */
export const synologyShare = defineType<ShareSpec>({
  name: 'synology_share',
  about:
    'A shared folder of a Synology (DSM 7). It is made where it is missing, or taken back with its data where a share of an earlier installation lies; never moved, never removed. Its mode and owner are nobody’s business: access hangs on its ACL.',
  example: `synology_share: Backup
volume: /volume1
description: Third copy
rw: [provision, "@administrators"]
deny: [guest]
`,
  needsLive: true,
  tools: ['synowebapi', 'synoshare'],
  limit: () => 60,
  stepLimit: 600,
  schema: {
    type: 'object',
    required: ['synology_share', 'volume'],
    additionalProperties: false,
    properties: {
      synology_share: {
        type: 'string',
        pattern: '^[A-Za-z0-9_]([A-Za-z0-9 _.-]{0,30}[A-Za-z0-9_-])?$',
        description: 'Its name: `Backup` is /Backup over SFTP and /volume1/Backup in a shell.',
      },
      volume: {
        type: 'string',
        pattern: '^/volume[1-9][0-9]{0,2}$',
        description:
          'The volume it lies on: /volume1. A path as SFTP shows it names no volume and is refused.',
      },
      description: {
        type: 'string',
        pattern: '^[ !#-\\[\\]-~]{0,64}$',
        description: 'Shown beside it in DSM.',
      },
      browseable: { type: 'boolean', description: 'Listed for those who look around in the network.' },
      rw: {
        ...people,
        description: 'All who may read and write; `@` in front of a group. Left out: as it is.',
      },
      ro: { ...people, description: 'All who may read only. Left out: as it is.' },
      deny: {
        ...people,
        description: 'All who are shut out, which wins over the others. Left out: as it is.',
      },
    },
  },
  mistakes,
  identity: (spec) => spec.synology_share,
  provides: (spec) => [`share:${spec.synology_share.toLowerCase()}`, `path:${sharePath(spec)}`],
  want: (spec) => ({
    name: spec.synology_share,
    volume: spec.volume,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.browseable === undefined ? {} : { browseable: spec.browseable }),
    ...Object.fromEntries(
      tiers.flatMap(([key]) => {
        const names = spec[key];
        return names === undefined ? [] : [[key, [...names].sort().join(', ')]];
      }),
    ),
  }),
  observe: (specs) =>
    observeShares(
      specs.map((spec) => ({ name: spec.synology_share, volume: spec.volume, lists: named(spec) })),
    ),
  read,
  refuse,
  steps,
});

function mistakes(spec: ShareSpec): SpecMistake[] {
  const found: SpecMistake[] = [];
  if (reserved.test(spec.synology_share))
    found.push({
      at: ['synology_share'],
      says: `is "${spec.synology_share}", a name that DSM keeps for itself`,
    });
  const seen = new Map<string, string>();
  for (const [key] of tiers)
    for (const name of spec[key] ?? []) {
      const other = seen.get(name);
      if (other !== undefined)
        found.push({
          at: [key],
          says: `names ${name}, who is in ${other} as well: what counts would be up to DSM`,
        });
      seen.set(name, key);
    }
  return found;
}

function refuse({ spec, have, differs, context }: Change<ShareSpec>): string | null {
  if (context.platform !== 'synology') return 'only a Synology has shares of this kind';
  if (have === null)
    return fromPackages.test(spec.synology_share)
      ? `${spec.synology_share} is made by a package of DSM, in its own way: install the package, then apply`
      : null;
  if (differs.includes('name'))
    return `DSM has it as ${have.name}, and takes names that differ in case only for one: write it like that`;
  if (differs.includes('volume'))
    return `it lies on ${have.volume}; moving a share moves its data, which takes the interface of DSM`;
  if (have.locked === true && tiers.some(([key]) => differs.includes(key)))
    return `${spec.synology_share} is encrypted and locked: its ACL cannot be seen or set. Unlock it in DSM, then apply`;
  return null;
}
