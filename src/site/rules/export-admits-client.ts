import { admission, joined, mountName } from '../admission.ts';
import { defineRule } from '../rule.ts';

export const exportAdmitsClient = defineRule(
  {
    code: 'export-admits-client',
    level: 'error',
    about: 'An NFS export admits every host that mounts it.',
    why: 'NFSv3 answers "access denied". NFSv4 is worse: where only a directory below is exported, the mount succeeds and shows a read-only view of it.',
    compares: ['the mount unit or storage of the client', 'the export of the server'],
  },
  (picture) =>
    joined(picture).flatMap((one) => {
      const { client, mount, server, exports } = one;
      // What a server exports that nobody has written down is told by exports-declared.
      if (server.exports.length === 0) return [];
      const place = { hosts: [client.name, server.name], about: `mount:${mount.path}`, where: mount.where };
      const [exported] = exports;
      if (exported === undefined) {
        const paths = server.exports.map(({ path }) => path).join(', ');
        return [
          {
            ...place,
            message: `${client.name} mounts ${mountName(one)} from ${mount.export} of ${server.name}, which exports only ${paths}`,
            hint: `export ${mount.export} on ${server.name}, or correct the path`,
            against: server.exports[0]?.where,
          },
        ];
      }
      if (admission(one) !== 'nobody') return [];
      const clients = exports.flatMap((each) => each.clients.map((entry) => entry.client)).join(', ');
      return [
        {
          ...place,
          message: `${server.name} exports ${exported.path} to ${clients || 'nobody'}, and ${client.name} (${client.address ?? 'no address'}) mounts it at ${mountName(one)}`,
          hint: `add ${client.address ?? client.name} to the clients of that export`,
          against: exported.where,
        },
      ];
    }),
);
