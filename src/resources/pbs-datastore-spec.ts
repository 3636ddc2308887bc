export interface DatastoreSpec {
  readonly pbs_datastore: string;
  readonly path: string;
  readonly mount?: { readonly path: string; readonly source: string; readonly type: string };
  readonly local?: true;
  readonly reuse?: boolean;
  readonly comment?: string;
  readonly verify_new?: boolean;
  readonly notification_mode?: string;
  readonly notify_user?: string;
  readonly tuning?: Readonly<Record<string, string | number | boolean>>;
  readonly maintenance_mode?: 'none' | 'read-only' | 'offline';
}

/** What PBS does without the option. */
const defaults: Readonly<Record<string, string>> = {
  'sync-level': 'filesystem',
  'gc-atime-safety-check': '1',
  'gc-atime-cutoff': '1445',
};

const truths: Readonly<Record<string, string>> = {
  on: '1',
  yes: '1',
  true: '1',
  off: '0',
  no: '0',
  false: '0',
};

/** A property string with its keys sorted and without what is the default anyway; '' when nothing is left. */
export function tuningText(tuning: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(tuning)
    .map(([key, value]) => {
      const word = String(value).toLowerCase();
      return [key, Object.hasOwn(truths, word) ? (truths[word] ?? word) : word] as const;
    })
    .filter(([key, value]) => defaults[key] !== value)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

/** `chunk-order=none,sync-level=file`, as it stands in the file, in the form of `tuningText`. */
export function tuningIn(text: string): string {
  const parts = text.split(',').flatMap((part) => {
    const [key = '', value = ''] = part.split('=', 2);
    return key.trim() === '' ? [] : [[key.trim(), value.trim()]];
  });
  return tuningText(Object.fromEntries(parts));
}

/** `type=offline,message="..."` or `offline`: the type alone. */
export function maintenanceIn(text: string): string {
  const [first = ''] = text.split(',');
  return first.replace(/^type=/, '').trim() || 'none';
}

/** `reuse-datastore` came with release 3.3. */
export const firstReuse = '3.2.13';

/** Whether a version such as 3.2.7 is at least another one. */
export function atLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split(/[.-]/).map(Number));
  for (const [index, part] of (want ?? []).entries()) {
    const is = have?.[index] ?? 0;
    if (is !== part) return is > part;
  }
  return true;
}
