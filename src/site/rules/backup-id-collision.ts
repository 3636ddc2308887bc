import { backupsOn, groupPlace, storageNamed, targetsOf } from '../coverage.ts';
import { defineRule } from '../rule.ts';

export const backupIdCollision = defineRule(
  {
    code: 'backup-id-collision',
    level: 'error',
    about: 'Two guests of the same kind and number never share a namespace of a backup server.',
    why: 'Both write into one backup group: each prunes the backups of the other, and a restore brings back whichever came last.',
    compares: ['a guest of one host', 'a guest of another host'],
  },
  (picture) => {
    const kept = picture.hosts.flatMap((host) => {
      const backups = backupsOn(picture, host);
      return host.guests.flatMap((guest) =>
        targetsOf(guest, backups).flatMap((id) => {
          const storage = storageNamed(picture, host, id);
          return storage?.type === 'pbs' ? [{ host, guest, place: groupPlace(picture, storage), id }] : [];
        }),
      );
    });
    return kept.flatMap((one, index) =>
      kept
        .slice(index + 1)
        .filter(
          (other) =>
            other.host !== one.host &&
            other.place === one.place &&
            other.guest.type === one.guest.type &&
            other.guest.vmid === one.guest.vmid,
        )
        .map((other) => {
          const group = `${one.guest.type}/${one.guest.vmid}`;
          return {
            hosts: [one.host.name, other.host.name],
            about: `guest:${one.guest.vmid}`,
            message: `${one.host.name} and ${other.host.name} both back a guest up as ${group} into ${place(one.place)}`,
            hint: `give the storage ${one.id} of one host a namespace of its own, such as "${other.host.name}"`,
            where: one.guest.where,
            against: other.guest.where,
          };
        }),
    );
  },
);

function place(words: string): string {
  const [server = '', datastore = '', namespace = ''] = words.split(' ');
  return `the datastore ${datastore} of ${server}, ${namespace === '' ? 'without a namespace' : `namespace ${namespace}`}`;
}
