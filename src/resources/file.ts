import { defineType } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { at, blob, lines, sh, sha256 } from '../shell/sh.ts';
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

export interface FileSpec {
  readonly file: string;
  readonly content?: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly acl?: 'linux';
  readonly mounted?: string;
  readonly state?: 'present' | 'absent';
  readonly verify?: readonly string[];
  readonly refers_to?: readonly (string | null)[];
}

/** A file whose whole content is owned. Replaced by rename, so at every instant it is the complete old or the complete new one. */
export const file = defineType<FileSpec>({
  name: 'file',
  about:
    'A file with exactly this content, mode and owner. It is replaced in one step: at every instant the old or the new one.',
  example: 'file: /etc/vzdump.conf\ntemplate: vzdump/vzdump.conf.hbs\nmode: "0644"\n',
  schema: {
    type: 'object',
    required: ['file'],
    additionalProperties: false,
    properties: {
      file: { ...pathSchema, description: 'Absolute path on the host.' },
      content: {
        type: 'string',
        description:
          'The whole content, usually given as `template:`. Without it only mode and owner of a file that exists are kept.',
      },
      mode: { ...modeText, description: 'Permissions, in quotes (default "0644").' },
      owner: { ...ownerName, description: 'User name (default root).' },
      group: { ...groupName, description: 'Group name (default root).' },
      acl: aclSchema,
      mounted: mountedSchema,
      state: {
        ...stateWord,
        description: '`absent` removes the file; a copy is kept (default present).',
      },
      verify: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description:
          'Command that must succeed on the new bytes before they are put in place; `{file}` stands for their path.',
      },
      refers_to: {
        type: 'array',
        items: { ...pathSchema, type: ['string', 'null'] },
        description:
          'Paths that the content names: what makes them comes first, and while one of them is not there, this file is not written. null is left out.',
      },
    },
  },
  identity: (spec) => spec.file,
  provides: (spec) =>
    spec.state === 'absent' || spec.content === undefined
      ? [`path:${spec.file}`]
      : [`path:${spec.file}`, `content:${spec.file}`],
  // What is to go needs nobody: it would otherwise come after the removal of its own directory.
  needs: (spec) =>
    spec.state === 'absent'
      ? []
      : [
          `path:${parent(spec.file)}`,
          `user:${spec.owner ?? 'root'}`,
          `group:${spec.group ?? 'root'}`,
          ...named(spec).map((path) => `path:${path}`),
        ],
  follows: (spec) => (spec.mounted === undefined ? [] : [`mount:${spec.mounted}`]),
  want: (spec, context) =>
    spec.state === 'absent'
      ? null
      : {
          type: 'file',
          ...wantPermissions(spec.file, spec, context, '0644'),
          ...(spec.content === undefined ? {} : { sha256: sha256(spec.content) }),
          ...(spec.mounted === undefined ? {} : { mounted: true }),
        },
  observe: (specs) =>
    lines([
      observePaths(
        specs.map((spec) => ({ path: spec.file, mounted: spec.mounted })),
        'stat_paths "$@"\nhash_paths "$@"',
      ),
      ...specs.flatMap((spec) => named(spec).map((path) => lookFor(spec.file, path))),
    ]),
  read: (facts, spec) => {
    const seen = readStat(facts, spec);
    if ('unknown' in seen) return seen;
    const lacks = facts.all('lacks');
    const blocked = seen.blocked ?? (lacks.length === 0 ? undefined : lacking(lacks));
    const reason = blocked === undefined ? {} : { blocked };
    if (seen.have?.type !== 'file') return { ...seen, ...reason };
    const hash = facts.get('sha256');
    if (hash === undefined) return { unknown: 'it is there but could not be read' };
    return { have: { ...seen.have, sha256: hash }, ...reason };
  },
  after: afterMounting,
  refuse: ({ have, want, spec, context }) => {
    const cluster = refuseClusterPath(spec.file, context);
    if (cluster !== null) return cluster;
    const unmounted = refuseUnmounted(spec.file, spec.mounted, have);
    if (unmounted !== null) return unmounted;
    const permissions = want === null ? null : refusePermissions(spec.file, spec, context);
    if (permissions !== null) return permissions;
    if (want !== null && have === null && spec.content === undefined)
      return `${spec.file} does not exist, and there is no content to make it from`;
    if (have === null || have.type === 'file') return null;
    if (have.type === 'link')
      return `${spec.file} is a symbolic link, not a file; remove the link yourself if it is not needed`;
    return `${spec.file} is a ${have.type}; it is never removed to make room${want === null ? '' : ' for a file'}`;
  },
  steps: ({ spec, want, differs, context }) => {
    const mounted = stopUnlessMounted(spec.mounted);
    const path = at(spec.file);
    if (want === null)
      return [
        { about: `remove ${spec.file} (a copy is kept)`, run: lines([...mounted, sh`take_away ${path}`]) },
      ];
    if (foreignPermissions(spec.file, spec, context) !== null)
      return [{ about: `write ${spec.file}`, run: lines([...mounted, ...plainWrite(spec)]) }];
    const owner = setOwner(String(want.owner), String(want.group), context);
    const mode = String(want.mode);
    if (!differs.includes('sha256'))
      return [
        {
          about: `set mode and owner of ${spec.file}`,
          run: lines([...mounted, owner, setPermissions(spec.file, mode)]),
        },
      ];
    const conditions = [...mounted, ...named(spec).map(stopWithout)];
    // In a tree a name has the number that the tree gives it, which only `run` finds out.
    const plainOwner = context.live || (want.owner === 'root' && want.group === 'root');
    return [
      {
        about: `write ${spec.file}`,
        run: lines([...conditions, owner, sh`put ${blob(spec.content ?? '')} ${path} ${mode} "$owner"`]),
        ...(conditions.length === 0 && plainOwner
          ? { ahead: sh`ahead ${blob(spec.content ?? '')} ${path} ${mode} ${`${want.owner}:${want.group}`}` }
          : {}),
      },
    ];
  },
  text: (spec) =>
    spec.state === 'absent' || spec.content === undefined ? null : { path: spec.file, content: spec.content },
  validator: (spec) =>
    spec.verify && spec.content !== undefined ? { argv: spec.verify, content: spec.content } : null,
});

function named(spec: FileSpec): string[] {
  return spec.state === 'absent' ? [] : (spec.refers_to ?? []).filter((path) => path !== null);
}

/** Says when a path that the content names is not there. One on a network mount is not touched: it may hang. */
function lookFor(file: string, path: string): Sh {
  return sh`remote_path ${at(path)} || [ -e ${at(path)} ] || printf '%s\t%s\t%s\n' ${file} lacks ${path}`;
}

function lacking(paths: readonly string[]): string {
  return `its new content names ${paths.join(' and ')}, which ${paths.length === 1 ? 'is' : 'are'} not there, and no resource makes ${paths.length === 1 ? 'it' : 'them'}`;
}

/** The same once more right before writing, for what this run was to make. */
function stopWithout(path: string): Sh {
  return sh`[ -e ${at(path)} ] || { say ${lacking([path])}; exit 1; }`;
}

/** Where chmod and chown must not be called: a new file takes what its directory gives it. */
function plainWrite(spec: FileSpec): Sh[] {
  const path = at(spec.file);
  const temp = sh`${at(parent(spec.file) === '/' ? '' : parent(spec.file))}/.provision.$RUN.$CHANGE.new`;
  return [
    sh`inside ${at(parent(spec.file))}
temp=${temp}
printf '%s\n' "$temp" >>"$RUNDIR/temps"
keep ${path}
if (umask 022; set -C; cat ${blob(spec.content ?? '')} >"$temp") && sync "$temp" && mv -T -- "$temp" ${path}; then :; else
  rm -f -- "$temp"
  exit 1
fi`,
  ];
}
