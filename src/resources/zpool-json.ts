import { count, type Leaf, type PoolStatus, type Scan } from './zpool-status.ts';

type Table = Readonly<Record<string, unknown>>;

/**
 * Reads what `zpool status -j --json-int -P -p -v POOL` prints (OpenZFS 2.3 and later), or says in a word why it is none. Fields
 * that have no value may be left out, and numbers may come as text, so nothing is taken for granted but the tree.
 */
export function readStatusJson(text: string, pool: string): PoolStatus | string {
  const all = parsed(text);
  const found = table(table(all?.pools)?.[pool]);
  if (found === undefined) return 'it is not the JSON of this pool';
  const state = found.state;
  const tree = table(found.vdevs);
  if (typeof state !== 'string' || tree === undefined) return 'it names no state or no devices';
  const groups = ['dedup', 'special', 'logs', 'l2cache', 'spares'].flatMap((name) => leavesOf(found[name]));
  const leaves = [...leavesOf(tree), ...groups];
  if (leaves.length === 0) return 'it names no device';
  return { state, leaves, scan: scanOf(table(found.scan_stats)), damage: damageOf(found) };
}

function parsed(text: string): Table | undefined {
  try {
    return table(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function table(value: unknown): Table | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : undefined;
}

/** A count that came as text may be written as `1.2K`, which is not zero. */
function number(value: unknown): number {
  if (typeof value === 'string') return count(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** A map from name to device, each with its own `vdevs` unless it is the end. */
function leavesOf(value: unknown): Leaf[] {
  return Object.entries(table(value) ?? {}).flatMap(([name, one]): Leaf[] => {
    const vdev = table(one);
    if (vdev === undefined) return [];
    if (table(vdev.vdevs) !== undefined) return leavesOf(vdev.vdevs);
    if (vdev.class === 'hole' || vdev.vdev_type === 'indirect' || vdev.vdev_type === 'hole') return [];
    const path = [vdev.was, vdev.path, vdev.name].find((word) => typeof word === 'string' && word !== '');
    return [
      {
        path: typeof path === 'string' ? path : name,
        state: typeof vdev.state === 'string' ? vdev.state : 'UNKNOWN',
        read: number(vdev.read_errors),
        write: number(vdev.write_errors),
        checksum: number(vdev.checksum_errors),
      },
    ];
  });
}

function scanOf(scan: Table | undefined): Scan {
  if (scan === undefined || scan.function === 'NONE')
    return { kind: 'none', state: 'other', errors: 0, at: null };
  const kind = scan.function === 'SCRUB' ? 'scrub' : scan.function === 'RESILVER' ? 'resilver' : 'other';
  const errors = number(scan.errors);
  if (scan.state === 'SCANNING') {
    const paused = number(scan.scrub_pause) > 0;
    return { kind, state: paused ? 'paused' : 'running', errors, at: time(scan.start_time) };
  }
  const state = scan.state === 'FINISHED' ? 'finished' : scan.state === 'CANCELED' ? 'canceled' : 'other';
  return { kind, state, errors, at: time(scan.end_time) };
}

function time(value: unknown): number | null {
  const found = number(value);
  return found > 0 ? found : null;
}

/** `errlist` is a list, or the reason why there is none; without it the count still says that there is damage. */
function damageOf(pool: Table): string[] {
  const { errlist } = pool;
  if (Array.isArray(errlist)) {
    const listed = errlist.filter((one): one is string => typeof one === 'string' && one !== '');
    if (listed.length > 0) return listed;
  }
  const errors = number(pool.error_count);
  if (errors === 0 && pool.error_count !== undefined) return [];
  const reason = typeof errlist === 'string' ? errlist : `${errors} data errors`;
  return [`not listed: ${pool.error_count === undefined ? 'the count of errors is missing' : reason}`];
}
