import { defineRule } from '../rule.ts';

export const storageMountedOnce = defineRule(
  {
    code: 'storage-mounted-once',
    level: 'error',
    about: 'What a storage of Proxmox VE mounts has no mount unit.',
    why: 'Its storage daemon mounts the path itself: two would mount over each other, and whichever comes second hides the files of the first.',
    compares: ['the mount unit', 'the storage of the same host'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      host.storages
        .filter(({ type }) => type === 'nfs' || type === 'cifs')
        .flatMap(({ id, path, where }) =>
          host.units
            .filter((unit) => unit.path === path)
            .map((unit) => ({
              hosts: [host.name],
              about: `mount:${unit.path}`,
              message: `${host.name} has a mount unit for ${unit.path}, which its storage ${id} mounts`,
              hint: 'remove the mount unit',
              where: unit.where,
              against: where,
            })),
        ),
    ),
);
