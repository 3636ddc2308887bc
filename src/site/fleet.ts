import { remote } from './parts.ts';
import { hostAt, type Picture, type PictureHost } from './picture.ts';

/** A storage of a host that lies on another one. */
export interface FleetStorage {
  readonly host: string;
  readonly id: string;
  /** The host of the site that serves it, or the name that the storage calls it by. */
  readonly server: string;
  /** Of a storage on a backup server. */
  readonly datastore?: string | undefined;
}

/** A datastore of a backup server, with the file system of a NAS that it lies on. */
export interface FleetDatastore {
  readonly host: string;
  readonly name: string;
  readonly path: string;
  readonly mount?: string | undefined;
  readonly nas?: string | undefined;
}

/** A file system of another machine that a host has mounted. */
export interface FleetMount {
  readonly host: string;
  readonly path: string;
  readonly server: string;
}

/** What hosts share, so that the same trouble on several of them has one place to come from. */
export interface Fleet {
  readonly storages: readonly FleetStorage[];
  readonly datastores: readonly FleetDatastore[];
  readonly mounts: readonly FleetMount[];
}

/** What of the picture of a site ties the troubles of hosts together. */
export function fleetOf(picture: Picture): Fleet {
  const named = (server: string): string => hostAt(picture, server)?.name ?? server;
  const of = <T>(parts: (host: PictureHost) => readonly T[]): T[] => picture.hosts.flatMap(parts);
  return {
    storages: of(({ name, storages }) =>
      storages.flatMap(({ id, server, datastore, disabled }) =>
        server === undefined || disabled ? [] : [{ host: name, id, server: named(server), datastore }],
      ),
    ),
    datastores: of(({ name, datastores }) =>
      datastores.map((store) => {
        const from = store.mount && remote(store.mount.source);
        return {
          host: name,
          name: store.name,
          path: store.path,
          mount: store.mount?.path,
          nas: from && named(from.server),
        };
      }),
    ),
    mounts: of(({ name, networkMounts }) =>
      networkMounts.map(({ path, server }) => ({ host: name, path, server: named(server) })),
    ),
  };
}
