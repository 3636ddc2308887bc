import type { Where } from '../model/errors.ts';
import type { Platform } from '../model/host.ts';

/** All that procedures may know of an inventory. Read-only, and without any secret. */
export interface ProcedureSite {
  readonly hosts: readonly ProcedureHost[];
}

export interface ProcedureHost {
  readonly name: string;
  readonly platform: Platform;
  /** undefined for a directory tree, or this machine. */
  readonly address: string | undefined;
  readonly from: Where;
  readonly roles: readonly string[];
  readonly guests: readonly ProcedureGuest[];
  /** Variables of its roles as plain data; empty unless the procedure `expands`, as all that follows. */
  readonly values: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** The storages that its roles declare (`pve_storage`), those to be removed left out. */
  readonly storages: readonly StorageWish[];
  /** The datastores that its roles declare (`pbs_datastore`). */
  readonly datastores: readonly DatastoreWish[];
  /** The backup jobs that its roles declare (`pve_backup_job`), those to be removed left out. */
  readonly jobs: readonly JobWish[];
}

export interface ProcedureGuest {
  readonly vmid: number;
  readonly type: 'vm' | 'ct';
  readonly name?: string | undefined;
  readonly class?: string | undefined;
}

export interface StorageWish {
  readonly id: string;
  readonly type: string;
  readonly server?: string | undefined;
  readonly datastore?: string | undefined;
  readonly namespace?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly export?: string | undefined;
  readonly path?: string | undefined;
  readonly disable?: boolean | undefined;
  /** The line of the role or of the inventory that it comes from. */
  readonly from: Where;
}

export interface DatastoreWish {
  readonly name: string;
  readonly path: string;
  /** null: on a disk of the host itself. */
  readonly mount: { readonly path: string; readonly source: string; readonly type: string } | null;
  readonly from: Where;
}

export interface JobWish {
  readonly id: string;
  readonly vmid?: readonly number[] | undefined;
  readonly all?: boolean | undefined;
  readonly exclude?: readonly number[] | undefined;
  readonly pool?: string | undefined;
  readonly storage?: string | undefined;
  readonly mode?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly node?: string | undefined;
  /** What else its backups are made with, as arguments of vzdump: compression, notes, limits; no retention. */
  readonly options?: readonly string[] | undefined;
}

/** The host of this name. Only for names that came out of the same site. */
export function hostNamed(site: ProcedureSite, name: string): ProcedureHost | undefined {
  return site.hosts.find((host) => host.name === name);
}

/** The host that is reached under this address or name: what a storage or a mount calls its server. */
export function hostAt(site: ProcedureSite, server: string): ProcedureHost | undefined {
  return site.hosts.find(
    ({ address, name }) => address === server || name === server || server.startsWith(`${name}.`),
  );
}

/** `10.10.0.104 (truenas-bu)` */
export function serverName(site: ProcedureSite, server: string): string {
  const host = hostAt(site, server);
  return host === undefined || host.name === server ? server : `${server} (${host.name})`;
}
