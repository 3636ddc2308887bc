import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Observed } from '../model/state.ts';
import { lines } from '../shell/sh.ts';
import { hoursSince, instant, seconds, stillToCome } from './ages.ts';
import { lookDumps } from './dump-backups-look.ts';
import { pathSchema } from './properties.ts';

export interface DumpBackupsSpec {
  readonly dump_backups: string;
  readonly guests: readonly {
    readonly vmid: number;
    readonly kind: 'vm' | 'ct';
    readonly max_age_hours?: number;
    readonly suspect_since?: string;
  }[];
  readonly max_age_hours?: number;
  readonly whole?: boolean;
  readonly whole_limit?: number;
}

const defaultAge = 48;
/** Seconds that reading one archive to its end may take. */
const defaultWhole = 120;
/** Seconds for listing the directory. */
const listLimit = 10;

const moment = {
  type: 'string',
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z)?$',
} as const;
const hours = { type: 'integer', minimum: 1 } as const;

/** Whether a directory of dumps has a fresh archive of each guest. */
export const dump_backups = defineType<DumpBackupsSpec>({
  name: 'dump_backups',
  about:
    'Whether a directory of dumps holds an archive of each guest that is new enough and not empty; on request the newest of each is read to its end. Archives made since a guest was damaged are told as suspect.',
  example: `dump_backups: /mnt/pve/truenas-bu/dump
guests:
  - {vmid: 1031, kind: ct}
  - {vmid: 1034, kind: ct, suspect_since: 2026-11-02}
max_age_hours: 48
whole: true
`,
  checkOnly: true,
  shared: ['now'],
  schema: {
    type: 'object',
    required: ['dump_backups', 'guests'],
    additionalProperties: false,
    properties: {
      dump_backups: { ...pathSchema, description: 'Directory that vzdump writes to.' },
      guests: {
        type: 'array',
        description: 'The guests that must have an archive there.',
        items: {
          type: 'object',
          required: ['vmid', 'kind'],
          additionalProperties: false,
          properties: {
            vmid: { type: 'integer', minimum: 100, maximum: 999999999, description: 'Id of the guest.' },
            kind: { enum: ['vm', 'ct'], description: 'Virtual machine or container.' },
            max_age_hours: { ...hours, description: 'Hours, for this guest.' },
            suspect_since: {
              ...moment,
              description: 'Day (or moment in UTC) since which its archives may hold damage.',
            },
          },
        },
      },
      max_age_hours: {
        ...hours,
        description: `Hours after which the newest is too old (default ${defaultAge}).`,
      },
      whole: {
        type: 'boolean',
        description:
          'Read the newest archive of each guest to its end, with `zstd -t` or its like (default false).',
      },
      whole_limit: {
        type: 'integer',
        minimum: 1,
        maximum: 3600,
        description: `Seconds that may take for each (default ${defaultWhole}).`,
      },
    },
  },
  limit: (spec) =>
    listLimit + 5 + (spec.whole ? (spec.whole_limit ?? defaultWhole) + 2 : 0) * spec.guests.length,
  identity: (spec) => spec.dump_backups,
  needs: (spec) => [`path:${spec.dump_backups}`],
  want: (spec) => ({
    old: 'none',
    missing: 'none',
    empty: 'none',
    suspect: 'none',
    ...(spec.whole ? { broken: 'none' } : {}),
  }),
  observe: (specs) =>
    lines(
      specs.map((spec) =>
        lookDumps({
          directory: spec.dump_backups,
          guests: spec.guests.map(({ kind, vmid }) => `${kind === 'vm' ? 'qemu' : 'lxc'}-${vmid}`),
          whole: spec.whole ? (spec.whole_limit ?? defaultWhole) : null,
          limit: listLimit,
        }),
      ),
    ),
  read,
  symptoms,
  steps: () => [],
});

interface Archive {
  readonly guest: string;
  readonly file: string;
  readonly size: number;
  /** Epoch seconds of the time in its name. */
  readonly made: number;
}

/** "archive NAME SIZE MADE"; names are those of vzdump, so there is no blank in them. */
function archive(text: string): Archive[] {
  const [file = '', size, made] = text.split(' ');
  const [, kind, vmid] = /^vzdump-(qemu|lxc)-(\d+)-/.exec(file) ?? [];
  const time = seconds(made);
  if (vmid === undefined || time === null) return [];
  return [{ guest: `${kind === 'qemu' ? 'vm' : 'ct'}/${vmid}`, file, size: Number(size), made: time }];
}

function read(facts: Facts, spec: DumpBackupsSpec): Observed {
  const now = seconds(facts.get('now'));
  if (now === null || facts.get('listed') === undefined)
    return { unknown: 'the directory was not looked at' };
  if (facts.get('listed') !== 'yes') return { have: null };
  const all = facts.all('archive').flatMap(archive);
  const tested = new Map(facts.all('whole').map((text) => splitOnce(text)));
  const [old, missing, empty, suspect, broken, unread]: string[][] = [[], [], [], [], [], []];
  for (const guest of spec.guests) {
    const name = `${guest.kind}/${guest.vmid}`;
    const own = all.filter((one) => one.guest === name).sort((a, b) => b.made - a.made);
    const [newest] = own;
    if (newest === undefined) {
      missing?.push(name);
      continue;
    }
    const limit = guest.max_age_hours ?? spec.max_age_hours ?? defaultAge;
    const age = hoursSince(newest.made, now);
    const ahead = stillToCome(newest.made, now);
    if (ahead !== null) old?.push(`${name} ${ahead}`);
    if (age > limit) old?.push(`${name} is ${age} h old, at most ${limit} h are allowed`);
    if (!(newest.size > 0)) empty?.push(`${name}: ${newest.file}`);
    const doubt = doubts(own, guest.suspect_since);
    if (doubt !== null) suspect?.push(`${name}: ${doubt}`);
    if (!spec.whole) continue;
    const said = tested.get(newest.file) ?? 'was not read';
    if (said === 'slow' || said === 'was not read' || said.startsWith('cannot'))
      unread?.push(`${newest.file} ${said === 'slow' ? 'could not be read to its end in time' : said}`);
    else if (said !== 'ok') broken?.push(`${name}: ${newest.file}: ${said}`);
  }
  // What is certain is told all the same.
  const certain = [old, missing, empty, suspect, broken].some((found) => (found ?? []).length > 0);
  if (!certain && unread?.[0] !== undefined) return { unknown: list(unread) };
  return {
    have: {
      old: list(old),
      missing: list(missing),
      empty: list(empty),
      suspect: list(suspect),
      ...(spec.whole ? { broken: list([...(broken ?? []), ...(unread ?? [])]) } : {}),
    },
  };
}

function splitOnce(text: string): [string, string] {
  const blank = text.indexOf(' ');
  return [text.slice(0, blank), text.slice(blank + 1)];
}

function list(entries: readonly string[] | undefined): string {
  return entries === undefined || entries.length === 0 ? 'none' : entries.join('; ');
}

/** Which archives may hold damage, and the newest that does not. */
function doubts(own: readonly Archive[], since: string | undefined): string | null {
  if (since === undefined) return null;
  const from = Date.parse(since) / 1000;
  const after = own.filter(({ made }) => made >= from);
  if (after.length === 0) return null;
  const good = own.find(({ made }) => made < from);
  const fallback =
    good === undefined ? 'none is older' : `the newest before is ${good.file} of ${instant(good.made)}`;
  return `${after.length} made since ${since} may hold damage, ${fallback}`;
}

function symptoms(observed: Observed, spec: DumpBackupsSpec): Symptom[] {
  const of = `dumps:${spec.dump_backups}`;
  if ('unknown' in observed)
    return observed.unknown.includes('hangs') ? [{ code: 'mount-hangs', of, says: observed.unknown }] : [];
  if (observed.have === null)
    return [{ code: 'dumps-absent', of, says: `${spec.dump_backups} is not there` }];
  const { old, missing, empty, suspect, broken = 'none' } = observed.have;
  const told = {
    'backup-old': old,
    'no-backup': missing,
    'backup-empty': empty,
    'backup-broken': broken,
    'backup-suspect': suspect,
  };
  return Object.entries(told)
    .filter(([, says]) => says !== 'none')
    .map(([code, says]) => ({ code, of, says: String(says) }));
}
