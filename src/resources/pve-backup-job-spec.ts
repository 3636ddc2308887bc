import type { SpecMistake } from '../model/resource.ts';
import { calendarTrap } from './calendar-traps.ts';
import { stateWord } from './properties.ts';

export interface BackupJobSpec {
  readonly pve_backup_job: string;
  readonly vmid?: readonly number[];
  readonly all?: true;
  readonly exclude?: readonly number[];
  readonly pool?: string;
  readonly schedule?: string;
  readonly storage?: string;
  readonly mode?: string;
  readonly compress?: string;
  readonly prune_backups?: Readonly<Record<string, number>>;
  readonly fleecing?: string;
  readonly notes_template?: string;
  readonly enabled?: boolean;
  readonly node?: string;
  readonly comment?: string;
  readonly repeat_missed?: boolean;
  readonly bwlimit?: number;
  readonly protected?: boolean;
  readonly notification_mode?: string;
  readonly mailto?: readonly string[];
  readonly mailnotification?: string;
  readonly options?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly state?: 'present' | 'absent';
}

const storageId = '^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]$';
const line = '^(?! )[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+(?<! )$';
const path = '^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._@+-]+)+$';
const vmids = {
  type: 'array',
  minItems: 1,
  uniqueItems: true,
  items: { type: 'integer', minimum: 100, maximum: 999999999 },
} as const;
const count = { type: 'integer', minimum: 0 } as const;

/** What a program that only looks at the texts would not expect: each is refused with what Proxmox would make of it. */
const refusedKeys = {
  '^maxfiles$': 'Proxmox VE 9 drops it without a word, and then nothing is ever pruned; use prune_backups',
  '^(starttime|dow)$':
    'it is not valid in /etc/pve/jobs.cfg: the job would lack its schedule, and every later change of any job would fail; use schedule',
  '^selection[-_]mode$':
    'Proxmox drops it: there is no such key, only its web page shows one; use vmid, all or pool',
  '^(prune|repeat|notes|notification)-[a-z]+$': 'it is written with _ for - here',
};

export const backupJobSchema = {
  type: 'object',
  required: ['pve_backup_job'],
  additionalProperties: false,
  if: { not: { properties: { state: { const: 'absent' } }, required: ['state'] } },
  // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
  then: {
    required: ['schedule', 'storage'],
    properties: {
      schedule: {
        description:
          'without it Proxmox takes the job for no job at all, and every later change of any job fails',
      },
      storage: { description: 'without it backups go where /etc/vzdump.conf says, or to "local"' },
    },
  },
  properties: {
    pve_backup_job: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_-]+$',
      maxLength: 50,
      description: 'Id of the job: a letter, then letters, digits, `-` and `_`.',
    },
    vmid: { ...vmids, description: 'Guests to back up. Exactly one of `vmid`, `all` and `pool`.' },
    all: { enum: [true], description: 'All guests of the node, or of all nodes without `node`.' },
    exclude: { ...vmids, description: 'With `all`: guests that are left out.' },
    pool: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$',
      description: 'All guests of this pool.',
    },
    schedule: {
      type: 'string',
      pattern: '^[^\\x00-\\x1f\\x7f]+$',
      description:
        'Calendar event, such as `02:30`, `mon..fri 22:00`, `2,14:30`. One that means something else than it looks like is refused.',
    },
    storage: { type: 'string', pattern: storageId, maxLength: 100, description: 'Storage for the backups.' },
    mode: {
      enum: ['snapshot', 'suspend', 'stop'],
      description: 'Without it the one of /etc/vzdump.conf, else snapshot.',
      $comment: 'Proxmox would drop it, and the mode of /etc/vzdump.conf or snapshot would be used.',
    },
    compress: {
      enum: ['0', 'gzip', 'lzo', 'zstd'],
      description: 'Without effect on a backup server.',
      $comment: 'Proxmox would drop it, and the compression of /etc/vzdump.conf or none would be used.',
    },
    prune_backups: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: Object.fromEntries(
        ['all', 'last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((name) => [
          `keep-${name}`,
          name === 'all' ? { type: 'integer', minimum: 0, maximum: 1 } : count,
        ]),
      ),
      description: 'How many backups of each guest stay: `keep-last: 3`, ... Wins over the storage.',
      $comment: 'Proxmox would drop the whole of prune-backups for it, and nothing would be pruned.',
    },
    fleecing: {
      type: 'string',
      pattern: storageId,
      description: 'Storage for fleecing images of VMs (Proxmox VE 8.2 or later). Without it: off.',
    },
    notes_template: {
      type: 'string',
      pattern:
        '^(?! )(?:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\\\{}]|\\\\n|\\\\\\\\|\\{\\{(?:cluster|guestname|node|vmid)\\}\\})+(?<! )$',
      maxLength: 1024,
      description: 'One line; may hold {{cluster}}, {{guestname}}, {{node}}, {{vmid}}.',
    },
    enabled: { type: 'boolean', description: 'Default true.' },
    node: {
      type: 'string',
      pattern: '^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$',
      description: 'Runs on this node only. Without it on every node, each for its own guests.',
    },
    comment: { type: 'string', pattern: line, maxLength: 512, description: 'A line for people.' },
    repeat_missed: {
      type: 'boolean',
      description: 'Runs after boot what was missed while the node was off (default false).',
    },
    bwlimit: { ...count, description: 'KiB/s; 0 is unlimited.' },
    protected: { type: 'boolean', description: 'Backups are protected from pruning (default false).' },
    notification_mode: {
      enum: ['auto', 'legacy-sendmail', 'notification-system'],
      description: 'Default auto.',
    },
    mailto: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)?$',
        maxLength: 254,
      },
      description:
        'Mail addresses. Deprecated: with `notification_mode: auto` it brings the old way of mail back.',
    },
    mailnotification: {
      enum: ['always', 'failure'],
      description: 'For the old way of mail. Default always.',
    },
    options: {
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: {
        'exclude-path': {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: {
            type: 'string',
            pattern:
              '^[^\\x00-\\x20\\x7f-\\x9f\\u2028\\u2029\\\\\'"-][^\\x00-\\x20\\x7f-\\x9f\\u2028\\u2029\\\\\'"]*$',
            maxLength: 1024,
          },
        },
        ionice: { ...count, maximum: 8 },
        lockwait: count,
        stopwait: count,
        zstd: count,
        pigz: count,
        tmpdir: { type: 'string', pattern: path, maxLength: 255 },
        script: { type: 'string', pattern: path, maxLength: 255 },
        stdexcludes: { type: 'boolean' },
        remove: { type: 'boolean' },
        performance: {
          type: 'string',
          pattern: '^(max-workers|pbs-entries-max)=[0-9]+(,(max-workers|pbs-entries-max)=[0-9]+)?$',
        },
        'pbs-change-detection-mode': { enum: ['legacy', 'data', 'metadata'] },
      },
      description: 'Further keys of vzdump that the job sets. Others that it has on the host are taken away.',
    },
    state: { ...stateWord, description: '`absent` removes the job; its backups stay (default present).' },
  },
  patternProperties: Object.fromEntries(
    Object.entries(refusedKeys).map(([key, description]) => [key, { not: {}, description }]),
  ),
};

/** What the schema cannot say: the meaning of the schedule, selections that contradict each other, a retention that keeps everything. */
export function backupJobMistakes(spec: BackupJobSpec): SpecMistake[] {
  if (spec.state === 'absent') return [];
  const trap = spec.schedule === undefined ? null : calendarTrap(spec.schedule);
  return [
    ...selectionMistakes(spec),
    ...pruneMistakes(spec),
    ...(trap ? [{ at: ['schedule'], ...trap }] : []),
  ];
}

function selectionMistakes({ vmid, all, exclude, pool }: BackupJobSpec): SpecMistake[] {
  const given = Object.entries({ vmid, all, pool }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  const hint = 'give one of vmid, all (with or without exclude) and pool';
  if (given.length > 1)
    return [
      {
        at: [given[1] ?? ''],
        says: `stands beside ${given[0]}: a job has one selection, and Proxmox refuses two`,
        hint,
      },
    ];
  if (exclude !== undefined && all === undefined) {
    const means =
      given.length === 0
        ? 'has no "all": Proxmox takes exclude alone for all guests but these'
        : `stands beside ${given[0]}, which Proxmox refuses`;
    return [{ at: ['exclude'], says: means, hint: 'write "all: true" beside exclude, and nothing else' }];
  }
  if (given.length === 0)
    return [{ at: [], says: 'selects no guests: the job would fail at every run', hint }];
  return [];
}

function pruneMistakes({ prune_backups: prune }: BackupJobSpec): SpecMistake[] {
  if (prune === undefined) return [];
  const kept = Object.entries(prune).filter(([name, value]) => name !== 'keep-all' && value > 0);
  const all = (prune['keep-all'] ?? 0) > 0;
  if (all && Object.keys(prune).length > 1)
    return [
      {
        at: ['prune_backups'],
        says: 'has keep-all beside others: Proxmox refuses it, and a job that has it prunes nothing',
        hint: 'keep one or the others',
      },
    ];
  if (all || kept.length > 0) return [];
  return [
    {
      at: ['prune_backups'],
      says: 'keeps 0 of everything, which Proxmox takes for keeping all',
      hint: 'write "keep-all: 1" when that is meant',
    },
  ];
}
