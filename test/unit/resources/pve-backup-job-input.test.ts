import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pveBackupJob } from '../../../src/resources/pve-backup-job.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { loadSite } from '../../../src/roles/site.ts';
import { told, write } from '../bad-input/tree.ts';

const keys =
  'vmid all exclude pool schedule storage mode compress prune_backups maxfiles starttime options'.split(' ');

/** What a person reads who asks for this job; the line numbers are those of the host's file. */
async function complaints(job: string): Promise<string> {
  const host =
    'host: one\nplatform: pve\nconnection: {address: 10.0.0.1}\ngroups: []\nroles: [jobs]\nvars:\n  jobs:\n';
  const root = write({
    'inventory/groups/web.yaml': 'group: web\n',
    'inventory/hosts/one.yaml': `${host}    list:\n      - ${job.replaceAll('\n', '\n        ')}\n`,
    'roles/web/role.yaml': 'role: web\nabout: Nothing.\nplatforms: [pve]\n',
    'roles/jobs/role.yaml': `role: jobs\nabout: Jobs.\nplatforms: [pve]\nvariables:\n  list: {type: array, items: {type: object}, default: []}\nresources:
  - each: \${list}
    pve_backup_job: nightly
${keys
  .filter((key) => new RegExp(`^${key}:`, 'm').test(job))
  .map((key) => `    ${key}: \${item.${key}}\n`)
  .join('')}`,
  });
  const dirs = {
    inventory: join(root, 'inventory'),
    roles: join(root, 'roles'),
    templates: join(root, 'templates'),
  };
  try {
    await expandHost(await loadSite(dirs, { types: [pveBackupJob] }), 'one');
    return 'no mistake';
  } catch (error) {
    return told(error).replaceAll(`${root}/`, '');
  }
}

const good = 'vmid: [111]\nschedule: "02:00"\nstorage: local\nmode: stop';

test('a good one', async () => {
  expect(await complaints(good)).toBe('no mistake');
});

test.each([
  [
    'schedule: "02:00"',
    'schedule: "22"',
    /:10:\d+: schedule of pve_backup_job:nightly is "22", which Proxmox takes for: at minute 22 of every hour/,
  ],
  [
    'schedule: "02:00"',
    'schedule: 02:30,14:30',
    /:10:\d+: .*takes for: every day at 02:14:30 and 02:30:30.*-> .*"2,14:30"/s,
  ],
  ['schedule: "02:00"', 'schedule: "24:00"', /takes for: at minute 24 of every hour/],
  ['schedule: "02:00"', 'schedule: "*-02-30"', /takes for: never/],
  ['schedule: "02:00"', 'schedule: "@daily"', /which Proxmox refuses.*-> write "daily"/s],
  ['schedule: "02:00"', 'schedule: 0 2 * * *', /which Proxmox refuses.*-> that is a line of cron/s],
  ['schedule: "02:00"\n', '', /"schedule" is missing.*-> .*every later change of any job fails/s],
  ['storage: local\n', '', /"storage" is missing.*-> .*where \/etc\/vzdump.conf says, or to "local"/s],
  ['storage: local', 'storage: a', /storage of pve_backup_job:nightly is "a"/],
  [
    'mode: stop',
    'mode: Stop',
    /:12:\d+: mode of pve_backup_job:nightly is "Stop"; allowed: snapshot, suspend, stop.*-> did you mean "stop"\? Proxmox would drop it/s,
  ],
  [
    'mode: stop',
    'prune_backups: {keep-lsat: 3}',
    /:12:\d+: unknown key "keep-lsat".*did you mean "keep-last"\? Proxmox would drop the whole of prune-backups for it, and nothing/s,
  ],
  ['mode: stop', 'prune_backups: {keep-all: 1, keep-last: 3}', /keep-all beside others/],
  ['mode: stop', 'prune_backups: {keep-last: 0}', /takes for keeping all/],
  [
    'mode: stop',
    'maxfiles: 3',
    /maxfiles of pve_backup_job:nightly is not allowed.*-> Proxmox VE 9 drops it/s,
  ],
  [
    'schedule: "02:00"',
    'starttime: "02:00"',
    /starttime of .* is not allowed.*every later change of any job would fail/s,
  ],
  ['vmid: [111]', 'vmid: [111]\nall: true', /:10:\d+: all of pve_backup_job:nightly stands beside vmid/],
  [
    'vmid: [111]',
    'exclude: [111]',
    /exclude of .* has no "all": Proxmox takes exclude alone for all guests but these/,
  ],
  ['vmid: [111]', 'pool: p\nexclude: [111]', /exclude of .* stands beside pool, which Proxmox refuses/],
  ['vmid: [111]\n', '', /pve_backup_job:nightly selects no guests: the job would fail at every run/],
  ['vmid: [111]', 'vmid: []', /vmid of .* is an empty list/],
  ['mode: stop', 'options: {tmpdir: ../x}', /options.tmpdir of /],
  ['mode: stop', 'options: {dow: sat}', /unknown key "dow"/],
])('%s -> %s', async (from, to, message) => {
  expect(good).toContain(from);
  const text = `${good}\n`.replace(from, to).trim();
  expect(await complaints(text)).toMatch(message);
});
