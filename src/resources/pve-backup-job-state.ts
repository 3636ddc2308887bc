import type { Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { parseCalendar } from './calendar.ts';
import { describeCalendar } from './calendar-words.ts';
import type { BackupJobSpec } from './pve-backup-job-spec.ts';
import { type Section, type SectionFile, showComplaint, valueIn } from './section-config.ts';
import { type PerlFormat, parsePerlSections } from './section-config-perl.ts';

export const jobsFile = '/etc/pve/jobs.cfg';

/** For a key that is not there and has no value of its own then: /etc/vzdump.conf or Proxmox decides. */
const unset = 'not set';

/** Properties of a job that are one value each: their name in a spec and a state, their key, and what the key means when it is not there. */
export const jobKeys = [
  { name: 'storage', key: 'storage', absent: unset },
  { name: 'mode', key: 'mode', absent: unset },
  { name: 'compress', key: 'compress', absent: unset },
  { name: 'notes_template', key: 'notes-template', absent: unset },
  { name: 'enabled', key: 'enabled', absent: true },
  { name: 'node', key: 'node', absent: unset },
  { name: 'comment', key: 'comment', absent: unset },
  { name: 'repeat_missed', key: 'repeat-missed', absent: false },
  { name: 'bwlimit', key: 'bwlimit', absent: unset },
  { name: 'protected', key: 'protected', absent: false },
  { name: 'notification_mode', key: 'notification-mode', absent: 'auto' },
  { name: 'mailnotification', key: 'mailnotification', absent: 'always' },
] as const;

const booleans = ['enabled', 'repeat-missed', 'protected', 'all', 'remove', 'stdexcludes', 'quiet', 'stop'];
const lists = ['vmid', 'exclude', 'mailto', 'prune-backups', 'fleecing'];
/** Keys that say nothing about what the job does. */
const silent = ['schedule', 'pool', 'all', 'quiet'];
const further = [
  ...[
    'tmpdir',
    'dumpdir',
    'script',
    'exclude-path',
    'ionice',
    'lockwait',
    'stopwait',
    'zstd',
    'pigz',
    'performance',
    'maxfiles',
    'size',
  ],
  ...['pbs-change-detection-mode', 'notification-policy', 'notification-target', 'next-run', 'job-id'],
];
const number = (value: string): string | null => (/^\+?\d+$/.test(value) ? null : 'this is no number');
const word =
  (...words: string[]) =>
  (value: string): string | null =>
    words.includes(value) ? null : `only ${words.join(', ')} are understood`;

/** As much of jobs.cfg as Proxmox VE 7 to 9 knows. */
const format: PerlFormat = {
  types: {
    vzdump: {
      required: ['schedule'],
      optional: [
        ...new Set([...jobKeys.map(({ key }) => key), ...booleans, ...lists, ...silent, ...further]),
      ].filter((key) => key !== 'schedule'),
    },
    'realm-sync': { required: [], optional: null },
  },
  repeated: ['exclude-path'],
  booleans,
  values: {
    mode: word('snapshot', 'suspend', 'stop'),
    compress: word('0', '1', 'gzip', 'lzo', 'zstd'),
    'notification-mode': word('auto', 'legacy-sendmail', 'notification-system'),
    mailnotification: word('always', 'failure'),
    bwlimit: number,
    'prune-backups': (value) =>
      /^keep-(all|last|hourly|daily|weekly|monthly|yearly)=\d+(,keep-(all|last|hourly|daily|weekly|monthly|yearly)=\d+)*$/.test(
        value,
      )
        ? null
        : 'this is no retention',
  },
  without: (_type, key) =>
    key === 'prune-backups'
      ? 'and the job prunes as the storage or /etc/vzdump.conf says, or nothing'
      : undefined,
};

/** The jobs of a host, as Proxmox reads them. */
function parseJobs(text: string): SectionFile {
  return parsePerlSections(text, format);
}

/** The state asked for. What a spec leaves out is not to be set: then the defaults of Proxmox and of /etc/vzdump.conf hold. */
export function wantedJob(spec: BackupJobSpec): State | null {
  if (spec.state === 'absent') return null;
  const single = jobKeys.map(({ name, absent }) => [name, spec[name] ?? absent] as const);
  return {
    guests: guests(spec.vmid?.map(String), spec.all === true, spec.exclude?.map(String), spec.pool),
    schedule: meaning(spec.schedule ?? ''),
    ...Object.fromEntries(single),
    mailto: spec.mailto === undefined ? unset : [...spec.mailto].sort().join(','),
    prune_backups: spec.prune_backups === undefined ? unset : prune(Object.entries(spec.prune_backups)),
    fleecing: spec.fleecing ?? 'off',
    others: others(Object.entries(spec.options ?? {}).map(([key, value]) => [key, texts(value)] as const)),
  };
}

function texts(value: string | number | boolean | readonly string[]): readonly string[] {
  if (typeof value === 'boolean') return [value ? '1' : '0'];
  return typeof value === 'object' ? value : [String(value)];
}

/**
 * The job in jobs.cfg. `says`: why no job may be changed through Proxmox now: it would fail, or it would write the file anew and so
 * drop what it cannot read.
 */
export function readJob(facts: Facts, { pve_backup_job: id, state }: BackupJobSpec): Observed {
  const unknown = facts.get('unknown');
  if (unknown !== undefined) return { unknown };
  const rows = facts.all('file');
  if (rows.length === 0) return { unknown: `${jobsFile} could not be read` };
  const { sections, complaints } = parseJobs(rows.join('\n'));
  const worst = complaints.find(({ level }) => level !== 'key');
  const trouble = worst === undefined ? {} : { says: showComplaint(jobsFile, worst) };
  const section = sections.find((one) => one.id === id);
  if (section !== undefined && section.type !== 'vzdump')
    return {
      have: {
        says: `${jobsFile} line ${section.line}: the id ${id} belongs to a job of the type ${section.type}`,
      },
    };
  if (section === undefined)
    return { have: worst === undefined || (state === 'absent' && worst.section !== id) ? null : trouble };
  return { have: { ...stateOf(section), ...trouble } };
}

function stateOf(section: Section): State {
  const value = (key: string): string | undefined => valueIn(section, key);
  const single = jobKeys.map(({ name, key, absent }) => {
    const text = value(key);
    return [name, text === undefined ? absent : typed(key, text)] as const;
  });
  const known = [...jobKeys.map(({ key }) => key as string), ...lists, ...silent];
  const rest = [...section.keys].filter(([key]) => !known.includes(key));
  const retention = value('prune-backups')
    ?.split(',')
    .map((part) => part.split('='));
  return {
    guests: guests(split(value('vmid')), value('all') === '1', split(value('exclude')), value('pool')),
    schedule: meaning(value('schedule') ?? ''),
    ...Object.fromEntries(single),
    mailto: split(value('mailto'))?.sort().join(',') ?? unset,
    prune_backups:
      retention === undefined ? unset : prune(retention.map(([name = '', kept]) => [name, Number(kept)])),
    fleecing: fleecing(value('fleecing')),
    others: others(rest.map(([key, entries]) => [key, entries.map((entry) => entry.value)] as const)),
    // Which keys a change has to take away.
    keys: [...section.keys.keys()].sort().join(','),
  };
}

function typed(key: string, text: string): string | number | boolean {
  if (booleans.includes(key)) return text === '1';
  if (key === 'bwlimit') return Number(text);
  if (key === 'compress' && text === '1') return 'lzo';
  return key === 'comment' ? decoded(text) : text;
}

function guests(vmid?: readonly string[], all?: boolean, exclude?: readonly string[], pool?: string): string {
  const numbers = (list: readonly string[]): string =>
    [...new Set(list.map(Number))].sort((a, b) => a - b).join(', ');
  if (vmid !== undefined) return numbers(vmid);
  if (pool !== undefined) return `pool ${pool}`;
  if (exclude !== undefined && exclude.length > 0) return `all but ${numbers(exclude)}`;
  return all ? 'all' : 'none';
}

function split(text: string | undefined): string[] | undefined {
  return text?.split(/[,; \t]+/).filter((part) => part !== '');
}

/** Schedules are equal when they fire at the same times. */
function meaning(text: string): string {
  const event = parseCalendar(text);
  return event === null ? `not understood: ${text}` : describeCalendar(event);
}

const kept = [
  'keep-all',
  'keep-last',
  'keep-hourly',
  'keep-daily',
  'keep-weekly',
  'keep-monthly',
  'keep-yearly',
];

/** In one order, without zeros: all zeros keep everything. */
function prune(parts: readonly (readonly [string, number])[]): string {
  const counting = parts.filter(([, count]) => count > 0);
  if (counting.length === 0) return 'keep-all=1';
  return [...counting]
    .sort(([one], [other]) => kept.indexOf(one) - kept.indexOf(other))
    .map(([name, count]) => `${name}=${count}`)
    .join(',');
}

/** `enabled=1,storage=x`, which Proxmox writes back as `1,storage=x`. */
function fleecing(text: string | undefined): string {
  const parts = text?.split(',') ?? [];
  const on = parts.includes('1') || parts.includes('enabled=1');
  const storage = parts.find((part) => part.startsWith('storage='))?.slice('storage='.length);
  return on ? (storage ?? 'on without a storage') : 'off';
}

function others(entries: readonly (readonly [string, readonly string[]])[]): string {
  return entries
    .map(
      ([key, values]) =>
        `${key} ${[...values]
          .flatMap((value) => split(value) ?? [])
          .sort()
          .join(' ')}`,
    )
    .sort()
    .join('; ');
}

/** Comments are percent-encoded in the file. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
