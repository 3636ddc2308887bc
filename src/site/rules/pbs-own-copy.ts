import { backupsOn, listing, storageNamed, targetsOf } from '../coverage.ts';
import { hostAt } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const pbsOwnCopy = defineRule(
  {
    code: 'pbs-own-copy',
    level: 'warning',
    about: 'A backup server that is a guest is not backed up to itself alone.',
    why: 'When it is gone, the only copy of it is inside it.',
    compares: ['the guest that is the backup server', 'the storages it is backed up to'],
  },
  (picture) =>
    picture.hosts.flatMap((host) => {
      const backups = backupsOn(picture, host);
      return host.guests.flatMap((guest) => {
        const server = picture.hosts.find(({ name, platform }) => platform === 'pbs' && name === guest.name);
        if (server === undefined) return [];
        const storages = targetsOf(guest, backups).map((id) => storageNamed(picture, host, id));
        const itself = storages.filter(
          (storage) => storage?.type === 'pbs' && hostAt(picture, storage.server ?? '') === server,
        );
        if (storages.length === 0 || itself.length < storages.length) return [];
        const ids = listing(itself.flatMap((storage) => storage?.id ?? []));
        return [
          {
            hosts: [host.name, server.name],
            about: `guest:${guest.vmid}`,
            message: `guest ${guest.vmid} of ${host.name} is the backup server ${server.name}, and it is backed up to itself only (${ids})`,
            hint: 'add a job that backs it up to another storage, such as a directory or an NFS share',
            where: guest.where,
            against: itself[0]?.where,
          },
        ];
      });
    }),
);
