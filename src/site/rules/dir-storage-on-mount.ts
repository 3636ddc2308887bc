import { covers } from '../exports.ts';
import { defineRule } from '../rule.ts';

export const dirStorageOnMount = defineRule(
  {
    code: 'dir-storage-on-mount',
    level: 'warning',
    about: 'A directory storage on a mounted file system says so (is_mountpoint).',
    why: 'Without it, Proxmox VE writes into the empty directory below when the mount is missing, and fills the root disk.',
    compares: ['the storage', 'the mount unit it lies on'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      host.storages
        .filter(({ type, mountChecked }) => type === 'dir' && !mountChecked)
        .flatMap(({ id, path, where }) =>
          host.units
            .filter((unit) => path !== undefined && covers(unit.path, path))
            .map((unit) => ({
              hosts: [host.name],
              about: `storage:${id}`,
              message: `the storage ${id} of ${host.name} lies on the mount ${unit.path} and does not check that it is there`,
              hint: `set is_mountpoint: ${unit.path === path ? 'true' : unit.path}`,
              where,
              against: unit.where,
            })),
        ),
    ),
);
