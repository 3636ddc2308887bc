import { admission, type Joined, joined, mountName } from '../admission.ts';
import type { Admitted } from '../exports.ts';
import { defineRule, type Misfit } from '../rule.ts';

/** Number of the user that a backup server writes as, and its usual name. */
const backupUser = ['34', 'backup'];

export const exportLetsRootWrite = defineRule(
  {
    code: 'export-lets-root-write',
    level: 'error',
    about: 'The squash of an NFS export lets the programs that back up to it set owners, modes and times.',
    why: 'vzdump and rsync work as root and end with "Operation not permitted"; a backup server makes its datastore as root and gives it to the user backup.',
    compares: ['the mount unit or storage of the client', 'squash and access of the export'],
  },
  (picture) =>
    joined(picture).flatMap((one): Misfit[] => {
      const { client, mount, server } = one;
      const found = admission(one);
      if (typeof found === 'string' || reads(one)) return [];
      const { entry, exported } = found;
      const place = {
        hosts: [client.name, server.name],
        about: `mount:${mount.path}`,
        where: mount.where,
        against: exported.where,
      };
      const to = `${server.name} exports ${exported.path} to ${entry.client}`;
      if (!entry.rw)
        return [
          {
            ...place,
            message: `${to} read-only, and ${client.name} writes to it at ${mountName(one)}`,
            hint: 'export it rw, or mount it with the option ro',
          },
        ];
      if (writes(entry, client.platform)) return [];
      const who = entry.squash === 'all' ? 'everybody' : 'root';
      return [
        {
          ...place,
          message: `${to} with ${who} as user ${entry.anonuid}: ${client.name} cannot set owners, modes and times at ${mountName(one)}`,
          hint:
            client.platform === 'pbs'
              ? 'do not squash root, or map everybody to the user backup (34)'
              : 'do not squash root (no_root_squash; maproot root:root), or map everybody to root',
        },
      ];
    }),
);

function reads({ mount }: Joined): boolean {
  return mount.options.includes('ro');
}

/** Whether what a client writes as root, or a backup server as backup, ends up as it was meant. */
function writes({ squash, anonuid }: Admitted, platform: string): boolean {
  if (squash === 'none') return true;
  if (platform === 'pbs') return squash === 'all' && ['0', ...backupUser].includes(anonuid);
  return anonuid === '0';
}
