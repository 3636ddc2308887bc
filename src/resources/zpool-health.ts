import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Observed, State } from '../model/state.ts';
import { instant } from './ages.ts';
import { damageText, vmidsOf } from './zfs-guests.ts';
import { readStatusJson } from './zpool-json.ts';
import { lookPools, poolPattern, zfsLimit } from './zpool-look.ts';
import { type PoolStatus, readStatusText, type Scan } from './zpool-status.ts';

export interface ZpoolHealthSpec {
  readonly zpool_health: string;
  readonly members?: readonly string[];
  readonly max_scrub_days?: number;
}

/** Whether a pool is whole. Observed, never changed: what mends a pool needs a person, and mostly a disk. */
export const zpoolHealth = defineType<ZpoolHealthSpec>({
  name: 'zpool_health',
  about:
    'Whether a ZFS pool is whole: its state and that of every member, errors of members, files and volumes that are damaged for good and the guests they belong to, and the last scrub. A suspended pool is told by the kernel and not asked.',
  example: `zpool_health: rpool
members:
  - ata-ACME_SSD_0001-part3
  - ata-ACME_SSD_0002-part3
max_scrub_days: 35
`,
  checkOnly: true,
  needsLive: true,
  tools: ['zpool'],
  schema: {
    type: 'object',
    required: ['zpool_health'],
    additionalProperties: false,
    properties: {
      zpool_health: {
        type: 'string',
        pattern: poolPattern,
        maxLength: 255,
        description: 'Name of the pool.',
      },
      members: {
        type: 'array',
        minItems: 1,
        uniqueItems: true,
        items: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.:+@-]*$', maxLength: 255 },
        description:
          'All members of the pool, log and cache devices too, as names below /dev/disk/by-id. Other names of the same device below /dev/disk count; sda3 does not, it may be another disk tomorrow.',
      },
      max_scrub_days: {
        type: 'integer',
        minimum: 1,
        maximum: 3660,
        description: 'Days after which a scrub is due again. Without it the age does not matter.',
      },
    },
  },
  limit: () => 2 * zfsLimit + 5,
  shared: ['now'],
  identity: (spec) => spec.zpool_health,
  want: (spec) => ({
    state: 'ONLINE',
    ...(spec.members === undefined ? {} : { members: listed(spec.members) }),
    unwell: 'none',
    errors: 'none',
    damaged: 'none',
    scrub: wantedScrub(spec),
  }),
  observe: (specs) => {
    const pools = new Map<string, readonly string[]>();
    for (const { zpool_health: pool, members = [] } of specs)
      pools.set(pool, [...new Set([...(pools.get(pool) ?? []), ...members.map(byId)])].sort());
    return lookPools(pools);
  },
  read,
  steps: () => [],
  symptoms,
});

const directory = '/dev/disk/by-id/';

function byId(name: string): string {
  return `${directory}${name}`;
}

function listed(names: readonly string[]): string {
  return [...names].sort().join(' ');
}

function wantedScrub({ max_scrub_days: days }: ZpoolHealthSpec): string {
  return days === undefined ? 'without errors' : `without errors, in the last ${days} days`;
}

function read(facts: Facts, spec: ZpoolHealthSpec): Observed {
  if (facts.get('kernel') === 'SUSPENDED') return { have: { state: 'SUSPENDED' } };
  const lines = facts.all('status');
  if (lines.some((line) => /^cannot open '.*': no such pool/.test(line))) return { have: null };
  const json = facts.get('json');
  const status =
    json === undefined
      ? readStatusText(lines, seconds(facts.get('scanned')))
      : readStatusJson(json, spec.zpool_health);
  if (typeof status === 'string')
    return { unknown: `zpool status was not understood: ${status}${said(lines)}` };
  const first = facts
    .all('first')
    .map(Number)
    .filter((time) => time > 0);
  return {
    have: {
      state: status.state,
      members: listed(status.leaves.map(({ path }) => memberName(path, facts, spec.members ?? []))),
      ...devices(status),
      damaged: damaged(status.damage, first),
      scrub: scrub(status.scan, seconds(facts.get('now')), spec),
      guests: vmidsOf(status.damage, 'guest'),
      backups: vmidsOf(status.damage, 'backup'),
      since: first.length === 0 ? '' : String(Math.min(...first)),
    },
  };
}

function seconds(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

function said(lines: readonly string[]): string {
  const line = lines.find((one) => one.trim() !== '');
  return line === undefined ? '' : ` (${line.trim().slice(0, 200)})`;
}

/** The name in the inventory, where that leads to the same device and the pool uses a name that stays; else what the pool uses. */
function memberName(path: string, facts: Facts, members: readonly string[]): string {
  if (path.startsWith(directory) && members.includes(path.slice(directory.length)))
    return path.slice(directory.length);
  const real = new Map(facts.all('real').map((line) => line.split('\t', 2) as [string, string]));
  const device = real.get(path);
  const same = members.find((name) => device !== undefined && real.get(byId(name)) === device);
  if (same !== undefined && path.startsWith('/dev/disk/by-')) return same;
  return path.startsWith(directory) ? path.slice(directory.length) : path;
}

function devices({ leaves }: PoolStatus): State {
  const name = (path: string) => path.replace(directory, '');
  const unwell = leaves.filter(({ state }) => state !== 'ONLINE' && state !== 'AVAIL');
  const erring = leaves.filter(({ read: r, write, checksum }) => r + write + checksum > 0);
  return {
    unwell: unwell.map(({ path, state }) => `${name(path)} ${state}`).join(', ') || 'none',
    errors:
      erring
        .map((one) => `${name(one.path)}: ${one.read} read, ${one.write} write, ${one.checksum} checksum`)
        .join('; ') || 'none',
  };
}

function damaged(entries: readonly string[], first: readonly number[]): string {
  if (entries.length === 0) return 'none';
  const since = first.length === 0 ? 'at an unknown time' : instant(Math.min(...first));
  return `first error ${since}; ${damageText(entries)}`;
}

function scrub(scan: Scan, now: number | null, spec: ZpoolHealthSpec): string {
  if (scan.kind === 'none') return 'never';
  const when = scan.at === null ? '' : ` of ${instant(scan.at)}`;
  if (scan.errors > 0) return `${scan.errors} errors not repaired by the ${scan.kind}${when}`;
  // A pool remembers its last scan only: that of a resilver says nothing of the data it did not copy.
  if (scan.kind !== 'scrub') return `not since the ${scan.kind}${when} (${scan.state})`;
  if (scan.state !== 'finished' && scan.state !== 'running') return `${scan.state}${when}`;
  const days = spec.max_scrub_days;
  if (days === undefined) return wantedScrub(spec);
  if (scan.at === null || now === null) return 'at an unknown time';
  const age = Math.floor((now - scan.at) / 86400);
  // Of a time to come: a clock was wrong, and it would count as recent until then.
  if (age < -1) return 'at an unknown time';
  return age <= days ? wantedScrub(spec) : `${scan.state} ${age} days ago`;
}

function symptoms(observed: Observed, spec: ZpoolHealthSpec): Symptom[] {
  if ('unknown' in observed || observed.have === null) return [];
  const { state, unwell, damaged: hit, guests = '', backups = '', since = '' } = observed.have;
  const of = `pool:${spec.zpool_health}`;
  if (state === 'SUSPENDED')
    return [{ code: 'zfs-suspended', of, says: 'the pool is suspended: its disks do not answer' }];
  const found: Symptom[] = [];
  if (hit !== 'none') {
    const data = { guests: String(guests), backups: String(backups), since: String(since) };
    found.push({ code: 'zfs-damage', of, says: `damaged for good: ${hit}`, data });
  }
  if (state !== 'ONLINE' || unwell !== 'none')
    found.push({ code: 'zfs-degraded', of, says: `${state}; members: ${unwell}` });
  return found;
}
