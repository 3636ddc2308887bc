import type { Symptom } from '../model/finding.ts';
import { type Change, defineType, type Facts, type SpecMistake, type Step } from '../model/resource.ts';
import type { Observed, Value } from '../model/state.ts';
import { change, entries, midcltLimit, property, query, valueIn } from './midclt.ts';
import { bytes } from './zfs-properties.ts';

export interface TruenasDatasetSpec {
  readonly truenas_dataset: string;
  readonly acltype?: string;
  readonly aclmode?: string;
  readonly compression?: string;
  readonly atime?: string;
  readonly recordsize?: string;
  readonly sync?: string;
  readonly snapdir?: string;
  readonly comments?: string;
}

/** Everything else of a dataset can hide data, lose it or take it away from its users. */
const words = ['acltype', 'aclmode', 'compression', 'atime', 'sync', 'snapdir'] as const;
const kept = [...words, 'recordsize', 'comments'] as const;

/** Properties of a dataset on TrueNAS, through its middleware: what `zfs set` does there, its database does not know. */
export const truenasDataset = defineType<TruenasDatasetSpec>({
  name: 'truenas_dataset',
  about:
    'Properties of a dataset that is there on TrueNAS, out of a list of harmless ones, through the middleware. How a chmod and ACLs get along (`aclmode`) can be changed; another kind of ACLs (`acltype`) would lose those that are there and is refused. Never created or destroyed.',
  example: `truenas_dataset: tank/backup
acltype: NFSV4
aclmode: PASSTHROUGH
compression: LZ4
`,
  needsLive: true,
  tools: ['midclt'],
  schema: {
    type: 'object',
    required: ['truenas_dataset'],
    additionalProperties: false,
    properties: {
      truenas_dataset: {
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$',
        maxLength: 200,
        description: 'Name of the dataset: `tank/backup`.',
      },
      acltype: { enum: ['NFSV4', 'POSIX', 'OFF'], description: 'Kind of ACLs. Compared, never changed.' },
      aclmode: {
        enum: ['PASSTHROUGH', 'RESTRICTED', 'DISCARD'],
        description:
          'What a chmod does to an ACL. RESTRICTED refuses it, which breaks vzdump and rsync. POSIX and OFF go with DISCARD only, NFSV4 with the other two.',
      },
      compression: {
        type: 'string',
        pattern: '^(ON|OFF|LZ4|ZLE|LZJB|GZIP(-[1-9])?|ZSTD(-(1?[1-9]|10))?)$',
        description: 'Of what is written from now on.',
      },
      atime: { enum: ['ON', 'OFF'], description: 'Whether reading a file changes its time of access.' },
      recordsize: {
        enum: ['4K', '8K', '16K', '32K', '64K', '128K', '256K', '512K', '1M'],
        description: 'Of files written from now on.',
      },
      sync: { enum: ['STANDARD', 'ALWAYS'], description: 'When a write is on the disks.' },
      snapdir: { enum: ['HIDDEN', 'VISIBLE'], description: 'Whether `.zfs` is listed.' },
      comments: {
        type: 'string',
        pattern: '^[^\\x00-\\x1f\\x7f]*$',
        maxLength: 1023,
        description: 'A remark.',
      },
    },
  },
  limit: () => midcltLimit + 2,
  stepLimit: 120,
  mistakes,
  identity: (spec) => spec.truenas_dataset,
  provides: (spec) => [`dataset:${spec.truenas_dataset}`],
  want: (spec) => ({
    ...Object.fromEntries(words.flatMap((key) => (spec[key] === undefined ? [] : [[key, spec[key]]]))),
    ...(spec.recordsize === undefined ? {} : { recordsize: bytes(spec.recordsize) }),
    ...(spec.comments === undefined ? {} : { comments: spec.comments }),
    locked: false,
  }),
  observe: (specs) => {
    const names = [...new Set(specs.map((spec) => spec.truenas_dataset))];
    const args = [JSON.stringify([['id', 'in', names]]), '{"extra": {"retrieve_children": false}}'];
    const keys = ['id', 'type', 'mountpoint', 'locked', ...kept];
    return query({ method: 'pool.dataset.query', args, by: ['id'], keys }, names);
  },
  read,
  refuse,
  steps: ({ spec, differs }) => steps(spec, differs),
  symptoms,
});

function read(facts: Facts, { truenas_dataset: name }: TruenasDatasetSpec): Observed {
  const all = entries(facts);
  if (all === null) return { unknown: 'pool.dataset.query was not answered' };
  const own = all.find((entry) => valueIn(entry, 'id') === name);
  if (own === undefined)
    return { have: null, blocked: `there is no dataset ${name}; datasets are made by hand, never by apply` };
  const have: Record<string, Value> = {
    type: String(valueIn(own, 'type') ?? ''),
    mountpoint: mountpoint(valueIn(own, 'mountpoint')),
    locked: valueIn(own, 'locked') === true,
  };
  for (const key of words) {
    const found = property(own, key);
    if (found !== undefined) have[key] = word(key, found);
  }
  const size = property(own, 'recordsize');
  if (size !== undefined) have.recordsize = bytes(size.raw);
  have.comments = property(own, 'comments')?.raw ?? '';
  return { have };
}

/** A text, or in some versions an object like the properties. */
function mountpoint(value: unknown): string {
  if (typeof value === 'string') return value;
  const found = typeof value === 'object' && value !== null ? (value as { rawvalue?: unknown }).rawvalue : '';
  return typeof found === 'string' ? found : '';
}

/** ZFS calls it posixacl on FreeBSD, posix on Linux, the API POSIX; some versions have the word of ZFS in `value`. */
function word(key: string, { value, raw }: { value: string; raw: string }): string {
  const found = (value === '' ? raw : value).toUpperCase();
  if (key !== 'acltype') return found;
  if (found.startsWith('POSIX')) return 'POSIX';
  return found === 'NOACL' ? 'OFF' : found;
}

function mistakes(spec: TruenasDatasetSpec): SpecMistake[] {
  const reason = clash(spec.acltype, spec.aclmode);
  return reason === null ? [] : [{ at: ['aclmode'], says: reason }];
}

function clash(acltype: unknown, aclmode: unknown): string | null {
  if ((acltype === 'POSIX' || acltype === 'OFF') && aclmode !== undefined && aclmode !== 'DISCARD')
    return `is ${aclmode}, but acltype ${acltype} goes with DISCARD only`;
  if (acltype === 'NFSV4' && aclmode === 'DISCARD')
    return 'is DISCARD, which acltype NFSV4 does not allow; PASSTHROUGH lets a chmod through';
  return null;
}

function refuse({ spec, have, differs, context }: Change<TruenasDatasetSpec>): string | null {
  if (context.platform !== 'truenas') return `${context.host} is no TrueNAS; use zfs_dataset there`;
  if (have === null) return null;
  const name = spec.truenas_dataset;
  if (have.locked === true)
    return `${name} is locked: nobody can read it until it is unlocked, with its key, by hand`;
  if (have.type !== 'FILESYSTEM')
    return `${name} is a ${String(have.type).toLowerCase() || 'thing of unknown kind'}, not a file system`;
  if (differs.includes('acltype'))
    return `acltype ${have.acltype} -> ${spec.acltype} would lose the ACLs of every file in ${name}; "provision run nfs/repair-permissions" takes them away on purpose and shows first what it does`;
  const reason = clash(have.acltype, spec.aclmode);
  return differs.includes('aclmode') && reason !== null ? `aclmode of ${name} ${reason}` : null;
}

function steps(spec: TruenasDatasetSpec, differs: readonly string[]): Step[] {
  const part = Object.fromEntries(kept.flatMap((key) => (differs.includes(key) ? [[key, spec[key]]] : [])));
  const name = spec.truenas_dataset;
  const about = `pool.dataset.update: ${Object.entries(part)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')} of ${name}`;
  return [{ about, run: change('pool.dataset.update', [name, part]) }];
}

/** With RESTRICTED every chmod of a file that has an ACL fails, so rsync and vzdump that write here over NFS fail as well. */
function symptoms(observed: Observed): Symptom[] {
  if ('unknown' in observed || observed.have === null) return [];
  const { acltype, aclmode, mountpoint: path } = observed.have;
  if (acltype !== 'NFSV4' || aclmode !== 'RESTRICTED' || !path) return [];
  const says = `aclmode of ${path} is RESTRICTED: a chmod of anything with an ACL fails with "Operation not permitted"`;
  return [{ code: 'acl-restricted', of: `export:${path}`, says, data: { acltype: 'NFSV4' } }];
}
