import { defineType, type Step } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { at, blob, lines, sh } from '../shell/sh.ts';
import { stateWord } from './properties.ts';

export interface SysctlSpec {
  readonly sysctl: string;
  readonly value?: string;
  readonly state?: 'present' | 'absent';
}

/** A kernel setting, in a file of its own and in the running kernel: two properties, because either can drift alone. */
export const sysctl = defineType<SysctlSpec>({
  name: 'sysctl',
  about:
    'A kernel setting: `stored` in a file of its own in /etc/sysctl.d, and `live` in the running kernel. Removing it leaves the live value until the next boot.',
  example: 'sysctl: fs.inotify.max_user_watches\nvalue: "524288"\n',
  schema: {
    type: 'object',
    required: ['sysctl'],
    additionalProperties: false,
    properties: {
      sysctl: {
        type: 'string',
        pattern: '^[a-z0-9_]+([./][A-Za-z0-9_:@-]+)+$',
        maxLength: 200,
        description:
          'The name; with an interface that has a dot in it, write slashes: net/ipv4/conf/eth0.10/rp_filter.',
      },
      value: {
        type: 'string',
        pattern: '^[^\\x00-\\x20\\x7f]+([ \\t]+[^\\x00-\\x20\\x7f]+)*$',
        description: 'In quotes; several numbers with blanks between them.',
      },
      state: {
        ...stateWord,
        description: '`absent` removes the file; the live value stays (default present).',
      },
    },
    if: { properties: { state: { const: 'absent' } }, required: ['state'] },
    else: { required: ['value'] },
  },
  identity: (spec) => spec.sysctl,
  provides: (spec) => [`path:${storedIn(spec)}`, `content:${storedIn(spec)}`],
  needs: (spec) => (spec.state === 'absent' ? [] : ['path:/etc/sysctl.d']),
  want: (spec, context) => {
    if (spec.state === 'absent') return null;
    const value = words(spec.value ?? '');
    return context.live ? { stored: value, live: value } : { stored: value };
  },
  observe: (specs) =>
    lines([
      { text: seenSysctl, blobs: [] },
      ...specs.map((spec) => sh`seen_sysctl ${spec.sysctl} ${at(storedIn(spec))}`),
      sh`[ -n "$ROOT" ] || printf '%s\n' ${specs.map((spec) => `${spec.sysctl}\t/proc/sys/${kernelPath(spec)}`)} | awk -F'\t' ${liveProgram}`,
    ]),
  read: (facts, spec, context) => {
    const reason = facts.get('unknown');
    if (reason !== undefined) return { unknown: reason };
    const kept = facts.get('stored');
    if (kept === undefined) return { unknown: 'the host said nothing about it' };
    const stored = kept === 'none' ? null : words(kept.replace(/^=/, ''));
    if (spec.state === 'absent' || !context.live) return { have: stored === null ? null : { stored } };
    const live = facts.get('live');
    const have: State = { stored, live: live === undefined ? null : words(live) };
    return { have };
  },
  refuse: ({ spec, have }) =>
    have?.stored === 'not a file'
      ? `${storedIn(spec)} is not a file; it is never removed to make room`
      : null,
  steps: ({ spec, want, differs }) => {
    if (want === null)
      return [
        { about: `remove ${storedIn(spec)} (a copy is kept)`, run: sh`take_away ${at(storedIn(spec))}` },
      ];
    const steps: Step[] = [];
    const value = words(spec.value ?? '');
    if (differs.includes('stored'))
      steps.push({
        about: `write ${storedIn(spec)}`,
        run: sh`put ${blob(`${spec.sysctl} = ${value}\n`)} ${at(storedIn(spec))} 0644 root:root`,
      });
    if (differs.includes('live'))
      steps.push({
        about: `set ${spec.sysctl} to ${value} in the running kernel`,
        run: sh`[ -e ${at(`/proc/sys/${kernelPath(spec)}`)} ] || { say ${`the kernel has no setting ${spec.sysctl}; is its module loaded?`}; exit 1; }
printf '%s\n' ${value} >${at(`/proc/sys/${kernelPath(spec)}`)}`,
      });
    return steps;
  },
});

function storedIn(spec: SysctlSpec): string {
  return `/etc/sysctl.d/90-provision-${spec.sysctl.replaceAll('/', '.')}.conf`;
}

/** As sysctl(8) reads names: when a slash comes first, slashes separate; otherwise dots do and a slash stands for a dot. */
function kernelPath(spec: SysctlSpec): string {
  const first = /[./]/.exec(spec.sysctl)?.[0];
  if (first === '/') return spec.sysctl;
  return spec.sysctl.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.'));
}

/** The kernel separates several numbers by tabs. */
function words(value: string): string {
  return value.trim().split(/\s+/).join(' ');
}

/** Only what the shell itself can do: no process per setting. `stored =VALUE`, or what else is there instead. */
const seenSysctl = String.raw`seen_sysctl() {
  stored=none
  if [ -L "$2" ] || { [ -e "$2" ] && [ ! -f "$2" ]; }; then
    stored='not a file'
  elif [ -f "$2" ]; then
    [ -r "$2" ] || { printf '%s\tunknown\t%s\n' "$1" 'its file could not be read'; return; }
    stored='nothing' count=0
    while IFS= read -r text || [ -n "$text" ]; do
      case $text in
        '' | '#'*) ;;
        "$1 = "*) stored="=${'${text#"$1 = "}'}" count=$((count + 1)) ;;
        *) count=$((count + 2)) ;;
      esac
    done <"$2"
    [ "$count" -lt 2 ] || stored='other lines too'
  fi
  printf '%s\tstored\t%s\n' "$1" "$stored"
}`;

/**
 * One process for all. Not the shell's `read`: it takes a byte at a time, and the kernel gives such a reader the first byte of
 * a number and then says that this was all.
 */
const liveProgram = String.raw`{ if ((getline value < $2) > 0) print $1 "\tlive\t" value; close($2) }`;
