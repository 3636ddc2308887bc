import { type Change, defineType, type Facts, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { call, change, type Entry, entries, midcltLimit, query, valueIn } from './midclt.ts';
import {
  flavourSet,
  hostSet,
  mappings,
  networkSet,
  shareMistakes,
  type TruenasShareSpec,
  truenasShareSchema,
  wantedShare,
} from './truenas-share-spec.ts';

/** A directory that TrueNAS exports over NFS. Its middleware owns /etc/exports; a file in /etc/exports.d would keep NFS from starting. */
export const truenasShare = defineType<TruenasShareSpec>({
  name: 'truenas_share',
  about:
    'A directory that TrueNAS exports over NFS: who may mount it and whom their users are mapped to. Kept in the configuration of TrueNAS through its middleware. Hosts and networks are compared as sets. Removing a share removes no data.',
  example: `truenas_share: /mnt/tank/backup
hosts: [10.10.0.30]
maproot_user: root
maproot_group: root
`,
  schema: truenasShareSchema,
  needsLive: true,
  tools: ['midclt'],
  limit: () => midcltLimit + 7,
  stepLimit: 120,
  mistakes: shareMistakes,
  identity: (spec) => spec.truenas_share,
  provides: (spec) => [`export:${spec.truenas_share}`],
  needs: (spec) => [`path:${spec.truenas_share}`, `dataset:${spec.truenas_share.replace(/^\/mnt\//, '')}`],
  want: wantedShare,
  observe,
  read,
  refuse,
  steps,
});

/** `paths` is a list before 22.12, `path` a text since. `dataset` and `relative_path` follow from it, `aliases` means nothing. */
const keys = [
  'id',
  'path',
  'paths',
  'hosts',
  'networks',
  ...mappings,
  'ro',
  'security',
  'comment',
  'enabled',
  'locked',
];

/** Seconds for a look at one directory: below a suspended pool it would never come back. */
const pathLimit = 5;

function observe(specs: readonly TruenasShareSpec[]): Sh {
  const paths = [...new Set(specs.map((spec) => spec.truenas_share))];
  const asked = query({ method: 'sharing.nfs.query', args: [], by: ['path', 'paths'], keys }, paths);
  return sh`${asked}
for path in ${paths}; do
  pool=\${path#/mnt/}
  said=$(ask "mount /mnt/\${pool%%/*}" ${pathLimit} 'if [ -d "$1" ]; then echo yes; else echo no; fi' ".$path") || said='no answer'
  printf '%s\tdirectory\t%s\n' "$path" "$said"
done`;
}

function read(facts: Facts, { truenas_share: path }: TruenasShareSpec): Observed {
  const all = entries(facts);
  if (all === null) return { unknown: 'sharing.nfs.query was not answered' };
  const own = all.filter((entry) => pathsOf(entry).includes(path));
  const directory = facts.get('directory');
  const [first] = own;
  if (directory !== 'yes' && directory !== 'no')
    return { unknown: `${path} does not answer; its pool may be suspended` };
  if (first === undefined)
    return directory === 'no' ? { have: null, blocked: missing(path) } : { have: null };
  const have = shareState(first);
  if (have === null) return { unknown: 'sharing.nfs.query answered in a form that is not known' };
  const served = pathsOf(first);
  return {
    have: {
      ...have,
      directory: directory === 'yes',
      shares: own.length,
      ...(served.length > 1 ? { paths: served.join(' ') } : {}),
    },
  };
}

function missing(path: string): string {
  return `there is no directory ${path}; TrueNAS keeps such a share and leaves it out of its exports without a word`;
}

function pathsOf(entry: Entry): string[] {
  return [valueIn(entry, 'path'), valueIn(entry, 'paths')]
    .flat()
    .filter((path): path is string => typeof path === 'string');
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function shareState(entry: Entry): State | null {
  const id = valueIn(entry, 'id');
  const enabled = valueIn(entry, 'enabled');
  if (typeof id !== 'number' || typeof enabled !== 'boolean') return null;
  const state: Record<string, Value> = {
    id,
    hosts: hostSet(words(valueIn(entry, 'hosts'))),
    networks: networkSet(words(valueIn(entry, 'networks'))),
    ro: valueIn(entry, 'ro') === true,
    security: flavourSet(words(valueIn(entry, 'security'))),
    comment: String(valueIn(entry, 'comment') ?? ''),
    enabled,
    // Not told by every version: then it is not locked, or nothing could be said.
    locked: valueIn(entry, 'locked') === true,
  };
  for (const key of mappings) state[key] = String(valueIn(entry, key) ?? '');
  return state;
}

function refuse({ spec, have, context }: Change<TruenasShareSpec>): string | null {
  if (context.platform !== 'truenas') return `${context.host} is no TrueNAS; use export there`;
  if (typeof have?.shares === 'number' && have.shares > 1)
    return `${have.shares} shares have the path ${spec.truenas_share}; leave one of them, in the web interface`;
  if (have?.paths !== undefined)
    return `one share serves ${have.paths}; give each path a share of its own, in the web interface`;
  if (have?.directory === false && spec.state !== 'absent') return missing(spec.truenas_share);
  if (have?.locked === true && spec.state !== 'absent')
    return `the dataset of ${spec.truenas_share} is locked, so it is not exported; unlock it first`;
  return null;
}

function steps({ spec, have, want, differs }: Change<TruenasShareSpec>): Step[] {
  const path = spec.truenas_share;
  if (want === null)
    return [
      {
        about: `sharing.nfs.delete: stop exporting ${path} (the data stays)`,
        run: change('sharing.nfs.delete', [Number(have?.id)]),
      },
    ];
  if (have === null)
    return [{ about: `sharing.nfs.create: export ${path}`, run: create(path, payload(spec)) }];
  const all = payload(spec);
  const mapped = mappings.some((key) => differs.includes(key)) ? mappings : [];
  const changed = Object.keys(all).filter(
    (key) => differs.includes(key) || (mapped as readonly string[]).includes(key),
  );
  const part = Object.fromEntries(changed.map((key) => [key, all[key]]));
  return [
    {
      about: `sharing.nfs.update: ${changed.join(', ')} of ${path}`,
      run: change('sharing.nfs.update', [Number(have.id), part]),
    },
  ];
}

/** What TrueNAS is told: null where nobody is mapped, so that a mapping of before goes away. */
function payload(spec: TruenasShareSpec): Readonly<Record<string, unknown>> {
  return {
    hosts: spec.hosts ?? [],
    networks: spec.networks ?? [],
    ...Object.fromEntries(mappings.map((key) => [key, spec[key] ?? null])),
    ro: spec.ro ?? false,
    ...(spec.security === undefined
      ? {}
      : { security: spec.security.map((flavour) => flavour.toUpperCase()) }),
    ...(spec.comment === undefined ? {} : { comment: spec.comment }),
    enabled: spec.enabled ?? true,
  };
}

/** Whether it wants `path` or `paths` shows in its refusal of the wrong one. */
function create(path: string, rest: Readonly<Record<string, unknown>>): Sh {
  return sh`said=$(${call('sharing.nfs.create', [{ path, ...rest }])} 2>&1) && rc=0 || rc=$?
case $rc:$said in
  0:*) ;;
  *paths*) ${change('sharing.nfs.create', [{ paths: [path], ...rest }])} ;;
  *) say "$said"; exit 1 ;;
esac`;
}
