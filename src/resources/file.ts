import { defineType, type Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { eachPath, hashPaths, statPaths } from '../shell/paths.ts';
import { at, blob, sh, sha256 } from '../shell/sh.ts';
import { fileKind, groupName, modeText, ownerName, pathSchema } from './properties.ts';

export interface FileSpec {
  readonly file: string;
  readonly content?: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly state?: 'present' | 'absent';
  readonly verify?: readonly string[];
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
      content: { type: 'string', description: 'The whole content. Usually given as `template:` instead.' },
      mode: { ...modeText, description: 'Permissions, in quotes (default "0644").' },
      owner: { ...ownerName, description: 'User name (default root).' },
      group: { ...groupName, description: 'Group name (default root).' },
      state: {
        enum: ['present', 'absent'],
        description: '`absent` removes the file; a copy is kept (default present).',
      },
      verify: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description:
          'Command that must succeed on the new bytes before they are put in place; `{file}` stands for their path.',
      },
    },
  },
  identity: (spec) => spec.file,
  provides: (spec) =>
    spec.state === 'absent' ? [`path:${spec.file}`] : [`path:${spec.file}`, `content:${spec.file}`],
  needs: (spec) => [
    `path:${parent(spec.file)}`,
    `user:${spec.owner ?? 'root'}`,
    `group:${spec.group ?? 'root'}`,
  ],
  want: (spec) =>
    spec.state === 'absent'
      ? null
      : {
          type: 'file',
          mode: spec.mode ?? '0644',
          owner: spec.owner ?? 'root',
          group: spec.group ?? 'root',
          sha256: sha256(spec.content ?? ''),
        },
  observe: (specs) =>
    eachPath(
      specs.map((spec) => spec.file),
      `(\n${statPaths}\n)\n${hashPaths}`,
    ),
  read: (facts) => readPath(facts),
  refuse: ({ have, want, spec }) => {
    if (have === null || have.type === 'file') return null;
    if (have.type === 'link')
      return `${spec.file} is a symbolic link, not a file; remove the link yourself if it is not needed`;
    return `${spec.file} is a ${have.type}; it is never removed to make room${want === null ? '' : ' for a file'}`;
  },
  steps: ({ spec, want, differs }) => {
    if (want === null)
      return [{ about: `remove ${spec.file} (a copy is kept)`, run: sh`take_away ${at(spec.file)}` }];
    const owner = `${want.owner}:${want.group}`;
    if (!differs.includes('sha256')) {
      return [
        {
          about: `set mode and owner of ${spec.file}`,
          run: sh`chown ${owner} ${at(spec.file)}\nchmod ${String(want.mode)} ${at(spec.file)}`,
        },
      ];
    }
    return [
      {
        about: `write ${spec.file}`,
        run: sh`put ${blob(spec.content ?? '')} ${at(spec.file)} ${String(want.mode)} ${owner}`,
      },
    ];
  },
  text: (spec) => (spec.state === 'absent' ? null : { path: spec.file, content: spec.content ?? '' }),
  validator: (spec) => (spec.verify ? { argv: spec.verify, content: spec.content ?? '' } : null),
});

/** "/etc/a/b" -> "/etc/a"; "/a" -> "/". */
function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Reads what `statPaths` and `hashPaths` printed. */
function readPath(facts: Facts): Observed {
  if (facts.get('absent') !== undefined) return { have: null };
  const stat = facts.get('stat');
  if (stat === undefined) return { unknown: 'the host said nothing about it' };
  const [kind = '', mode = '', owner = '', group = '', , uid = '', gid = ''] = stat.split('|');
  const have: State = {
    type: fileKind(kind),
    mode: mode.padStart(4, '0'),
    owner: owner === 'UNKNOWN' ? uid : owner,
    group: group === 'UNKNOWN' ? gid : group,
  };
  if (have.type !== 'file') return { have };
  const hash = facts.get('sha256');
  if (hash === undefined) return { unknown: 'it is there but could not be read' };
  return { have: { ...have, sha256: hash } };
}
