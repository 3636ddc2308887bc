import { canonical, type State } from '../model/state.ts';
import { sha256 } from '../shell/sh.ts';

/** What was last applied to a host, per resource id. It explains (drift or pending), it never decides. */
export type Record = ReadonlyMap<string, State | null>;

/** Raised when the lines change their meaning; a newer one on a host is left alone. */
const recordVersion = 1;

export interface RecordReading {
  readonly record: Record;
  /** Why the record could not be used, for a notice. */
  readonly trouble: string | null;
  /** A newer program wrote it: writing ours would lose what it knows. */
  readonly newer: boolean;
}

/** Reads the record file: a head line `provision-record VERSION`, then `id TAB state as JSON`. A torn last line is dropped. */
export function readRecord(text: string): RecordReading {
  if (text === '') return { record: new Map(), trouble: null, newer: false };
  const [head = '', ...rest] = text.split('\n');
  const version = /^provision-record (\d+)$/.exec(head)?.[1];
  if (version === undefined) {
    return {
      record: new Map(),
      trouble: 'the record on this host cannot be read; drift and pending are not told apart',
      newer: false,
    };
  }
  if (Number(version) > recordVersion) {
    const trouble = `the record on this host was written by a newer version of provision (record ${version}, this one knows ${recordVersion})`;
    return { record: new Map(), trouble, newer: true };
  }
  const record = new Map<string, State | null>();
  for (const line of rest) {
    const entry = recordEntry(line);
    if (entry) record.set(...entry);
  }
  return { record, trouble: null, newer: false };
}

/** Lines of a record file, head line included; ids sorted, so that equal records are equal text. */
export function recordLines(record: Record): string[] {
  return [
    `provision-record ${recordVersion}`,
    ...[...record.keys()].sort().map((id) => recordLine(id, record.get(id) ?? null)),
  ];
}

export function recordLine(id: string, state: State | null): string {
  return `${id}\t${canonical(state)}`;
}

/** The state as it may be recorded, shown or saved: texts of a resource that holds a secret only as hashes. */
export function recordable(state: State | null, secret: boolean): State | null {
  if (state === null || !secret) return state;
  const hidden = Object.entries(state).map(([name, value]) => [
    name,
    typeof value === 'string' ? sha256(value) : value,
  ]);
  return Object.fromEntries(hidden);
}

function recordEntry(line: string): [string, State | null] | null {
  const tab = line.lastIndexOf('\t');
  if (tab < 1) return null;
  try {
    const state: unknown = JSON.parse(line.slice(tab + 1));
    if (typeof state !== 'object' || Array.isArray(state)) return null;
    return [line.slice(0, tab), state as State | null];
  } catch {
    return null;
  }
}
