import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { lines, sh } from '../shell/sh.ts';
import { seconds } from './ages.ts';
import { parseSnapshots, type Snapshot } from './pbs-backups-json.ts';
import { judgeGroups } from './pbs-backups-judge.ts';
import { causeOf } from './task-log-causes.ts';

export interface PbsBackupsSpec {
  readonly pbs_backups: string;
  readonly groups: readonly {
    readonly group: string;
    readonly ns?: string;
    readonly max_age_hours?: number;
  }[];
  readonly decommissioned?: readonly {
    readonly group: string;
    readonly ns?: string;
    readonly reason: string;
    readonly since?: string;
  }[];
  readonly namespaces?: readonly string[];
  readonly max_age_hours?: number;
  readonly verified?: boolean;
}

/** Seconds for the question about one namespace. */
const limit = 20;

const group = {
  type: 'string',
  pattern: '^(vm|ct|host)/[A-Za-z0-9_][A-Za-z0-9._-]*$',
  description: 'Type and id, as in `vm/101`.',
} as const;
const ns = {
  type: 'string',
  pattern: '^$|^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,6}$',
  description: 'Namespace; empty: the root of the datastore (default).',
} as const;

/** Whether a datastore of a backup server holds what it should, and nothing that nobody knows of. */
export const pbs_backups = defineType<PbsBackupsSpec>({
  name: 'pbs_backups',
  about:
    'Whether a datastore of a Proxmox Backup Server has a fresh backup of each group that is named, whether verification found damage, and whether there are groups that nobody knows of. A group whose guest is gone is declared as decommissioned, with a reason.',
  example: `pbs_backups: pbs-datastore
groups:
  - {group: vm/101}
  - {group: ct/200, ns: ruapehu, max_age_hours: 72}
namespaces: ["", ruapehu]
decommissioned:
  - {group: vm/330, reason: replaced by vm/400, since: 2026-03-01}
`,
  checkOnly: true,
  needsLive: true,
  shared: ['now'],
  tools: ['proxmox-backup-debug'],
  schema: {
    type: 'object',
    required: ['pbs_backups', 'groups'],
    additionalProperties: false,
    properties: {
      pbs_backups: {
        type: 'string',
        pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$',
        description: 'Name of the datastore.',
      },
      groups: {
        type: 'array',
        description: 'The groups that must be there.',
        items: {
          type: 'object',
          required: ['group'],
          additionalProperties: false,
          properties: {
            group,
            ns,
            max_age_hours: { type: 'integer', minimum: 1, description: 'Hours, for this group.' },
          },
        },
      },
      decommissioned: {
        type: 'array',
        description: 'Groups that are kept although their guests are gone.',
        items: {
          type: 'object',
          required: ['group', 'reason'],
          additionalProperties: false,
          properties: {
            group,
            ns,
            reason: { type: 'string', minLength: 1, description: 'Why they are kept.' },
            since: {
              type: 'string',
              pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
              description: 'Day since which there is no new backup of it.',
            },
          },
        },
      },
      namespaces: {
        type: 'array',
        items: ns,
        description: 'Further namespaces to look through, besides those of the groups and the root.',
      },
      max_age_hours: {
        type: 'integer',
        minimum: 1,
        description:
          'Hours after which the newest backup of a group is too old (default 48: one of a day may fail).',
      },
      verified: {
        type: 'boolean',
        description: 'At least one backup of each group must have been verified (default false).',
      },
    },
  },
  limit: (spec) => limit * namespaces(spec).length + 5,
  identity: (spec) => spec.pbs_backups,
  needs: (spec) => [`datastore:${spec.pbs_backups}`],
  want: (spec) => ({
    old: 'none',
    missing: 'none',
    damaged: 'none',
    unfinished: 'none',
    undeclared: 'none',
    revived: 'none',
    ...(spec.verified ? { unverified: 'none' } : {}),
  }),
  observe: (specs) => lines(specs.map(look)),
  read,
  symptoms,
  steps: () => [],
});

/** All that are looked through, each once. */
function namespaces(spec: PbsBackupsSpec): string[] {
  const named = [...spec.groups, ...(spec.decommissioned ?? [])].map((one) => one.ns ?? '');
  return [...new Set(['', ...named, ...(spec.namespaces ?? [])])].sort();
}

/** One question for each namespace; once the server is silent, it is asked no more. */
function look(spec: PbsBackupsSpec): Sh {
  const store = spec.pbs_backups;
  const asks = namespaces(spec).map(
    (name) =>
      sh`question ${name} ${
        name === ''
          ? `proxmox-backup-debug api get /admin/datastore/${store}/snapshots`
          : `proxmox-backup-debug api get /admin/datastore/${store}/snapshots --ns ${name}`
      }`,
  );
  return sh`(
store=${store}
printf '%s\tnow\t%s\n' "$store" "$(date +%s)"
scratch
question() {
  rc=0
  ask pbs-api ${limit} "$2 --output-format json 2>\\"\\$1\\"" "$SCRATCH/pbs-said" >"$SCRATCH/pbs-json" || rc=$?
  case $rc in
    0) printf '%s\tsnapshots\t%s\t' "$store" "$1"; tr -d '\n\t\r' <"$SCRATCH/pbs-json"; echo ;;
    124) printf '%s\tunknown\tno answer in %s s: the backup server hangs\n' "$store" ${limit}; return 1 ;;
    *) printf '%s\tunknown\tthe backup server said: %s\n' "$store" "$(head -c 400 "$SCRATCH/pbs-said" | tr '\n\t\r' '   ')"; return 1 ;;
  esac
}
${asks.reduce((all, one) => sh`${all} && ${one}`)}
)`;
}

function read(facts: Facts, spec: PbsBackupsSpec): Observed {
  const now = seconds(facts.get('now'));
  const answers = facts.all('snapshots').map((text) => text.split('\t'));
  const found: Snapshot[] = [];
  for (const name of namespaces(spec)) {
    const answer = answers.find(([one]) => one === name)?.[1];
    const snapshots = answer === undefined ? null : parseSnapshots(answer, name);
    if (snapshots === null || now === null)
      return { unknown: `the backups${name === '' ? '' : ` in namespace ${name}`} could not be listed` };
    found.push(...snapshots);
  }
  return { have: { ...judgeGroups(found, spec, now ?? 0) } };
}

const codes = {
  old: 'backup-old',
  missing: 'no-backup',
  damaged: 'backup-damaged',
  undeclared: 'group-undeclared',
  revived: 'group-revived',
} as const;

function symptoms(observed: Observed, spec: PbsBackupsSpec): Symptom[] {
  const of = `datastore:${spec.pbs_backups}`;
  if ('unknown' in observed) {
    const cause = causeOf(observed.unknown);
    if (cause?.code === 'chunk-store') return [{ code: 'chunk-store', of, says: observed.unknown }];
    return observed.unknown.includes('hangs') ? [{ code: 'pbs-hangs', of, says: observed.unknown }] : [];
  }
  const { have } = observed;
  return Object.entries(codes).flatMap(([key, code]) => {
    const says = have?.[key];
    if (typeof says !== 'string' || says === 'none') return [];
    const groups = says.split('; ').map((text) => (text.split(' ')[0] ?? '').replace(/:$/, ''));
    return [{ code, of, says, data: { groups: groups.join(' ') } }];
  });
}
