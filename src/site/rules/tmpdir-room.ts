import { backupsOn } from '../coverage.ts';
import { defineRule } from '../rule.ts';
import { bytes } from '../size.ts';

export const tmpdirRoom = defineRule(
  {
    code: 'tmpdir-room',
    level: 'warning',
    about: 'As much space is checked to be free in the temporary directory as the largest container takes.',
    why: 'In suspend mode, which snapshot mode falls back to, a container is copied into it whole.',
    compares: ['tmpdir_free_gib of the role vzdump', 'size of the container'],
  },
  (picture) =>
    picture.hosts.flatMap((host) => {
      const { vzdump } = host;
      if (vzdump === undefined) return [];
      const backups = backupsOn(picture, host);
      const modes = (vmid: number) => {
        const taken = backups.filter(({ guest }) => guest.vmid === vmid).map(({ mode }) => mode);
        return taken.length > 0 ? taken : [vzdump.mode];
      };
      const [largest] = host.guests
        .filter(({ type, excluded, vmid }) => type === 'ct' && !excluded && modes(vmid).some(copies))
        .flatMap((guest) => ({ guest, size: bytes(guest.size) ?? 0 }))
        .sort((one, other) => other.size - one.size);
      if (largest === undefined || largest.size <= vzdump.free * 2 ** 30) return [];
      const { guest } = largest;
      return [
        {
          hosts: [host.name],
          about: `guest:${guest.vmid}`,
          message: `container ${guest.vmid} of ${host.name} has ${guest.size ?? ''}, and only ${vzdump.free} GiB are checked to be free in ${vzdump.tmpdir}`,
          hint: `set tmpdir_free_gib: ${Math.ceil(largest.size / 2 ** 30)}, or back it up in stop mode`,
          where: vzdump.freeWhere,
          against: guest.where,
        },
      ];
    }),
);

function copies(mode: string): boolean {
  return mode !== 'stop';
}
