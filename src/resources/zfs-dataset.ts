import type { Change, Facts, Step } from '../model/resource.ts';
import { defineType } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import {
  bytes,
  canonicalProperty,
  fileSystemOnly,
  propertiesSchema,
  propertyNames,
} from './zfs-properties.ts';
import { poolStateFunction, zfsLimit } from './zpool-look.ts';

export interface ZfsDatasetSpec {
  readonly zfs_dataset: string;
  readonly properties: Readonly<Record<string, string>>;
}

/** Harmless properties of a dataset that is there. Datasets are never made, renamed, rolled back or destroyed. */
export const zfsDataset = defineType<ZfsDatasetSpec>({
  name: 'zfs_dataset',
  about:
    'Properties of a ZFS dataset or volume that is there, out of a list of harmless ones. It is never created, renamed, rolled back or destroyed, and nothing that hides or loses data can be set. On TrueNAS use `truenas_dataset`.',
  example: `zfs_dataset: rpool/data
properties: {compression: lz4, atime: "off"}
`,
  needsLive: true,
  tools: ['zfs'],
  schema: {
    type: 'object',
    required: ['zfs_dataset', 'properties'],
    additionalProperties: false,
    properties: {
      zfs_dataset: {
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9_.:-]*(/[A-Za-z0-9_.:-]+)*$',
        maxLength: 255,
        description: 'Name of the dataset: `rpool/data`. No snapshots.',
      },
      properties: {
        ...propertiesSchema,
        description: 'What they are to be, set here or inherited. Sizes as 128K, 1M, 500G.',
      },
    },
  },
  limit: () => zfsLimit + 2,
  stepLimit: 60,
  shared: ['used'],
  identity: (spec) => spec.zfs_dataset,
  provides: (spec) => Object.keys(spec.properties).map((name) => `part:${spec.zfs_dataset}#${name}`),
  want: (spec) =>
    Object.fromEntries(
      Object.entries(spec.properties).map(([name, value]) => [name, canonicalProperty(name, value)]),
    ),
  observe,
  read,
  refuse,
  steps,
});

/**
 * One question for all datasets, those of a suspended pool left out. What is not there goes to stderr and costs the exit code, the
 * others are printed all the same; when nothing is printed, the reason is told.
 */
function observe(specs: readonly ZfsDatasetSpec[]): Sh {
  const names = [...new Set(specs.map((spec) => spec.zfs_dataset))];
  const ask = sh`zfs get -Hp -o name,property,value ${['type', 'used', ...propertyNames].join(',')}`.text;
  return sh`${poolStateFunction}
asked=
for name in ${names}; do
  if [ "$(pool_state "\${name%%/*}")" = SUSPENDED ]; then
    printf '%s\tunknown\tits pool is suspended: the disks do not answer\n' "$name"
  else asked="$asked $name"
  fi
done
if [ -n "$asked" ]; then
  said=$(ask zfs ${zfsLimit} ${`exec ${ask} $1 2>&1`} "$asked") && rc=0 || rc=$?
  answer=
  [ "$rc" -ne 124 ] || answer=$(no_answer)
  printf '%s\n' "$said" | awk -v asked="$asked" -v answer="$answer" '
    BEGIN { FS = "\t"; n = split(asked, name, " ") }
    NF == 3 { print; seen[$1] = 1; next }
    {
      for (i = 1; i <= n; i++)
        if (index($0, "\\047" name[i] "\\047") && /does not exist/) { print name[i] "\tmissing\t" $0; seen[name[i]] = 1; next }
      if (trouble == "") trouble = $0
    }
    END {
      for (i = 1; i <= n; i++)
        if (!(name[i] in seen)) print name[i] "\tunknown\t" (answer != "" ? answer : trouble != "" ? trouble : "zfs said nothing")
    }'
fi`;
}

function read(facts: Facts, { zfs_dataset: name }: ZfsDatasetSpec): Observed {
  if (facts.get('missing') !== undefined)
    return { have: null, blocked: `there is no dataset ${name}; datasets are made by hand, never by apply` };
  const type = facts.get('type');
  if (type === undefined) return { unknown: 'zfs did not say what it is' };
  const have: Record<string, string> = { type, used: facts.get('used') ?? '' };
  for (const property of propertyNames) {
    const value = facts.get(property);
    if (value !== undefined) have[property] = canonicalProperty(property, value);
  }
  return { have };
}

function refuse({ spec, have, want, differs, context }: Change<ZfsDatasetSpec>): string | null {
  if (context.platform === 'truenas')
    return 'TrueNAS keeps properties in a database of its own, which zfs goes past; use truenas_dataset';
  if (have === null || want === null) return null;
  if (have.type !== 'filesystem') {
    const wrong = Object.keys(spec.properties).find((name) => fileSystemOnly.includes(name));
    if (have.type !== 'volume') return `${spec.zfs_dataset} is a ${have.type}`;
    if (wrong !== undefined) return `${spec.zfs_dataset} is a volume, which has no ${wrong}`;
  }
  return differs.map((name) => tooSmall(name, want, have)).find((reason) => reason !== null) ?? null;
}

/** With less room than it takes today every write would fail from now on. */
function tooSmall(name: string, want: State, have: State): string | null {
  if (name !== 'quota' && name !== 'refquota') return null;
  const [limit, used] = [bytes(String(want[name])), bytes(String(have.used))];
  if (limit === 0 || limit > used) return null;
  if (Number.isNaN(used)) return `how much is used is not known, so ${name} is left as it is`;
  return `${name} of ${want[name]} bytes is not above the ${have.used} bytes that are used`;
}

function steps({ spec, differs }: Change<ZfsDatasetSpec>): Step[] {
  const words = differs
    .filter((name) => spec.properties[name] !== undefined)
    .map((name) => `${name}=${canonicalProperty(name, spec.properties[name] ?? '')}`);
  return [{ about: `zfs set ${words.join(' ')}`, run: sh`zfs set ${words} ${spec.zfs_dataset}` }];
}
