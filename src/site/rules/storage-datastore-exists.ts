import { hostAt } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const storageDatastoreExists = defineRule(
  {
    code: 'storage-datastore-exists',
    level: 'error',
    about: 'A backup server has the datastore that a storage names.',
    why: 'Proxmox VE looks the datastore up when the storage is added, and every backup to it fails.',
    compares: ['the storage', 'the datastores of the backup server'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.storages
        .filter(({ type }) => type === 'pbs')
        .flatMap(({ id, server, datastore, where }) => {
          const pbs = hostAt(picture, server ?? '');
          const [first] = pbs?.datastores ?? [];
          if (pbs === undefined || first === undefined) return [];
          if (pbs.datastores.some(({ name }) => name === datastore)) return [];
          const names = pbs.datastores.map(({ name }) => name).join(', ');
          return [
            {
              hosts: [host.name, pbs.name],
              about: `storage:${id}`,
              message: `the storage ${id} of ${host.name} names the datastore ${datastore ?? ''}, and ${pbs.name} has ${names}`,
              hint: `correct the name, or add the datastore to ${pbs.name}`,
              where,
              against: first.where,
            },
          ];
        }),
    ),
);
