import { defineType, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { eachPath } from '../shell/paths.ts';
import { at, lines, sh } from '../shell/sh.ts';
import {
  foreignPermissions,
  refuseClusterPath,
  refusePermissions,
  setOwner,
  setPermissions,
  wantPermissions,
} from './ownership.ts';
import {
  aclSchema,
  groupName,
  modeText,
  mountedSchema,
  ownerName,
  parent,
  pathSchema,
  stateWord,
} from './properties.ts';
import { afterMounting, observePaths, readStat, refuseUnmounted, stopUnlessMounted } from './stat.ts';

export interface DirectorySpec {
  readonly directory: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly acl?: 'linux';
  readonly mounted?: string;
  readonly state?: 'present' | 'absent';
}

/** One directory, not the ones above it. Removed only when it is empty. */
export const directory = defineType<DirectorySpec>({
  name: 'directory',
  about:
    'A directory with this mode and owner. Directories above it are not made unless they are resources too; what is in it is left alone.',
  example: 'directory: /var/lib/vz/vzdump-tmp\nmode: "0755"\n',
  schema: {
    type: 'object',
    required: ['directory'],
    additionalProperties: false,
    properties: {
      directory: { ...pathSchema, description: 'Absolute path on the host.' },
      mode: { ...modeText, description: 'Permissions, in quotes (default "0755").' },
      owner: { ...ownerName, description: 'User name (default root).' },
      group: { ...groupName, description: 'Group name (default root).' },
      acl: aclSchema,
      mounted: mountedSchema,
      state: {
        ...stateWord,
        description:
          '`absent` removes the directory when it is empty, and is refused otherwise (default present).',
      },
    },
  },
  identity: (spec) => spec.directory,
  provides: (spec) => [`path:${spec.directory}`],
  needs: (spec) =>
    spec.state === 'absent'
      ? []
      : [`path:${parent(spec.directory)}`, `user:${spec.owner ?? 'root'}`, `group:${spec.group ?? 'root'}`],
  follows: (spec) =>
    spec.mounted === undefined || spec.mounted === spec.directory ? [] : [`mount:${spec.mounted}`],
  want: (spec, context) =>
    spec.state === 'absent'
      ? null
      : {
          type: 'directory',
          ...wantPermissions(spec.directory, spec, context, '0755'),
          ...(spec.mounted === undefined ? {} : { mounted: true }),
        },
  observe: (specs) =>
    lines([
      observePaths(
        specs.map((spec) => ({ path: spec.directory, mounted: spec.mounted })),
        'stat_paths "$@"',
      ),
      ...emptiness(specs.filter((spec) => spec.state === 'absent').map((spec) => spec.directory)),
    ]),
  read: (facts, spec) => {
    const seen = readStat(facts, spec);
    if ('unknown' in seen || seen.have?.type !== 'directory') return seen;
    const empty = facts.get('empty');
    return { have: { ...seen.have, ...(empty === undefined ? {} : { empty: empty === 'yes' }) } };
  },
  after: afterMounting,
  refuse: ({ spec, have, want, context }) => {
    const cluster = refuseClusterPath(spec.directory, context);
    if (cluster !== null) return cluster;
    const unmounted = refuseUnmounted(spec.directory, spec.mounted, have);
    if (unmounted !== null) return unmounted;
    const permissions = want === null ? null : refusePermissions(spec.directory, spec, context);
    if (permissions !== null) return permissions;
    if (have === null) return null;
    if (have.type !== 'directory')
      return `${spec.directory} is a ${have.type === 'link' ? 'symbolic link' : have.type}, not a directory; it is never removed to make room`;
    if (want === null && have.empty === undefined) return `what is in ${spec.directory} could not be read`;
    if (want === null && have.empty === false)
      return `${spec.directory} is not empty; what is in it is not removed`;
    return null;
  },
  steps: ({ spec, have, want, context }) => {
    const mounted = stopUnlessMounted(spec.mounted);
    const path = at(spec.directory);
    const above = parent(spec.directory);
    if (want === null)
      return [
        step(`remove the empty directory ${spec.directory}`, [
          ...mounted,
          sh`inside ${at(above)}\nrmdir -- ${path}`,
        ]),
      ];
    const hasParent = sh`[ -d ${at(above)} ] || { say ${`the directory ${above} does not exist, and no resource makes it`}; exit 1; }
inside ${at(above)}`;
    if (foreignPermissions(spec.directory, spec, context) !== null)
      return [step(`make ${spec.directory}`, [...mounted, hasParent, sh`(umask 022; mkdir -- ${path})`])];
    const owner = setOwner(String(want.owner), String(want.group), context);
    const mode = String(want.mode);
    if (have === null)
      return [step(`make ${spec.directory}`, [...mounted, hasParent, owner, make(spec, mode)])];
    return [
      step(`set mode and owner of ${spec.directory}`, [
        ...mounted,
        owner,
        setPermissions(spec.directory, mode),
      ]),
    ];
  },
});

function step(about: string, parts: readonly Sh[]): Step {
  return { about, run: lines(parts) };
}

/** Only for those that are to go and are there: one process each. */
function emptiness(paths: readonly string[]): Sh[] {
  return paths.length === 0 ? [] : [eachPath(paths, emptyBody)];
}

const emptyBody = String.raw`for p do
  if [ ! -d "$p" ] || [ -L "$p" ]; then continue; fi
  entries=$(ls -A -- "$p") || continue
  empty=yes
  [ -z "$entries" ] || empty=no
  printf '%s\tempty\t%s\n' "${'${p#.}'}" "$empty"
done`;

/**
 * In a directory that others can write to, a name can be swapped for a link between mkdir and chown, which would give the
 * link's target away. There the directory is made by its own user, who can only harm himself.
 */
function make(spec: DirectorySpec, mode: string): Sh {
  const path = at(spec.directory);
  return sh`above ${path}
parent=$above
if [ -n "$ROOT" ] || trusted "$parent"; then
  mkdir -m ${mode} -- ${path}
  give "$owner" ${path}
else
  user=\${owner%%:*}
  if [ "$user" = root ] || [ "$(stat -L -c %U -- "$parent")" != "$user" ]; then
    say ${`others than root can write to ${parent(spec.directory)}: a directory made there could be redirected`}
    exit 1
  fi
  su -s /bin/sh "$user" -c 'mkdir -m "$2" -- "$1"' sh ${path} ${mode}
fi`;
}
