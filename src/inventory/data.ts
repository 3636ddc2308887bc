/** Data about a host that roles and later commands use. What each field may hold is said by the schemas in formats.ts. */
export interface Disk {
  readonly serial: string;
  readonly model?: string;
  readonly size?: string;
  /** Its name below /dev/disk/by-id. */
  readonly by_id?: string;
  readonly use?: string;
  readonly slot?: string;
  readonly note?: string;
}

export interface Storage {
  readonly id: string;
  readonly type: string;
  readonly server?: string;
  readonly export?: string;
  readonly share?: string;
  readonly datastore?: string;
  readonly namespace?: string;
  readonly fingerprint?: string;
  readonly path?: string;
  readonly pool?: string;
  readonly content?: readonly string[];
  readonly note?: string;
}

export interface MountPoint {
  readonly id: string;
  readonly path: string;
  readonly source?: string;
  readonly bind?: boolean;
  readonly backup?: boolean;
  readonly note?: string;
}

export interface Guest {
  readonly vmid: number;
  readonly type: 'vm' | 'ct';
  readonly name?: string;
  readonly class?: string;
  readonly mode?: 'snapshot' | 'suspend' | 'stop';
  readonly storage?: string;
  readonly services?: readonly string[];
  /** How its databases are dumped, where no hook stops them for a backup. */
  readonly dump?: string;
  readonly mount_points?: readonly MountPoint[];
  readonly note?: string;
}
