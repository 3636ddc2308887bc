import { admits, closeness } from './address.ts';
import { type Admitted, covers, type Exported } from './exports.ts';
import type { NetworkMount } from './parts.ts';
import { hostAt, type Picture, type PictureHost } from './picture.ts';

/** A network mount of a host together with what its server, a host of the site too, exports. */
export interface Joined {
  readonly client: PictureHost;
  readonly mount: NetworkMount;
  readonly server: PictureHost;
  /** Exports of the deepest path that is the mounted one or lies above it; several when the server keeps one per client. */
  readonly exports: readonly Exported[];
}

/** What an export does with this client: the entry that counts, `nobody` when none admits it, `unknown` when it cannot be told. */
export type Admission = { readonly entry: Admitted; readonly exported: Exported } | 'nobody' | 'unknown';

/** NFS mounts whose server is a host of the site. A server elsewhere is nobody's business here. */
export function joined(picture: Picture): Joined[] {
  return picture.hosts.flatMap((client) =>
    client.networkMounts
      .filter(({ type }) => type === 'nfs' || type === 'nfs4')
      .flatMap((mount) => {
        const server = hostAt(picture, mount.server);
        return server === undefined
          ? []
          : [{ client, mount, server, exports: exportsFor(server.exports, mount.export) }];
      }),
  );
}

function exportsFor(all: readonly Exported[], path: string): Exported[] {
  const direct = deepest(all, path);
  if (direct.length > 0) return direct;
  // NFSv4: with fsid=0 the paths that clients name start at that export.
  return all
    .filter(({ pseudoRoot }) => pseudoRoot)
    .flatMap((root) => deepest(all, `${root.path}${path === '/' ? '' : path}`));
}

function deepest(all: readonly Exported[], path: string): Exported[] {
  const above = all.filter((one) => covers(one.path, path));
  const longest = Math.max(0, ...above.map((one) => one.path.length));
  return above.filter((one) => one.path.length === longest);
}

export function admission({ client, exports }: Joined): Admission {
  const candidates = exports
    .flatMap((exported) => exported.clients.map((entry) => ({ entry, exported })))
    .map((one) => ({ ...one, answer: admits(one.entry.client, client) }))
    .sort((one, other) => closeness(one.entry.client) - closeness(other.entry.client));
  const first = candidates.find(({ answer }) => answer !== 'no');
  if (first === undefined) return 'nobody';
  // A closer entry that may be this host comes before the network that certainly is.
  return first.answer === 'yes' ? { entry: first.entry, exported: first.exported } : 'unknown';
}

/** How a mount is called in a message. */
export function mountName({ mount }: Pick<Joined, 'mount'>): string {
  return mount.storage === undefined ? mount.path : `${mount.path} (storage ${mount.storage})`;
}
