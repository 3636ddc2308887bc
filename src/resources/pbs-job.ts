import { type Change, defineType, type Facts, type SpecMistake, type Step } from '../model/resource.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { parseCalendar } from './calendar.ts';
import { calendarTrap } from './calendar-traps.ts';
import { describeCalendar } from './calendar-words.ts';
import { letProxyRead, lookCfg, option, pathOf, readCfg, sharedFacts } from './pbs-cfg.ts';
import { type JobKey, type JobKind, jobKeys, jobKinds, onHost, places } from './pbs-job-keys.ts';
import { stateWord } from './properties.ts';
import { type Section, valueIn } from './section-config.ts';

type JobValue = string | number | boolean | readonly string[];

export interface PbsJobSpec {
  readonly pbs_job: string;
  readonly kind: JobKind;
  readonly state?: 'present' | 'absent';
  readonly [key: string]: JobValue | undefined;
}

/** A job of a backup server: all of it, a key that is not named has its default. */
export const pbsJob = defineType<PbsJobSpec>({
  name: 'pbs_job',
  about:
    'A prune, verify, sync or garbage collection job of Proxmox Backup Server. It is kept as a whole: a key that is not named is at its default. For garbage collection (gc) the id is the datastore.',
  example: `pbs_job: daily-prune
kind: prune
store: pbs-datastore
schedule: "04:00"
keep_daily: 7
keep_weekly: 4
`,
  schema: {
    type: 'object',
    required: ['pbs_job', 'kind'],
    additionalProperties: false,
    properties: {
      pbs_job: {
        type: 'string',
        pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$',
        description: 'Id of the job, 3 to 32 characters; for gc the name of the datastore.',
        $comment: 'PBS takes ids of 3 to 32 letters, digits, "_", "." and "-".',
      },
      kind: { enum: jobKinds, description: 'prune, verify, sync, or gc for garbage collection.' },
      ...Object.fromEntries(Object.entries(jobKeys).map(([key, { schema }]) => [key, schema])),
      state: { ...stateWord, description: '`absent` removes the job, and no backup (default present).' },
    },
  },
  needsLive: true,
  tools: ['proxmox-backup-manager'],
  stepLimit: 120,
  shared: sharedFacts,
  mistakes,
  identity: (spec) => `${spec.kind}/${spec.pbs_job}`,
  provides: (spec) => [`pbs-job:${spec.kind}/${spec.pbs_job}`],
  needs: (spec) => [
    `datastore:${storeOf(spec)}`,
    'unit:proxmox-backup.service',
    'unit:proxmox-backup-proxy.service',
    'package:proxmox-backup-server',
  ],
  want: (spec) =>
    spec.state === 'absent'
      ? null
      : {
          ...Object.fromEntries(given(spec).map(([key, known, value]) => [key, wantedValue(known, value)])),
          // The file of a gc job is that of the datastores, which see to it.
          ...(spec.kind === 'gc' ? {} : { other: 'none', proxy_reads: true }),
        },
  observe: (specs) =>
    lookCfg(
      specs.flatMap((spec) => {
        const { file, section } = places[spec.kind];
        const identity = `${spec.kind}/${spec.pbs_job}`;
        const own = { identity, file, own: [`${section}: ${spec.pbs_job}`] };
        return spec.kind === 'gc' ? [own] : [own, { identity, file: 'datastore' as const, own: [] }];
      }),
    ),
  read,
  steps,
});

function storeOf(spec: PbsJobSpec): string {
  return spec.kind === 'gc' ? spec.pbs_job : String(spec.store ?? '');
}

function given(spec: PbsJobSpec): [string, JobKey, JobValue][] {
  return Object.entries(jobKeys).flatMap(([key, known]) => {
    const value = spec[key];
    return value === undefined ? [] : [[key, known, value] as [string, JobKey, JobValue]];
  });
}

function mistakes(spec: PbsJobSpec): SpecMistake[] {
  const { kind } = spec;
  const foreign = given(spec).flatMap(([key, known]) =>
    known.kinds.includes(kind) ? [] : [{ at: [key], says: `is no key of a ${kind} job` }],
  );
  if (spec.state === 'absent' || foreign.length > 0) return foreign;
  const required: Readonly<Record<JobKind, readonly string[]>> = {
    prune: ['store', 'schedule'],
    verify: ['store'],
    sync: ['store', 'remote_store'],
    gc: ['schedule'],
  };
  const missing = required[kind].filter((key) => spec[key] === undefined);
  const trap = typeof spec.schedule === 'string' ? calendarTrap(spec.schedule) : null;
  const keeps = given(spec).some(([key]) => key.startsWith('keep_'));
  return [
    ...missing.map((key) => ({ at: [], says: `has no ${key}, which a ${kind} job needs` })),
    ...(trap === null ? [] : [{ at: ['schedule'], ...trap }]),
    ...(kind === 'prune' && !keeps
      ? [
          {
            at: [],
            says: 'has no keep_... at all: PBS skips such a job, and nothing is ever pruned',
            hint: 'say what to keep, such as keep_daily: 7',
          },
        ]
      : []),
  ];
}

function wantedValue(known: JobKey, value: JobValue): Value {
  return meaning(known, Array.isArray(value) ? value : [String(value)]);
}

/** Values that mean the same are equal. */
function meaning({ means }: JobKey, values: readonly string[]): Value {
  const [first = ''] = values;
  if (means === 'number') return Number(first);
  if (means === 'boolean') return /^(1|true)$/.test(first);
  if (means === 'list') return [...values].sort().join(', ');
  if (means === 'size') return first.replaceAll(' ', '').replace(/B$/, '');
  if (means !== 'calendar') return first;
  const event = parseCalendar(first);
  return event === null ? first : describeCalendar(event);
}

function read(facts: Facts, spec: PbsJobSpec): Observed {
  const { file, section: type } = places[spec.kind];
  const jobs = readCfg(facts, file);
  if ('unknown' in jobs) return jobs;
  const stores = spec.kind === 'gc' ? jobs : readCfg(facts, 'datastore');
  if ('unknown' in stores) return stores;
  const section = jobs.sections.find((one) => one.id === spec.pbs_job && one.type === type);
  const store = storeOf(spec);
  const blocked =
    spec.state === 'absent' || stores.sections.some(({ id }) => id === store)
      ? {}
      : { blocked: `PBS has no datastore ${store}` };
  if (section === undefined) return { have: null, ...blocked };
  const scheduled = valueIn(section, spec.kind === 'gc' ? 'gc-schedule' : 'schedule') ?? '';
  if (spec.kind === 'gc' && scheduled === '') return { have: null };
  // Whatever it is like, it is there and has to go.
  if (spec.state === 'absent') return { have: { schedule: scheduled } };
  if (spec.kind === 'gc') return { have: seen(spec, section, 'gc-schedule') };
  return {
    have: { ...seen(spec, section), other: others(spec, section), proxy_reads: jobs.proxyReads },
    ...blocked,
  };
}

function seen(spec: PbsJobSpec, section: Section, schedule = 'schedule'): State {
  return Object.fromEntries(
    given(spec).flatMap(([key, known]) => {
      const name = key === 'schedule' ? schedule : onHost(key);
      const values = section.keys.get(name)?.map(({ value }) => value) ?? [known.otherwise].filter(isText);
      return values.length === 0 ? [] : [[key, meaning(known, values)]];
    }),
  );
}

/** Keys that change what the job does although nobody asked for them. */
function others(spec: PbsJobSpec, section: Section): string {
  const found = Object.entries(jobKeys).flatMap(([key, { kinds, otherwise }]) => {
    const value = valueIn(section, onHost(key));
    if (value === undefined || spec[key] !== undefined || !kinds.includes(spec.kind)) return [];
    // A comment changes nothing; whoever wrote it may keep it.
    return value === otherwise || key === 'comment' || value === '' ? [] : [onHost(key)];
  });
  return found.length === 0 ? 'none' : found.join(' ');
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}

function steps({ spec, have, want, differs }: Change<PbsJobSpec>): Step[] {
  const { command, file } = places[spec.kind];
  const id = spec.pbs_job;
  const job = `the ${spec.kind} job ${id}`;
  if (spec.kind === 'gc') {
    const words =
      want === null ? option('delete', 'gc-schedule') : option('gc-schedule', String(spec.schedule));
    const about = want === null ? `no garbage collection of ${id} any more` : `garbage collection of ${id}`;
    return [{ about, run: sh`proxmox-backup-manager datastore update ${id} ${words}` }];
  }
  if (want === null)
    return [{ about: `remove ${job}`, run: sh`proxmox-backup-manager ${command} remove ${id}` }];
  if (have === null)
    return [
      {
        about: `make ${job}`,
        run: sh`proxmox-backup-manager ${command} create ${id} ${settings(spec, (_, value) => String(value) !== '')}`,
      },
    ];
  const surplus = differs.includes('other') ? String(have.other).split(' ') : [];
  const words = [
    ...settings(spec, (key) => differs.includes(key)),
    ...surplus.map((key) => option('delete', key)),
  ];
  return [
    ...(words.length === 0
      ? []
      : [{ about: `change ${job}`, run: sh`proxmox-backup-manager ${command} update ${id} ${words}` }]),
    ...(differs.includes('proxy_reads')
      ? [{ about: `let the proxy read ${pathOf(file)}`, run: letProxyRead(file) }]
      : []),
  ];
}

function settings(spec: PbsJobSpec, chosen: (key: string, value: JobValue) => boolean): string[] {
  return given(spec)
    .filter(([key, , value]) => chosen(key, value))
    .flatMap(([key, , value]) => {
      if (Array.isArray(value) && value.length === 0) return [option('delete', onHost(key))];
      const values: readonly JobValue[] = Array.isArray(value) ? value : [value as string];
      return values.map((one) =>
        one === '' ? option('delete', onHost(key)) : option(onHost(key), String(one)),
      );
    });
}
