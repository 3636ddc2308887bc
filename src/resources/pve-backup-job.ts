import { type Change, defineType, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';
import { type BackupJobSpec, backupJobMistakes, backupJobSchema } from './pve-backup-job-spec.ts';
import { jobKeys, jobsFile, readJob, wantedJob } from './pve-backup-job-state.ts';
import { readCfs, unlessQuorate } from './pve-cfs.ts';

/** A backup job of Proxmox VE. */
export const pveBackupJob = defineType<BackupJobSpec>({
  name: 'pve_backup_job',
  about:
    'A backup job of Proxmox VE: which guests, when, how and where to. It is read from /etc/pve/jobs.cfg, compared by meaning, and changed through the API, never by writing the file.',
  example: `pve_backup_job: media-stop
vmid: [1031, 1034]
schedule: "02:00"
storage: truenas-bu
mode: stop
prune_backups: {keep-last: 3, keep-weekly: 4}
notes_template: "{{guestname}}"
`,
  schema: backupJobSchema,
  needsLive: true,
  tools: ['pvesh'],
  stepLimit: 120,
  shared: ['file'],
  mistakes: backupJobMistakes,
  identity: (spec) => spec.pve_backup_job,
  provides: (spec) => [`part:${jobsFile}#${spec.pve_backup_job}`],
  needs: (spec) =>
    spec.state === 'absent'
      ? []
      : [spec.storage, spec.fleecing].flatMap((storage) =>
          storage === undefined ? [] : [`storage:${storage}`],
        ),
  want: wantedJob,
  observe,
  read: (facts, spec) => unlessQuorate(facts, readJob(facts, spec)),
  refuse: ({ have }) =>
    typeof have?.says === 'string'
      ? `${have.says}. Nothing was changed: correct that line first, for a change through Proxmox would fail or drop what it cannot read`
      : null,
  steps,
  // Also where the job itself is as wanted: the next change that anybody makes to any job would show it.
  symptoms: (observed, spec) => {
    const trouble = 'have' in observed ? observed.have?.says : undefined;
    if (typeof trouble !== 'string') return [];
    return [
      { code: 'config-broken', of: `file:${jobsFile}`, says: trouble, data: { job: spec.pve_backup_job } },
    ];
  },
});

/**
 * The whole file, which other jobs' changes alter too, and what belongs to this job alone: its lines in one order and spelling, so that
 * they stay the same when Proxmox writes the file anew.
 */
function observe(specs: readonly BackupJobSpec[]): Sh {
  const ids = specs.map((spec) => spec.pve_backup_job);
  return sh`${readCfs(ids, '[ ! -e jobs.cfg ] || cat jobs.cfg')}
[ -n "$lost" ] || { printf '%s\n' ${ids} .; printf '%s\n' "$seen"; } | awk ${own}`;
}

const own = `!raw && $0 == "." { raw = 1; next }
!raw { id[++n] = $0; next }
{ line[++m] = $0 }
function sorted(list, count,  i, j, t) {
  for (i = 2; i <= count; i++)
    for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
}
function plain(text,  key, value, part, count, i) {
  sub(/^[ \\t]+/, "", text)
  sub(/[ \\t\\r]+$/, "", text)
  key = text
  sub(/[ \\t].*/, "", key)
  value = substr(text, length(key) + 1)
  if (key == "comment") {
    gsub(/%[0-9A-Fa-f][0-9A-Fa-f]/, "", value)
    gsub(/[^A-Za-z0-9]/, "", value)
  }
  if (key == "fleecing") gsub(/enabled=/, "", value)
  gsub(/[,;\\t]/, " ", value)
  count = split(value, part, " ")
  sorted(part, count)
  value = key
  for (i = 1; i <= count; i++) value = value " " part[i]
  return value
}
END {
  for (k = 1; k <= n; k++) {
    for (i = 1; i <= m; i++) print id[k] "\\tfile\\t" line[i]
    inside = ""; count = 0
    for (i = 1; i <= m; i++) {
      if (line[i] ~ /^[ \\t]*#/) continue
      if (line[i] == "") { inside = ""; continue }
      if (inside == "" && line[i] ~ /^[^ \\t]+:/) {
        head = line[i]
        sub(/^[^ \\t]+:[ \\t]*/, "", head)
        sub(/[ \\t]+$/, "", head)
        inside = head
        if (inside == id[k]) mine[++count] = "job " line[i]
        continue
      }
      if (inside != id[k] || inside == "") continue
      text = plain(line[i])
      if (text != "enabled 1") mine[++count] = text
    }
    sorted(mine, count)
    for (i = 1; i <= count; i++) print id[k] "\\town\\t" mine[i]
  }
}`;

function steps({ spec, have, want, differs }: Change<BackupJobSpec>): Step[] {
  const id = spec.pve_backup_job;
  if (want === null)
    return [
      {
        about: `pvesh delete /cluster/backup/${id} (its backups stay)`,
        run: sh`pvesh delete ${`/cluster/backup/${id}`} >/dev/null`,
      },
    ];
  const all = parameters(spec);
  if (have === null)
    return [
      {
        about: `pvesh create /cluster/backup --id ${id}`,
        run: sh`pvesh create /cluster/backup --id ${id} ${flags(all)} >/dev/null`,
      },
    ];
  const wanted = new Set(differs.flatMap(keysOf));
  const there = String(have.keys ?? '').split(',');
  // What the API clears by itself when the selection changes is not asked for again.
  const cleared = ['vmid', 'all', 'pool', ...(spec.all === true ? [] : ['exclude'])];
  const further = differs.includes('others') ? there.filter((key) => !ownKeys.has(key)) : [];
  const gone = [...there.filter((key) => wanted.has(key) && !cleared.includes(key)), ...further].filter(
    (key) => !all.some(([name]) => name === key),
  );
  const options = new Set(Object.keys(spec.options ?? {}));
  // The schedule always goes with it: some versions compare it without looking whether it was given.
  const set = all.filter(
    ([key]) => key === 'schedule' || wanted.has(key) || (differs.includes('others') && options.has(key)),
  );
  const away: [string, string][] = gone.length === 0 ? [] : [['delete', gone.join(',')]];
  return [
    {
      about: `pvesh set /cluster/backup/${id} (${differs.join(', ')})`,
      run: sh`pvesh set ${`/cluster/backup/${id}`} ${flags([...set, ...away])} >/dev/null`,
    },
  ];
}

const ownKeys = new Set([
  ...jobKeys.map(({ key }) => key as string),
  ...['schedule', 'vmid', 'all', 'exclude', 'pool', 'mailto', 'prune-backups', 'fleecing', 'quiet'],
]);

/** Keys of the file behind a property of the state. */
function keysOf(property: string): string[] {
  if (property === 'guests') return ['vmid', 'all', 'exclude', 'pool'];
  const single = jobKeys.find(({ name }) => name === property);
  return [single?.key ?? property.replaceAll('_', '-')];
}

/** All that a spec gives, as parameters of the API. */
function parameters(spec: BackupJobSpec): (readonly [string, string])[] {
  const single = jobKeys.flatMap(({ name, key }) => {
    const value = name === 'enabled' ? (spec.enabled ?? true) : spec[name];
    return value === undefined ? [] : [[key, text(value)] as const];
  });
  const lists = Object.entries({ vmid: spec.vmid, exclude: spec.exclude, mailto: spec.mailto });
  const prune = Object.entries(spec.prune_backups ?? {}).map(([name, kept]) => `${name}=${kept}`);
  const options = Object.entries(spec.options ?? {}).flatMap(([key, value]) =>
    typeof value === 'object' ? value.map((one) => [key, one] as const) : [[key, text(value)] as const],
  );
  return [
    ...lists.flatMap(([key, list]) => (list === undefined ? [] : [[key, list.join(',')] as const])),
    ...(spec.all === true ? [['all', '1'] as const] : []),
    ...(spec.pool === undefined ? [] : [['pool', spec.pool] as const]),
    ['schedule', spec.schedule ?? ''],
    ...single,
    ...(prune.length === 0 ? [] : [['prune-backups', prune.join(',')] as const]),
    ...(spec.fleecing === undefined ? [] : [['fleecing', `enabled=1,storage=${spec.fleecing}`] as const]),
    ...options,
  ];
}

function text(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}

function flags(all: readonly (readonly [string, string])[]): readonly string[] {
  return all.flatMap(([key, value]) => [`--${key}`, value]);
}
