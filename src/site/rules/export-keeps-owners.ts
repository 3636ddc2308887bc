import { admission, joined, mountName } from '../admission.ts';
import { defineRule } from '../rule.ts';

export const exportKeepsOwners = defineRule(
  {
    code: 'export-keeps-owners',
    level: 'warning',
    about: 'Files written over NFS belong to whom the writer meant.',
    why: 'A datastore whose files belong to root is not attached again after a rebuild, which demands backup:backup; with a mapped root user and no mapped group, files belong to the group nogroup.',
    compares: ['the mount unit or storage of the client', 'whom the export maps users and groups to'],
  },
  (picture) =>
    joined(picture).flatMap((one) => {
      const { client, mount, server } = one;
      const found = admission(one);
      if (typeof found === 'string' || !found.entry.rw || mount.options.includes('ro')) return [];
      const { entry, exported } = found;
      const place = {
        hosts: [client.name, server.name],
        about: `mount:${mount.path}`,
        where: mount.where,
        against: exported.where,
      };
      const at = `${client.name} writes at ${mountName(one)}`;
      if (client.platform === 'pbs' && entry.squash === 'all' && entry.anonuid === '0')
        return [
          {
            ...place,
            message: `${server.name} maps everybody to root in ${exported.path}: what ${at} as the user backup belongs to root`,
            hint: 'do not squash root there, or map everybody to the user backup (34)',
          },
        ];
      if (client.platform === 'pbs' || entry.squash === 'none' || entry.anonuid !== '0') return [];
      if (entry.anongid === '0') return [];
      return [
        {
          ...place,
          message: `${server.name} maps users of ${exported.path} to root without its group: what ${at} belongs to the group ${entry.anongid}`,
          hint: 'map the group too (maproot_group or mapall_group: root; anongid=0)',
        },
      ];
    }),
);
