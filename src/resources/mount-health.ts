import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { quote } from '../shell/quote.ts';
import { lines, sh } from '../shell/sh.ts';
import { lookMounts, seenMount } from './mountinfo.ts';
import { pathSchema } from './properties.ts';

export interface MountHealthSpec {
  readonly mount_health: string;
  readonly source?: string;
  readonly type?: string;
  readonly expect_entry?: string;
  readonly write_test?: boolean;
  readonly write_as?: string;
  readonly limit?: number;
}

/** Seconds that each probe may take. */
const defaultLimit = 10;

/** Whether a mount is there, is the right one, answers, and takes writes. Observed, never changed. */
export const mount_health = defineType<MountHealthSpec>({
  name: 'mount_health',
  about:
    'Whether something is mounted, from the right source, whether it answers within a limit, and whether files written to it keep their times and modes. A mount that hangs is unknown, a stale one fails.',
  example: `mount_health: /mnt/pbs-datastore
source: 10.10.0.103:/mnt/Taupo/pbs
type: nfs4
expect_entry: .chunks
`,
  checkOnly: true,
  first: true,
  needsLive: true,
  schema: {
    type: 'object',
    required: ['mount_health'],
    additionalProperties: false,
    properties: {
      mount_health: { ...pathSchema, description: 'Absolute path of the mount point.' },
      source: { type: 'string', minLength: 1, description: 'Source as the table of mounts names it.' },
      type: { type: 'string', minLength: 1, description: 'File system type; `nfs` stands for nfs4 too.' },
      expect_entry: {
        type: 'string',
        pattern: '^(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+(/(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+)*$',
        description: 'A file or directory that must be there, relative to the mount point: `.chunks`.',
      },
      write_test: {
        type: 'boolean',
        description:
          'Write a file with a unique name, set its time and mode, read them back, remove it (default false). Not where emptiness means something.',
      },
      write_as: {
        type: 'string',
        pattern: '^[a-z_][a-z0-9_-]{0,31}$',
        description: 'User who writes the test file (default root, whom an export may squash).',
      },
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: 60,
        description: 'Seconds each probe may take (default 10).',
      },
    },
  },
  limit: (spec) => 3 * (spec.limit ?? defaultLimit) + 5,
  identity: (spec) => spec.mount_health,
  needs: (spec) => [`path:${spec.mount_health}`, `mount:${spec.mount_health}`],
  want: (spec) => ({
    mounted: true,
    ...(spec.source === undefined ? {} : { source: spec.source }),
    ...(spec.type === undefined ? {} : { type: spec.type }),
    answers: 'yes',
    ...(spec.expect_entry === undefined ? {} : { entry: true }),
    ...(spec.write_test ? { writable: 'yes', keeps_times: true, keeps_modes: true } : {}),
  }),
  observe: (specs) => lines(specs.map(probe)),
  read,
  symptoms,
  steps: () => [],
});

/** busybox ends with 143 where coreutils ends with 124. The probes in order, each only when the one before it answered: a second one would only hang as well. */
function probe(spec: MountHealthSpec): Sh {
  const point = spec.mount_health;
  const limit = spec.limit ?? defaultLimit;
  const table = lookMounts([{ identity: point, point }]);
  const next = [
    ...(spec.expect_entry === undefined
      ? []
      : [sh`probe entry ${limit} ${entryProbe} ${`${point}/${spec.expect_entry}`}`]),
    ...(spec.write_test ? [sh`probe write ${limit} ${writeAs(spec.write_as)} ${point}`] : []),
  ];
  return sh`(
point=${point}
probe() {
  said=$(ask "mount $point" "$2" "$3" "$4") && rc=0 || rc=$?
  case $rc in
    0) printf '%s\n' "$said" | while IFS= read -r line; do printf '%s\t%s\t%s\n' "$point" "$1" "$line"; done ;;
    124|137|143) printf '%s\tunknown\tno answer in %s s: the mount hangs\n' "$point" "$2"; return 1 ;;
    *) printf '%s\tunknown\tthe probe ended with %s\n' "$point" "$rc"; return 1 ;;
  esac
}
table=$(${table})
printf '%s\n' "$table"
case $table in *?mount?no) exit 0 ;; esac
${[sh`probe answers ${limit} ${answerProbe} ${point}`, ...next].reduce((all, one) => sh`${all} && ${one}`)}
)`;
}

/** "Stale file handle" is an answer; only silence is none. */
const answerProbe = `said=$(stat -f -- "$1" 2>&1 >/dev/null) && echo yes || printf '%s\\n' "\${said##*: }"`;

const entryProbe = `said=$(ls -d -- "$1" 2>&1 >/dev/null) && echo yes || printf '%s\\n' "\${said##*: }"`;

/** Removes its file whatever happens; a probe that is killed in the kernel can not, so its name says what it is. */
const writeProbe = `file=
trap '[ -z "$file" ] || rm -f -- "$file"' EXIT
trap 'exit 1' HUP INT TERM
file=$(mktemp "$1/.provision-probe.XXXXXX" 2>&1) || { said=$file; file=; printf 'no: %s\\n' "\${said##*: }"; exit 0; }
if said=$( { printf 'probe\\n' >"$file" && sync "$file"; } 2>&1) && [ "$(cat -- "$file")" = probe ]; then echo yes; else printf 'no: %s\\n' "\${said##*: }"; fi
export TZ=UTC0
touch -t 202401010101.01 -- "$file" 2>/dev/null
[ "$(stat -c %Y -- "$file")" != 1704070861 ] || echo times
chmod 0755 -- "$file" 2>/dev/null && [ "$(stat -c %a -- "$file")" = 755 ] &&
  chmod 0640 -- "$file" 2>/dev/null && [ "$(stat -c %a -- "$file")" = 640 ] && echo modes
exit 0`;

function writeAs(user: string | undefined): string {
  return user === undefined
    ? writeProbe
    : `exec runuser -u ${user} -- /bin/sh -c ${quote(writeProbe)} sh "$1"`;
}

function read(facts: Facts, spec: MountHealthSpec): Observed {
  const mount = seenMount(facts, { identity: spec.mount_health, point: spec.mount_health });
  if (mount === undefined) return { unknown: 'the table of mounts could not be read' };
  if (mount === null) return { have: { mounted: false } };
  const answers = facts.get('answers');
  if (answers === undefined) return { unknown: 'the mount was not probed' };
  const have: Record<string, Value> = {
    mounted: true,
    source: mount.source,
    type: spec.type === 'nfs' && mount.type === 'nfs4' ? 'nfs' : mount.type,
    answers,
  };
  const entry = facts.get('entry');
  if (entry !== undefined) have.entry = entry === 'yes' ? true : entry;
  return { have: { ...have, ...written(facts.all('write')) } };
}

function written(said: readonly string[]): State {
  const [writable] = said;
  if (writable === undefined) return {};
  return { writable, keeps_times: said.includes('times'), keeps_modes: said.includes('modes') };
}

/** A mount that serves badly has its cause mostly where it is served. */
function symptoms(observed: Observed, spec: MountHealthSpec): Symptom[] {
  const tell = (code: string, says: string): Symptom => ({ code, of: `mount:${spec.mount_health}`, says });
  if ('unknown' in observed)
    return observed.unknown.includes('hangs') ? [tell('mount-hangs', observed.unknown)] : [];
  const { have } = observed;
  if (have === null) return [];
  if (have.mounted === false) return [tell('mount-absent', `nothing is mounted at ${spec.mount_health}`)];
  if (have.answers !== 'yes') return [tell('mount-stale', String(have.answers))];
  const wrong = (['source', 'type'] as const).filter(
    (key) => spec[key] !== undefined && spec[key] !== have[key],
  );
  if (wrong.length > 0)
    return [
      tell('mount-wrong', wrong.map((key) => `its ${key} is ${have[key]}, not ${spec[key]}`).join('; ')),
    ];
  if (spec.expect_entry !== undefined && have.entry !== true)
    return [tell('store-absent', `${spec.expect_entry} in it: ${have.entry}`)];
  if (!spec.write_test || have.writable === undefined) return [];
  if (have.writable !== 'yes') return [tell('not-permitted', `writing to it: ${have.writable}`)];
  const lost = [...(have.keeps_times ? [] : ['times']), ...(have.keeps_modes ? [] : ['modes'])];
  return lost.length === 0
    ? []
    : [tell('not-permitted', `it does not keep the ${lost.join(' and ')} that are set`)];
}
