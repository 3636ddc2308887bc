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

export interface MountPoint {
  readonly id: string;
  /** Of a container's. */
  readonly path?: string;
  readonly source?: string;
  readonly bind?: boolean;
  readonly backup?: boolean;
  readonly note?: string;
}

export interface Guest {
  readonly vmid: number;
  readonly type: 'vm' | 'ct';
  readonly name?: string;
  /** `static` where the inventory does not say. */
  readonly class: string;
  readonly storage?: string;
  /** Why no job backs it up. */
  readonly excluded?: string;
  /** Of all its volumes: `64 GB`. */
  readonly size?: string;
  readonly services?: readonly string[];
  /** How its databases are dumped, where no hook stops them for a backup. */
  readonly dump?: string;
  readonly mount_points?: readonly MountPoint[];
  readonly note?: string;
}
