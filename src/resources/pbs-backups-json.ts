/** One backup as the API of a backup server lists it. */
export interface Snapshot {
  /** "vm/101", with the namespace in front where there is one: "ruapehu:vm/101". */
  readonly group: string;
  /** Epoch seconds. */
  readonly time: number;
  /** It has a size: its upload came to its end. */
  readonly finished: boolean;
  readonly verification: 'ok' | 'failed' | null;
}

/** Name of a group in a namespace, as states and messages have it. */
export function groupName(group: string, ns: string | undefined): string {
  return ns === undefined || ns === '' ? group : `${ns}:${group}`;
}

/**
 * Reads `/admin/datastore/STORE/snapshots`. Null for anything that is no such list: an error body with exit 0, half an answer.
 * Numbers may come as texts, optional keys are left out.
 */
export function parseSnapshots(text: string, ns: string): Snapshot[] | null {
  const list = parsed(text);
  if (!Array.isArray(list)) return null;
  const snapshots = list.map((entry) => snapshot(entry, ns));
  return snapshots.every((one) => one !== null) ? snapshots : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function snapshot(entry: unknown, ns: string): Snapshot | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const one = entry as Readonly<Record<string, unknown>>;
  const time = Number(one['backup-time']);
  const [type, id] = [one['backup-type'], one['backup-id']];
  if (typeof type !== 'string' || id === undefined || !Number.isInteger(time)) return null;
  const state = (one.verification as { state?: unknown } | null | undefined)?.state;
  return {
    group: groupName(`${type}/${String(id)}`, ns),
    time,
    finished: one.size !== undefined && one.size !== null,
    verification: state === 'ok' || state === 'failed' ? state : null,
  };
}
