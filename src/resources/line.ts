import { type Change, defineType, type Step } from '../model/resource.ts';
import { eachPath } from '../shell/paths.ts';
import { at, blob, lines, sh } from '../shell/sh.ts';
import { editProgram, observeProgram } from './line-awk.ts';
import { foreignPermissions, refuseClusterPath } from './ownership.ts';
import { pathSchema, stateWord } from './properties.ts';

export interface LineSpec {
  readonly line: string;
  readonly key: string;
  readonly value?: string;
  readonly separator?: string;
  readonly comment?: string;
  readonly create?: boolean;
  readonly state?: 'present' | 'absent';
}

const plainText = '[^\\x00-\\x1f\\x7f]';
const solid = '[^\\x00-\\x20\\x7f]';

/** One key of a file of lines that others own too. */
export const line = defineType<LineSpec>({
  name: 'line',
  about:
    'One key of a file made of lines, or one whole line; all other bytes of the file are kept. Several lines with the key become one.',
  example: 'line: /etc/default/nfs-kernel-server\nkey: RPCNFSDCOUNT\nvalue: "16"\n',
  schema: {
    type: 'object',
    required: ['line', 'key'],
    additionalProperties: false,
    properties: {
      line: { ...pathSchema, description: 'The file; it must exist, see `create`.' },
      key: {
        type: 'string',
        pattern: `^${plainText}+$`,
        description: 'The key; without `value` and `separator`, the whole line.',
      },
      value: {
        type: 'string',
        pattern: `^$|^${solid}(${plainText}*${solid})?$`,
        description: 'No line breaks, no blanks at the ends. Numbers in quotes.',
      },
      separator: {
        type: 'string',
        pattern: '^[ \\t]+$|^[ \\t]*[=:,]{1,2}[ \\t]*$',
        description:
          'Between key and value (default "="); blanks around it do not count when the file is read.',
      },
      comment: {
        type: 'string',
        pattern: '^[^\\x00-\\x20\\x7f]{1,2}$',
        description: 'What starts a comment behind a value, if the format has that; such comments are kept.',
      },
      create: {
        type: 'boolean',
        description: 'Make the file (0644 root:root) when it is missing (default false).',
      },
      state: { ...stateWord, description: '`absent` removes every line with the key (default present).' },
    },
    if: { anyOf: [{ required: ['value'] }, { required: ['separator'] }] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { key: { pattern: `^${solid}(${plainText}*${solid})?$` } } },
  },
  identity: (spec) => `${spec.line}#${spec.key}`,
  provides: (spec) => [`part:${spec.line}#${spec.key}`],
  needs: (spec) => (spec.state === 'absent' ? [] : [`path:${spec.line}`]),
  follows: (spec) => (spec.state === 'absent' ? [] : [`path:${spec.line}`]),
  want: (spec) => {
    if (spec.state === 'absent') return null;
    return isWhole(spec) ? { type: 'line' } : { value: spec.value ?? '', lines: 1 };
  },
  observe: (specs) => {
    const rows = specs.map((spec) =>
      ['spec', spec.line, spec.key, core(spec), spec.comment ?? '', spec.create ? 'create' : ''].join('\t'),
    );
    return eachPath([...new Set(specs.map((spec) => spec.line))], observeBody(rows));
  },
  read: (facts, spec) => {
    const reason = facts.get('unknown');
    if (reason !== undefined) return { unknown: reason };
    const kind = facts.get('file');
    if (kind === 'absent') return { have: spec.state === 'absent' ? null : { type: 'no file' } };
    if (kind !== undefined) return { have: { type: kind } };
    const count = facts.get('lines');
    if (count === undefined) return { unknown: 'the host said nothing about it' };
    if (count === '0') return { have: null };
    return {
      have: isWhole(spec) ? { type: 'line' } : { value: facts.get('value') ?? '', lines: Number(count) },
    };
  },
  after: (have) => (have?.type === 'no file' ? null : have),
  refuse: ({ spec, have, context }) => {
    const cluster = refuseClusterPath(spec.line, context);
    if (cluster !== null) return cluster;
    // An edited file is a new one that is given mode and owner of the old.
    const foreign = context.platform === 'synology' ? foreignPermissions(spec.line, {}, context) : null;
    if (foreign !== null)
      return `${spec.line} is not edited: its mode and owner would be set, and ${foreign.replace(/;.*/, '')}; give the whole file`;
    if (spec.comment !== undefined && `${spec.value ?? ''} `.includes(spec.comment))
      return `the value holds ${JSON.stringify(spec.comment)}, which starts a comment in ${spec.line}`;
    if (have === null || have.type === undefined || have.type === 'line') return null;
    if (have.type === 'no file')
      return spec.create ? null : `${spec.line} does not exist; say \`create: true\` if it is to be made`;
    if (have.type === 'link')
      return `${spec.line} is a symbolic link, which would be replaced by a file; name the file it leads to`;
    return `${spec.line} is a ${have.type}, not a file`;
  },
  steps: (change) => edit([change]),
  // Lines of one file that stand next to each other in a plan are written at once.
  together: { key: (spec) => spec.line, steps: edit },
});

function isWhole(spec: LineSpec): boolean {
  return spec.value === undefined && spec.separator === undefined;
}

/** What the awk programs call the separator: its visible part, `blank`, or `whole` for a line without a value. */
function core(spec: LineSpec): string {
  if (isWhole(spec)) return 'whole';
  return (spec.separator ?? '=').trim() || 'blank';
}

function observeBody(rows: readonly string[]): string {
  return sh`{
  why_missing "$@"
  for p do
    kind=
    if [ -L "$p" ]; then kind=link
    elif [ -f "$p" ]; then kind=file
    elif [ -d "$p" ]; then kind=directory
    elif [ -e "$p" ]; then kind='special file'
    fi
    [ -z "$kind" ] || printf 'kind\t%s\t%s\n' "\${p#.}" "$kind"
  done
  printf '%s\n' ${rows}
} | awk -F'\t' ${observeProgram}`.text;
}

/** One edit of one file, for any number of its keys. */
function edit(changes: readonly Change<LineSpec>[]): Step[] {
  const [first] = changes;
  if (first === undefined) return [];
  const { spec } = first;
  const names = changes.map((change) => `${change.want === null ? 'remove' : 'set'} ${change.spec.key}`);
  const create = changes.some((change) => change.spec.create);
  const missing = create
    ? sh`create=1`
    : sh`say ${`${spec.line} does not exist; say create: true if it is to be made`}; exit 1`;
  // The new texts go by file, not by argument or environment: they may be secret.
  const rows = changes.map((change) => {
    const text = change.want === null ? null : blob(lineOf(change.spec));
    return {
      text,
      row: [change.spec.key, core(change.spec), change.spec.comment ?? '', text?.hash ?? ''].join('\t'),
    };
  });
  const run = lines([
    sh`file=${at(spec.line)} mode=0644 owner=root:root size=0 create=
old=$file
if [ -e "$file" ]; then
  set -- $(stat -c '%a %U:%G %u:%g %s' -- "$file")
  mode=$1 owner=$2 size=$4
  case $owner in *UNKNOWN*) owner=$3 ;; esac
  old_of "$file" || { say "it could not be read as the owner of its directory"; exit 1; }
else
  ${missing}
fi`,
    sh`FILE=$old SIZE=$size CREATE=$create TABLE=${rows.map(({ row }) => row).join('\n')} awk ${editProgram} >"$STAGE/line.$CHANGE"`,
    sh`put "$STAGE/line.$CHANGE" "$file" "$mode" "$owner"`,
  ]);
  const blobs = rows.flatMap(({ text }) => (text === null ? [] : [text]));
  return [{ about: `${names.join(', ')} in ${spec.line}`, run: { text: run.text, blobs } }];
}

function lineOf(spec: LineSpec): string {
  return isWhole(spec) ? spec.key : `${spec.key}${spec.separator ?? '='}${spec.value ?? ''}`;
}
