import { defineType, type Facts } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { eachPath } from '../shell/paths.ts';
import { lines } from '../shell/sh.ts';
import { groupName, modeText, mountedSchema, ownerName, pathSchema, stateWord } from './properties.ts';
import { observePaths, readStat } from './stat.ts';

export interface PathSpec {
  readonly path: string;
  readonly kind?: string;
  readonly mode?: string;
  readonly owner?: string;
  readonly group?: string;
  readonly min_size?: number;
  readonly max_size?: number;
  readonly not_empty?: boolean;
  readonly mounted?: string;
  readonly state?: 'present' | 'absent';
}

const kinds = {
  file: 'file',
  directory: 'directory',
  link: 'link',
  pipe: 'fifo',
  socket: 'socket',
  block: 'block special file',
  character: 'character special file',
} as const;

/** What is at a path, for checks. A link is not followed. */
export const path = defineType<PathSpec>({
  name: 'path',
  about:
    'What is at a path: kind, mode, owner, size. For checks; a link is looked at itself, not what it leads to.',
  example: 'path: /var/lib/vz/vzdump-tmp\nkind: directory\nmode: "0755"\nowner: root\n',
  checkOnly: true,
  schema: {
    type: 'object',
    required: ['path'],
    additionalProperties: false,
    properties: {
      path: { ...pathSchema, description: 'Absolute path on the host.' },
      kind: { enum: Object.keys(kinds), description: 'What it must be (default: anything).' },
      mode: { ...modeText, description: 'Permissions, in quotes.' },
      owner: { ...ownerName, description: 'User name or number.' },
      group: { ...groupName, description: 'Group name or number.' },
      min_size: { type: 'integer', minimum: 0, description: 'Bytes at least.' },
      max_size: { type: 'integer', minimum: 0, description: 'Bytes at most.' },
      not_empty: {
        type: 'boolean',
        description: 'true: a file with bytes or a directory with entries; false: none.',
      },
      mounted: { ...mountedSchema, description: 'A mount point that must have something mounted now.' },
      state: { ...stateWord, description: '`absent`: there must be nothing (default present).' },
    },
  },
  identity: (spec) => spec.path,
  want: (spec) =>
    spec.state === 'absent'
      ? null
      : {
          ...(spec.kind === undefined ? { there: true } : { type: spec.kind }),
          ...pick(spec, ['mode', 'owner', 'group', 'min_size', 'max_size', 'not_empty']),
          ...(spec.mounted === undefined ? {} : { mounted: true }),
        },
  observe: (specs) => {
    const sized = specs.filter((spec) => spec.min_size !== undefined || spec.max_size !== undefined);
    const filled = specs.filter((spec) => spec.not_empty !== undefined);
    return lines([
      observePaths(
        specs.map((spec) => ({ path: spec.path, mounted: spec.mounted })),
        'stat_paths "$@"',
      ),
      ...(sized.length > 0 ? [eachPath(paths(sized), sizeBody)] : []),
      ...(filled.length > 0 ? [eachPath(paths(filled), filledBody)] : []),
    ]);
  },
  read: (facts, spec) => {
    const seen = readStat(facts, spec);
    if ('unknown' in seen || seen.have === null) return seen;
    if (seen.have.type === 'nothing') return { have: { there: false, type: 'nothing', mounted: false } };
    const measured = measure(facts, spec);
    if (measured === null) return { unknown: 'it is there but could not be read' };
    return { have: { ...seen.have, there: true, type: kindWord(String(seen.have.type)), ...measured } };
  },
  steps: () => [],
});

function paths(specs: readonly PathSpec[]): string[] {
  return [...new Set(specs.map((spec) => spec.path))];
}

/** A bound that holds shows as the bound itself, so that want and have are equal; otherwise the real size is shown. */
function measure(facts: Facts, spec: PathSpec): State | null {
  const found: Record<string, number | boolean> = {};
  const size = Number(facts.get('size') ?? Number.NaN);
  if (spec.min_size !== undefined) found.min_size = size >= spec.min_size ? spec.min_size : size;
  if (spec.max_size !== undefined) found.max_size = size <= spec.max_size ? spec.max_size : size;
  const filled = facts.get('filled');
  if (spec.not_empty !== undefined && filled !== undefined) found.not_empty = filled === 'yes';
  if (spec.not_empty !== undefined && filled === undefined) return null;
  return Object.values(found).some((value) => Number.isNaN(value)) ? null : found;
}

function kindWord(type: string): string {
  for (const [word, name] of Object.entries(kinds)) if (name === type) return word;
  return type;
}

function pick(spec: PathSpec, names: readonly (keyof PathSpec)[]): State {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = spec[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const sizeBody = String.raw`stat -c '%n	size	%s' -- "$@" 2>/dev/null | sed 's/^\.//'`;

const filledBody = String.raw`for p do
  filled=no
  if [ -L "$p" ]; then filled=yes
  elif [ -d "$p" ]; then
    entries=$(ls -A -- "$p") || continue
    [ -z "$entries" ] || filled=yes
  elif [ -s "$p" ]; then filled=yes
  fi
  printf '%s\tfilled\t%s\n' "${'${p#.}'}" "$filled"
done`;
