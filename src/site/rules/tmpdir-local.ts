import { covers } from '../exports.ts';
import { defineRule } from '../rule.ts';

export const tmpdirLocal = defineRule(
  {
    code: 'tmpdir-local',
    level: 'error',
    about: 'The temporary directory of vzdump is on no network mount.',
    why: 'On NFS the extended attributes and ACLs of container files are dropped, and a mount that hangs takes every backup of the host with it.',
    compares: ['tmpdir of the role vzdump', 'the mount unit or storage'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) => {
      const { vzdump } = host;
      if (vzdump === undefined) return [];
      return host.networkMounts
        .filter(({ path }) => covers(path, vzdump.tmpdir))
        .map((mount) => ({
          hosts: [host.name],
          about: `mount:${mount.path}`,
          message: `the temporary directory ${vzdump.tmpdir} of ${host.name} is on ${mount.path}, mounted from ${mount.server}:${mount.export}`,
          hint: 'choose a directory on a local disk, such as /var/lib/vz/vzdump-tmp',
          where: vzdump.tmpdirWhere,
          against: mount.where,
        }));
    }),
);
