import { backupsOn } from '../coverage.ts';
import { defineRule } from '../rule.ts';

export const busyMediaMode = defineRule(
  {
    code: 'busy-media-mode',
    level: 'warning',
    about: 'Busy media containers are backed up in stop mode.',
    why: 'Files that change all the time vanish during a snapshot or suspend backup, and their databases are torn.',
    compares: ['class of the guest', 'mode of the backup job'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      backupsOn(picture, host)
        .filter(({ guest, mode }) => guest.type === 'ct' && guest.class === 'busy-media' && mode !== 'stop')
        .map(({ guest, job, mode }) => ({
          hosts: [host.name],
          about: `guest:${guest.vmid}`,
          message: `container ${guest.vmid}${guest.name === undefined ? '' : ` (${guest.name})`} of ${host.name} is busy media, and the job ${job.id} takes it in ${mode} mode`,
          hint: 'set `mode: stop` in that job, or in the policy of its class',
          where: job.where,
          against: guest.where,
        })),
    ),
);
