import { admission, joined, mountName } from '../admission.ts';
import { defineRule } from '../rule.ts';

export const exportsDeclared = defineRule(
  {
    code: 'exports-declared',
    level: 'warning',
    about: 'What a host of the site exports to another one can be read in the inventory.',
    why: 'Whether the export admits the host that mounts it, and lets it write, cannot be told before it fails in the night.',
    compares: ['the mount unit or storage of the client', 'the exports of the server'],
  },
  (picture) =>
    joined(picture).flatMap((one) => {
      const { client, mount, server } = one;
      const place = { hosts: [client.name, server.name], about: `mount:${mount.path}`, where: mount.where };
      if (server.exports.length === 0)
        return [
          {
            ...place,
            message: `${client.name} mounts ${mountName(one)} from ${server.name}, and no export of ${server.name} is in the inventory`,
            hint: `declare the export of ${mount.export} on ${server.name}`,
            against: server.from,
          },
        ];
      if (admission(one) !== 'unknown') return [];
      return [
        {
          ...place,
          message: `whether ${server.name} exports ${mount.export} to ${client.name} depends on a name that only the server can look up`,
          hint: `name ${client.name} in the export by its address, and give it one in its connection`,
          against: one.exports[0]?.where,
        },
      ];
    }),
);
