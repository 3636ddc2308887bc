import type { PbsFile } from './pbs-cfg.ts';

export const jobKinds = ['prune', 'verify', 'sync', 'gc'] as const;
export type JobKind = (typeof jobKinds)[number];

/** Where a kind of job is written and what changes it. */
export const places: Readonly<
  Record<JobKind, { file: Exclude<PbsFile, 'acl' | 'user'>; section: string; command: string }>
> = {
  prune: { file: 'prune', section: 'prune', command: 'prune-job' },
  verify: { file: 'verification', section: 'verification', command: 'verify-job' },
  sync: { file: 'sync', section: 'sync', command: 'sync-job' },
  // No file of its own: it is the gc-schedule of its datastore.
  gc: { file: 'datastore', section: 'datastore', command: 'datastore' },
};

/** One key of a job. The name on the host has hyphens. */
export interface JobKey {
  readonly kinds: readonly JobKind[];
  readonly schema: Readonly<Record<string, unknown>>;
  /** How its value compares; `size` is a number with a unit, where blanks do not count. */
  readonly means: 'text' | 'boolean' | 'number' | 'list' | 'calendar' | 'size';
  /** What counts when it is not written; left out: nothing. */
  readonly otherwise?: string;
}

const line = {
  type: 'string',
  pattern: '^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$',
  maxLength: 128,
} as const;
const idText = { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$' } as const;
const truth = { type: 'boolean' } as const;
const namespace = {
  type: 'string',
  pattern: '^([A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,6})?$',
  maxLength: 256,
} as const;
const all = ['prune', 'verify', 'sync'] as const;
const all4 = jobKinds;
const sync = ['sync'] as const;

function keep(what: string): JobKey {
  return {
    kinds: ['prune'],
    means: 'number',
    schema: {
      type: 'integer',
      minimum: 1,
      description: `Keep the last backup of that many ${what}.`,
      $comment: 'PBS refuses 0: leave the key out to keep nothing by it.',
    },
  };
}

function rate(what: string): JobKey {
  return {
    kinds: sync,
    means: 'size',
    schema: {
      type: 'string',
      pattern: '^[0-9]+(\\.[0-9]+)? ?([KMGT]i?)?B?$',
      description: `${what}, such as "10 MiB".`,
    },
  };
}

function flag(about: string, otherwise: '0' | '1', kinds: readonly JobKind[] = sync): JobKey {
  return { kinds, means: 'boolean', otherwise, schema: { ...truth, description: about } };
}

/** All keys of all kinds, by their name in a spec. */
export const jobKeys: Readonly<Record<string, JobKey>> = {
  store: { kinds: all, means: 'text', schema: { ...idText, description: 'Datastore. For gc it is the id.' } },
  schedule: {
    kinds: all4,
    means: 'calendar',
    schema: {
      type: 'string',
      minLength: 1,
      description:
        'Calendar event of Proxmox, such as "03:30" or "sat 18:15". Left out (verify, sync): by hand only.',
    },
  },
  comment: { kinds: all, means: 'text', otherwise: '', schema: { ...line, description: 'For people.' } },
  ns: { kinds: all, means: 'text', otherwise: '', schema: { ...namespace, description: 'Namespace.' } },
  max_depth: {
    kinds: all,
    means: 'number',
    schema: {
      type: 'integer',
      minimum: 0,
      maximum: 7,
      description: 'Levels of namespaces below; 0: none (default: all).',
    },
  },
  disable: flag('Written down, and not run.', '0', ['prune']),
  keep_last: {
    kinds: ['prune'],
    means: 'number',
    schema: { ...keep('').schema, description: 'Keep that many of the newest backups.' },
  },
  keep_hourly: keep('hours'),
  keep_daily: keep('days'),
  keep_weekly: keep('weeks'),
  keep_monthly: keep('months'),
  keep_yearly: keep('years'),
  ignore_verified: flag('Skip what is verified already (default true).', '1', ['verify']),
  outdated_after: {
    kinds: ['verify'],
    means: 'number',
    schema: { type: 'integer', minimum: 0, description: 'Days after which a verification counts no more.' },
  },
  read_threads: {
    kinds: ['verify'],
    means: 'number',
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: 32,
      description: 'Threads that read (PBS 4.1 or newer).',
    },
  },
  verify_threads: {
    kinds: ['verify'],
    means: 'number',
    schema: {
      type: 'integer',
      minimum: 1,
      maximum: 32,
      description: 'Threads that verify (PBS 4.1 or newer).',
    },
  },
  remote: {
    kinds: sync,
    means: 'text',
    schema: { ...idText, description: 'Remote, as its name in remote.cfg; left out: this server.' },
  },
  remote_store: { kinds: sync, means: 'text', schema: { ...idText, description: 'Datastore over there.' } },
  remote_ns: {
    kinds: sync,
    means: 'text',
    otherwise: '',
    schema: { ...namespace, description: 'Namespace over there.' },
  },
  owner: {
    kinds: sync,
    means: 'text',
    schema: {
      type: 'string',
      pattern: '^[^\\s:/!]+@[A-Za-z0-9_][A-Za-z0-9._-]*(![A-Za-z0-9_][A-Za-z0-9._-]*)?$',
      description: 'Who will own the backups.',
    },
  },
  remove_vanished: flag(
    'Remove here what is gone there (default false): a deletion over there reaches this copy.',
    '0',
  ),
  group_filter: {
    kinds: sync,
    means: 'list',
    otherwise: '',
    schema: {
      type: 'array',
      uniqueItems: true,
      items: {
        type: 'string',
        pattern:
          '^((in|ex)clude:)?(type:(vm|ct|host)|group:(vm|ct|host)/[A-Za-z0-9_][A-Za-z0-9._-]*|regex:[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+)$',
      },
      description: 'Groups that take part, such as type:vm, group:ct/100, exclude:regex:... (default: all).',
    },
  },
  transfer_last: {
    kinds: sync,
    means: 'number',
    schema: { type: 'integer', minimum: 1, description: 'Only that many of the newest backups of a group.' },
  },
  rate_in: rate('Limit for receiving'),
  rate_out: rate('Limit for sending'),
  burst_in: rate('Burst above rate_in'),
  burst_out: rate('Burst above rate_out'),
  resync_corrupt: flag('Fetch again what failed its verification.', '0'),
  encrypted_only: flag('Only encrypted backups.', '0'),
  verified_only: flag('Only verified backups.', '0'),
  sync_direction: {
    kinds: sync,
    means: 'text',
    otherwise: 'pull',
    schema: { enum: ['pull', 'push'], description: 'push needs PBS 3.3 (default pull).' },
  },
  run_on_mount: flag('Run when the removable datastore is mounted.', '0'),
  unmount_on_done: flag('Unmount the removable datastore afterwards.', '0'),
  worker_threads: {
    kinds: sync,
    means: 'number',
    schema: { type: 'integer', minimum: 1, maximum: 32, description: 'Groups at once (PBS 4.1 or newer).' },
  },
};

export function onHost(key: string): string {
  return key.replaceAll('_', '-');
}
