import type { Where } from './errors.ts';

/**
 * What one host shows of a trouble that may have its cause elsewhere: `chunk-store` of `storage:pbs-pihanga`. Hosts that show the
 * same symptom of the same component point to that component.
 */
export interface Symptom {
  /** What it looks like, from a closed list in the type that tells it: `chunk-store`, `mount-hangs`, `fingerprint`. */
  readonly code: string;
  /** The component it is of, as `kind:name`: `storage:pbs-pihanga`, `mount:/mnt/pbs-datastore`, `guest:1031`, `pool:rpool`. */
  readonly of: string;
  /** One line for a person: the log line, the state, what the host said. */
  readonly says: string;
  /** Further facts for whoever correlates: guests concerned, epoch seconds as decimal text. */
  readonly data?: Readonly<Record<string, string>>;
}

/** What a rule of the site found, before any connection or in what the hosts showed. */
export interface Finding {
  /** `export-admits-client`: what `provision rules` lists and what the inventory can silence. */
  readonly rule: string;
  /** An error stops everything before a host is contacted; a warning is told with the result. */
  readonly level: 'error' | 'warning';
  /** Names of the hosts concerned, the one to look at first in front. */
  readonly hosts: readonly string[];
  /** Component at the bottom of it where several hosts show one trouble: `storage:pbs-pihanga`. */
  readonly suspect?: string | undefined;
  /** What it is about, as `kind:name`, so that it alone can be silenced: `guest:1031`, `storage:pbs-pihanga`. */
  readonly about?: string | undefined;
  /** What does not fit, on which host, in one sentence. */
  readonly message: string;
  /** What to do. */
  readonly hint: string;
  /** The two places in the inventory that it compares; none for what only the hosts can show. */
  readonly where?: Where | undefined;
  readonly against?: Where | undefined;
  /** The command that mends it: `provision run pbs/restart-stale --host pbs`. */
  readonly procedure?: string | undefined;
}
