import { isHost } from '../address.ts';
import { type NetworkMount, remote } from '../parts.ts';
import { hostAt, type Picture } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const storageSourceAgrees = defineRule(
  {
    code: 'storage-source-agrees',
    level: 'error',
    about: 'The check that watches a mount expects the source that the storage or mount unit mounts.',
    why: 'Either backups go where nobody looks, or the check fails while all is well.',
    compares: ['the watched mount', 'the storage or mount unit of the same path'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.watched.flatMap(({ path, source, where }) =>
        host.networkMounts
          .filter((mount) => mount.path === path && source !== undefined && !means(picture, source, mount))
          .map((mount) => ({
            hosts: [host.name],
            about: `mount:${path}`,
            message: `${host.name} expects ${source ?? ''} at ${path}, and mounts ${mount.server}:${mount.export} there`,
            hint: 'correct whichever of the two is wrong',
            where,
            against: mount.where,
          })),
      ),
    ),
);

/** One server can be written by its name and by its address. */
function means(picture: Picture, source: string, mount: NetworkMount): boolean {
  const found = remote(source);
  if (found === undefined || found.path !== mount.export) return false;
  const server = hostAt(picture, mount.server);
  return found.server === mount.server || (server !== undefined && isHost(found.server, server));
}
