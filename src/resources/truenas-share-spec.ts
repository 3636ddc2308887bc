import type { SpecMistake } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { poolPathPattern } from './midclt.ts';
import { stateWord } from './properties.ts';
import { canonicalNetwork, isWorld, networkMistake, overlapping } from './truenas-network.ts';

export interface TruenasShareSpec {
  readonly truenas_share: string;
  readonly hosts?: readonly string[];
  readonly networks?: readonly string[];
  readonly maproot_user?: string;
  readonly maproot_group?: string;
  readonly mapall_user?: string;
  readonly mapall_group?: string;
  readonly ro?: boolean;
  readonly security?: readonly string[];
  readonly comment?: string;
  readonly enabled?: boolean;
  readonly state?: 'present' | 'absent';
}

const account = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_.\\\\ -]{0,63}\\$?$' } as const;

export const truenasShareSchema = {
  type: 'object',
  required: ['truenas_share'],
  additionalProperties: false,
  properties: {
    truenas_share: {
      type: 'string',
      pattern: poolPathPattern,
      maxLength: 1023,
      description: 'Path of the exported directory, in a dataset of a pool: `/mnt/tank/backup`.',
    },
    hosts: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', pattern: '^[@A-Za-z0-9*?][A-Za-z0-9.*?:_-]*$', maxLength: 253 },
      description: 'All hosts that may mount it, by address, name, wildcard or @netgroup.',
    },
    networks: {
      type: 'array',
      uniqueItems: true,
      items: { type: 'string', pattern: '^[0-9A-Fa-f:.]+/[0-9]{1,3}$', maxLength: 43 },
      description: 'All networks that may mount it: 10.10.0.0/24. They must not overlap.',
    },
    maproot_user: { ...account, description: 'Whom root of a client is. For root, give the group too.' },
    maproot_group: {
      ...account,
      description: 'Group of root of a client. Only root with root is written as no_root_squash.',
    },
    mapall_user: { ...account, description: 'Whom every user of a client is; not beside maproot.' },
    mapall_group: { ...account, description: 'Group of every user of a client.' },
    ro: { type: 'boolean', description: 'Clients may only read (default false).' },
    security: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: { enum: ['SYS', 'KRB5', 'KRB5I', 'KRB5P', 'sys', 'krb5', 'krb5i', 'krb5p'] },
      description: 'Security flavours. Without it that of the NFS service, which is not compared.',
    },
    comment: { type: 'string', pattern: '^[^\\x00-\\x1f\\x7f]*$', maxLength: 1023, description: 'A remark.' },
    enabled: { type: 'boolean', description: 'Exported at all (default true).' },
    state: {
      ...stateWord,
      description: '`absent` takes the share out of the configuration; the data stays (default present).',
    },
  },
} as const;

export const mappings = ['maproot_user', 'maproot_group', 'mapall_user', 'mapall_group'] as const;

/** Lists as sets, flavours in one case, who is mapped to whom always: a share that is ours has no mapping that nobody wrote down. */
export function wantedShare(spec: TruenasShareSpec): State | null {
  if (spec.state === 'absent') return null;
  return {
    hosts: hostSet(spec.hosts ?? []),
    networks: networkSet(spec.networks ?? []),
    ...Object.fromEntries(mappings.map((key) => [key, spec[key] ?? ''])),
    ro: spec.ro ?? false,
    ...(spec.security === undefined ? {} : { security: flavourSet(spec.security) }),
    ...(spec.comment === undefined ? {} : { comment: spec.comment }),
    enabled: spec.enabled ?? true,
    locked: false,
    directory: true,
    shares: 1,
  };
}

function sorted(words: readonly string[]): string {
  return [...new Set(words)].sort().join(' ');
}

export function hostSet(hosts: readonly string[]): string {
  return sorted(hosts.map((host) => host.toLowerCase()));
}

export function networkSet(networks: readonly string[]): string {
  return sorted(networks.map(canonicalNetwork));
}

export function flavourSet(flavours: readonly string[]): string {
  return sorted(flavours.map((flavour) => flavour.toUpperCase()));
}

/** What TrueNAS would refuse, or take and not mean. */
export function shareMistakes(spec: TruenasShareSpec): SpecMistake[] {
  if (spec.state === 'absent') return [];
  const { hosts = [], networks = [] } = spec;
  const found: SpecMistake[] = networks.flatMap((network, index) => {
    const says = networkMistake(network);
    return says === null ? [] : [{ at: ['networks', String(index)], says }];
  });
  const pair = overlapping(networks);
  if (pair !== null) found.push({ at: ['networks'], says: `holds ${pair[0]} and ${pair[1]}, which overlap` });
  if (new Set(hosts.map((host) => host.toLowerCase())).size < hosts.length)
    found.push({ at: ['hosts'], says: 'names one host twice' });
  return [...found, ...mappingMistakes(spec), ...openMistakes(spec)];
}

function mappingMistakes(spec: TruenasShareSpec): SpecMistake[] {
  const found: SpecMistake[] = [];
  for (const kind of ['maproot', 'mapall'] as const) {
    const [user, group] = [spec[`${kind}_user`], spec[`${kind}_group`]];
    if (user === undefined && group !== undefined)
      found.push({ at: [`${kind}_group`], says: `needs ${kind}_user beside it` });
    if (user === 'root' && group === undefined)
      found.push({
        at: [`${kind}_user`],
        says: `is root without ${kind}_group: files would get the group nogroup, and root is squashed all the same`,
        hint: `add "${kind}_group: root" (wheel on TrueNAS CORE)`,
      });
  }
  if (spec.maproot_user !== undefined && spec.mapall_user !== undefined)
    found.push({ at: ['mapall_user'], says: 'cannot stand beside maproot_user: TrueNAS takes one of them' });
  return found;
}

/** Both lists empty mean everybody to TrueNAS. */
function openMistakes(spec: TruenasShareSpec): SpecMistake[] {
  const { hosts = [], networks = [] } = spec;
  if (hosts.length + networks.length === 0)
    return [
      {
        at: [],
        says: 'names no hosts and no networks, which is everybody to TrueNAS',
        hint: 'list the hosts or networks that may mount it',
      },
    ];
  const world = hosts.includes('*') || networks.some(isWorld);
  if (!world || (spec.mapall_user !== 'root' && spec.maproot_user !== 'root')) return [];
  const key = spec.mapall_user === 'root' ? 'mapall_user' : 'maproot_user';
  return [
    { at: [key], says: 'is root and the share is open to everybody: any machine would own every file in it' },
  ];
}
