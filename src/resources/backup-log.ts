import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { hoursSince, seconds } from './ages.ts';
import { lookGuestLogs } from './task-log-look.ts';
import { judgeLog, type LogProblem, type LogVerdict } from './task-log-read.ts';

export interface BackupLogSpec {
  readonly backup_log: number;
  readonly kind: 'vm' | 'ct';
  readonly max_age_hours?: number;
  readonly storage?: string;
  readonly tolerate?: readonly string[];
}

/** A worker that goes on for longer than this, where no age is asked for, is taken for one that hangs. */
const longestHours = 24;
/** A worker that waits in the kernel and has written nothing for so long hangs; for a moment every copy waits there. */
const quietSeconds = 600;
/** Why nothing is known of a backup that is as it should be so far. */
const running = 'a backup of it is running now: how it ends is told once it has ended';
/** Lines of the log that are told. */
const toldLines = 5;

/** How the newest backup of a guest ended, as its log on the node tells it. */
export const backup_log = defineType<BackupLogSpec>({
  name: 'backup_log',
  about:
    'How the newest backup of one guest ended, read from the logs that the node keeps. Each text that is known to mean trouble has a code and a remedy; one that is not known is told as it stands.',
  example: 'backup_log: 1031\nkind: ct\nmax_age_hours: 48\nstorage: truenas-bu\ntolerate: [file-vanished]\n',
  checkOnly: true,
  shared: ['now', 'runs', 'wrote'],
  schema: {
    type: 'object',
    required: ['backup_log', 'kind'],
    additionalProperties: false,
    properties: {
      backup_log: { type: 'integer', minimum: 100, maximum: 999999999, description: 'Id of the guest.' },
      kind: { enum: ['vm', 'ct'], description: 'Virtual machine or container.' },
      max_age_hours: {
        type: 'integer',
        minimum: 1,
        description:
          'Hours after which the newest log is too old: twice the time between two backups is a good figure.',
      },
      storage: {
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9._-]*$',
        description: 'The storage it goes to, for a log that does not name one.',
      },
      tolerate: {
        type: 'array',
        items: { enum: ['file-vanished', 'mode-fallback', 'agent-silent', 'warning'] },
        description: 'Warnings that are known of and accepted.',
      },
    },
  },
  identity: name,
  want: (spec) => ({
    ended: 'ok',
    problem: 'none',
    ...(spec.max_age_hours === undefined ? {} : { fresh: 'yes' }),
  }),
  observe: (specs) =>
    lookGuestLogs(specs.map((spec) => ({ identity: name(spec), kind: spec.kind, vmid: spec.backup_log }))),
  read,
  symptoms,
  steps: () => [],
});

function name(spec: BackupLogSpec): string {
  return `${spec.kind}/${spec.backup_log}`;
}

function read(facts: Facts, spec: BackupLogSpec): Observed {
  const now = seconds(facts.get('now'));
  if (now === null) return { unknown: 'the logs of the node were not looked at' };
  const log = seconds(facts.get('log'));
  const started = seconds(facts.get('started'));
  if (log === null && started === null)
    return { have: { ended: 'never', problem: 'none', fresh: 'no log of a backup is there' } };
  const newer = started !== null && (log === null || started > log);
  const task = judgeLog(facts.all('taskline'), spec.tolerate);
  const guest = judgeLog(facts.all('line'), spec.tolerate);
  const verdict = newer ? task : guest;
  const storage = spec.storage ?? guest.storage ?? task.storage;
  const runs = facts.get('runs');
  // Of several guests in one task this one may be done while the task goes on.
  if (runs !== undefined && started !== null && verdict.ended === 'unfinished') {
    const hours = hoursSince(started, now);
    const waits = runs === 'D' && now - (seconds(facts.get('wrote')) ?? now) > quietSeconds;
    if (hours <= (spec.max_age_hours ?? longestHours) && !waits) return { unknown: running };
    return { have: described(hanging(facts.get('task') ?? '', hours, waits), 'yes', storage) };
  }
  const age = hoursSince(newer ? started : (log ?? now), now);
  const limit = spec.max_age_hours ?? Number.POSITIVE_INFINITY;
  const fresh = age <= limit ? 'yes' : `the newest log is ${age} h old, at most ${limit} h are allowed`;
  return { have: described(verdict, fresh, storage) };
}

function hanging(task: string, hours: number, waits: boolean): LogVerdict {
  const line = `the worker ${task} goes on since ${hours} h${waits ? ', waiting in the kernel for a disk or mount that does not answer' : ''}`;
  const remedy = 'find out what it waits for, and end it, by `provision run vzdump/unstick`';
  return {
    ended: 'unfinished',
    problems: [{ code: 'worker-hanging', weight: 'failure', of: 'guest', remedy, line }],
  };
}

function described({ ended, problems }: LogVerdict, fresh: string, storage: string | undefined): State {
  const codes = problems.map(({ code }) => code);
  const remedies = [...new Set(problems.map(({ remedy }) => remedy))].filter((remedy) => remedy !== '');
  const says =
    problems.length > 0
      ? told(problems)
      : ended === 'unfinished'
        ? 'the log ends without saying how the backup ended: the worker was killed, or the node went down'
        : '';
  return {
    ended,
    problem: codes.length === 0 ? 'none' : [...new Set(codes)].join(', '),
    fresh,
    ...(storage === undefined ? {} : { storage }),
    ...(says === '' ? {} : { says }),
    ...(remedies.length === 0 ? {} : { mend: remedies.join('\n') }),
  };
}

function told(problems: readonly LogProblem[]): string {
  return problems
    .slice(0, toldLines)
    .map(({ line }) => line)
    .join('\n');
}

/** Codes that point to the storage; what the others point to is the guest, or the node. */
const ofStorage = [
  'chunk-store',
  'fingerprint',
  'no-space',
  'storage-offline',
  'storage-unreachable',
  'stale-mount',
  'denied',
  'not-permitted',
];

function symptoms(observed: Observed, spec: BackupLogSpec): Symptom[] {
  // A node knows no two guests by one number, whatever their kind.
  const guest = `guest:${spec.backup_log}`;
  const data = { guest: name(spec) };
  if ('unknown' in observed)
    return observed.unknown === running ? [{ code: 'backup-running', of: guest, says: running, data }] : [];
  if (observed.have === null) return [];
  const { ended, problem, fresh, storage, says } = observed.have;
  const found = String(problem)
    .split(', ')
    .filter((code) => code !== 'none')
    .map((code): Symptom => {
      const of = ofStorage.includes(code) && typeof storage === 'string' ? `storage:${storage}` : guest;
      return { code, of: code === 'lock-timeout' ? 'node:vzdump' : of, says: String(says ?? code), data };
    });
  if (found.length > 0) return found;
  if (ended === 'unfinished') return [{ code: 'unfinished', of: guest, says: String(says), data }];
  if (ended === 'never') return [{ code: 'no-backup', of: guest, says: String(fresh), data }];
  return fresh === 'yes' ? [] : [{ code: 'backup-old', of: guest, says: String(fresh), data }];
}
