import { backupsOn } from '../coverage.ts';
import { defineRule } from '../rule.ts';

export const bindMountCopies = defineRule(
  {
    code: 'bind-mount-copies',
    level: 'warning',
    about: 'What is bind-mounted into a container has copies of its own.',
    why: 'vzdump leaves bind mounts out, whatever they are set to: the backup of the container succeeds without its data.',
    compares: ['the mount point of the guest', 'the job that leaves it out, and the paths of the data sets'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.guests.flatMap(({ vmid, mount_points, where }) =>
        (mount_points ?? []).flatMap(({ id, bind, source, path }) => {
          const from = source ?? path;
          const spoken = picture.dataSets.some(({ copies }) =>
            copies.some((copy) => copy.on === host.name && copy.path === from),
          );
          if (bind !== true || spoken || from === undefined) return [];
          return [
            {
              hosts: [host.name],
              about: `guest:${vmid}`,
              message: `${id} of guest ${vmid} of ${host.name} is ${from} of the host: no backup of the guest holds it, and no data set speaks of it`,
              hint: `say where its copies are: \`data_sets: [{name: ..., copies: [{on: ${host.name}, path: ${from}, medium: ...}, ...]}]\` in site.yaml`,
              where,
              against: backupsOn(picture, host).find(({ guest }) => guest.vmid === vmid)?.job.where,
            },
          ];
        }),
      ),
    ),
);
