import { admission, joined, mountName } from '../admission.ts';
import { defineRule } from '../rule.ts';

export const exportAclMode = defineRule(
  {
    code: 'export-acl-mode',
    level: 'error',
    about: 'The ACL mode of a dataset lets those who mount it change modes.',
    why: 'With aclmode restricted, chmod fails on everything that has an ACL: vzdump and rsync end with "Operation not permitted", whatever the squash is.',
    compares: ['the mount unit or storage of the client', 'aclmode of the dataset'],
  },
  (picture) =>
    joined(picture).flatMap((one) => {
      const { client, mount, server } = one;
      const found = admission(one);
      if (typeof found === 'string' || !found.entry.rw || mount.options.includes('ro')) return [];
      const { exported } = found;
      const { acl } = exported;
      if (acl?.mode !== 'restricted' || ['posix', 'posixacl', 'off'].includes(acl.type)) return [];
      return [
        {
          hosts: [server.name, client.name],
          about: `export:${exported.path}`,
          message: `the dataset below ${exported.path} of ${server.name} has aclmode restricted, and ${client.name} writes to it at ${mountName(one)}`,
          hint: 'set acltype posix (its aclmode is discard), or aclmode passthrough',
          where: acl.where,
          against: mount.where,
          procedure: `provision run nfs/repair-permissions --host ${server.name}`,
        },
      ];
    }),
);
