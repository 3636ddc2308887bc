import { defineType } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { pathLimit } from '../shell/paths.ts';
import { quote } from '../shell/quote.ts';
import { atAll, lines, sh } from '../shell/sh.ts';
import { pathSchema } from './properties.ts';

export interface CommandSpec {
  readonly command: readonly string[];
  readonly expect?: {
    readonly exit?: number;
    readonly stdout?: string;
    readonly contains?: string;
    readonly matches?: string;
    readonly unknown?: number;
  };
  readonly limit?: number;
  readonly behind?: readonly string[];
}

/** Seconds, when a check names no limit. */
const defaultLimit = 10;
/** Bytes of output that are brought back. */
const shownBytes = 65536;
/** Characters of it that are told when the exit code is a wrong one. */
const toldLength = 2000;

/** A command that only looks, and what it must answer. */
export const command = defineType<CommandSpec>({
  name: 'command',
  about: 'A command that changes nothing, run without a shell, and what it must answer. For checks.',
  example: 'command: [exportfs, -s]\nexpect: {exit: 0, contains: /srv/backup}\nlimit: 5\n',
  checkOnly: true,
  needsLive: true,
  schema: {
    type: 'object',
    required: ['command'],
    additionalProperties: false,
    properties: {
      command: {
        type: 'array',
        items: { type: 'string', pattern: '^[^\\x00]*$' },
        minItems: 1,
        description: 'Program and arguments; no shell reads them.',
      },
      expect: {
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        description: 'All of these must hold (default: exit 0).',
        properties: {
          exit: { type: 'integer', minimum: 0, maximum: 255, description: 'Exit code (default 0).' },
          stdout: { type: 'string', description: 'The whole output, without line breaks at its end.' },
          contains: { type: 'string', minLength: 1, description: 'Text that the output holds.' },
          matches: {
            type: 'string',
            minLength: 1,
            description:
              'JavaScript regular expression that the output matches; ^ and $ stand for line ends too.',
          },
          unknown: {
            type: 'integer',
            minimum: 1,
            maximum: 255,
            description: 'Exit code by which the command says that it could not look.',
          },
        },
      },
      limit: { type: 'integer', minimum: 1, maximum: 3600, description: 'Seconds (default 10).' },
      behind: {
        type: 'array',
        items: pathSchema,
        description:
          'Paths that it needs. While the network mount of one hangs it is not run, and unknown: otherwise it would wait out its own limit, once more.',
      },
    },
  },
  identity: (spec) => shown(spec.command),
  limit: (spec) => (spec.limit ?? defaultLimit) + 2,
  want: (spec) => ({ exit: spec.expect?.exit ?? 0, ...expected(spec) }),
  observe: (specs) => {
    const once = new Map(specs.map((spec) => [shown(spec.command), spec]));
    return lines([...once.values()].map((spec) => run(spec)));
  },
  read: (facts, spec, context) => {
    if (!context.live) return { unknown: 'a command needs a running system, and this is a file tree' };
    const stuck = facts.get('stuck');
    if (stuck !== undefined) return { unknown: `not run: the mount that ${stuck} lies on hangs` };
    const printed = facts.get('exit');
    if (printed === undefined) return { unknown: 'it did not run' };
    const exit = Number(printed);
    const limit = facts.get('limit') ?? String(spec.limit ?? defaultLimit);
    const wanted = spec.expect?.exit ?? 0;
    // GNU timeout says 124 or 137; with busybox the command itself ends by the signal: 143 or 137.
    if (exit !== wanted && [124, 137, 143].includes(exit)) return { unknown: `no answer in ${limit} s` };
    const output = Buffer.from(facts.get('stdout') ?? '', 'base64')
      .toString('utf8')
      .replace(/\n+$/, '');
    const complaint = Buffer.from(facts.get('stderr') ?? '', 'base64').toString('utf8');
    if (exit !== wanted && exit === 127) return { unknown: notFound(spec, `${complaint}${output}`) };
    if (exit !== wanted && exit === spec.expect?.unknown)
      return { unknown: trimmed(`${complaint}${output}`).slice(0, toldLength) || `exit ${exit}` };
    const pattern = regular(spec.expect?.matches);
    if (pattern === 'bad') return { unknown: `not a regular expression: ${spec.expect?.matches}` };
    const have: Record<string, string | number> = { exit };
    if (spec.expect?.stdout !== undefined)
      have.stdout = output === trimmed(spec.expect.stdout) ? spec.expect.stdout : output;
    if (spec.expect?.contains !== undefined)
      have.contains = output.includes(spec.expect.contains) ? spec.expect.contains : output;
    if (spec.expect?.matches !== undefined)
      have.matches = pattern?.test(output) ? spec.expect.matches : output;
    // Not compared, but told: many programs say on stdout why they fail.
    if (exit !== wanted && complaint !== '') have.stderr = trimmed(complaint);
    if (exit !== wanted && output !== '') have.stdout ??= output.slice(0, toldLength);
    return { have };
  },
  steps: () => [],
});

/** One line of text that tells two commands apart: words quoted as for a shell, control characters escaped. */
function shown(argv: readonly string[]): string {
  return argv
    .map(quote)
    .join(' ')
    .replace(
      /[\x00-\x1f\x7f]/g,
      (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
}

/** A shell that ends with 127 was found itself: what it says names the program that was not. */
function notFound({ command: [program = ''] }: CommandSpec, said: string): string {
  if (!/^(\/bin\/)?(ba)?sh$/.test(program)) return `${program} was not found`;
  const [line = ''] = said.trim().split('\n');
  return line === '' ? 'a program was not found' : `a program was not found: ${line}`;
}

function expected(spec: CommandSpec): State {
  const { exit: _, unknown: __, ...texts } = spec.expect ?? {};
  return texts;
}

function trimmed(text: string): string {
  return text.replace(/\n+$/, '');
}

function regular(text: string | undefined): RegExp | 'bad' | null {
  if (text === undefined) return null;
  try {
    return new RegExp(text, 'm');
  } catch {
    return 'bad';
  }
}

/**
 * Output goes through files, never a pipe or `$(...)`: those wait for a child that is stuck in the kernel. Nothing runs for a
 * tree: the paths in the command would be those of the system that looks.
 */
function run(spec: CommandSpec) {
  const id = shown(spec.command);
  const limit = spec.limit ?? defaultLimit;
  const text = `exec ${spec.command.map(quote).join(' ')}`;
  return sh`if [ -z "$ROOT" ] && scratch; then
  stuck=
  for p in ${atAll(spec.behind ?? [])}; do
    remote_path "$p" || continue
    rc=0
    ask "mount $point" ${pathLimit} 'stat -f -- "$1" >/dev/null' "$p" || rc=$?
    [ "$rc" -ne 124 ] || stuck=$p
  done
  if [ -n "$stuck" ]; then printf '%s\tstuck\t%s\n' ${id} "\${stuck#.}"
  else
  rc=0
  : >"$SCRATCH/stderr"
  export COMPLAINTS="$SCRATCH/stderr"
  limited ${limit} ${`exec 2>"$COMPLAINTS"\nunset COMPLAINTS\n${text}`} >"$SCRATCH/shown" || rc=$?
  printf '%s\texit\t%s\n' ${id} "$rc"
  printf '%s\tlimit\t%s\n' ${id} ${limit}
  printf '%s\tstdout\t%s\n' ${id} "$(head -c ${shownBytes} "$SCRATCH/shown" | base64 | tr -d '\n')"
  [ "$rc" -eq 0 ] || printf '%s\tstderr\t%s\n' ${id} "$(head -c 2000 "$SCRATCH/stderr" | base64 | tr -d '\n')"
  fi
fi`;
}
