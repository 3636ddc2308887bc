import { backupsOn, jobsOn, numbers } from '../coverage.ts';
import { defineRule } from '../rule.ts';

export const guestInJob = defineRule(
  {
    code: 'guest-in-job',
    level: 'warning',
    about: 'Every guest is in some backup job, or excluded with a reason.',
    why: 'A guest that nobody backs up is found out on the day it is needed.',
    compares: ['the guest', 'the backup jobs of its host'],
  },
  (picture) =>
    picture.hosts.flatMap((host) => {
      const jobs = jobsOn(picture, host);
      const backups = backupsOn(picture, host);
      const taken = new Set(backups.map(({ guest }) => guest));
      const left = host.guests.filter((guest) => guest.excluded === undefined && !taken.has(guest));
      const hint = 'add it to a job, or say in its `excluded:` why it needs none';
      const both = backups
        .filter(({ guest }) => guest.excluded !== undefined)
        .map(({ guest, job }) => ({
          hosts: [host.name],
          about: `guest:${guest.vmid}`,
          message: `guest ${guest.vmid} of ${host.name} is excluded ("${guest.excluded ?? ''}"), and the job ${job.id} takes it`,
          hint: 'take it out of the job, or remove `excluded:`',
          where: guest.where,
          against: job.where,
        }));
      const [first] = left;
      if (first === undefined) return both;
      if (jobs.length === 0)
        return [
          {
            hosts: [host.name],
            message: `${host.name} has no enabled backup job, and the guests ${numbers(left)}`,
            hint: 'give it the role backup-jobs, or say in their `excluded:` why they need none',
            where: first.where,
            against: host.jobs[0]?.where,
          },
        ];
      // Who is in a pool only Proxmox VE knows.
      if (jobs.some(({ pool }) => pool !== undefined)) return both;
      const alone = left.map(({ vmid, name, where }) => ({
        hosts: [host.name],
        about: `guest:${vmid}`,
        message: `guest ${vmid}${name === undefined ? '' : ` (${name})`} of ${host.name} is in no backup job`,
        hint,
        where,
        against: jobs[0]?.where,
      }));
      return [...both, ...alone];
    }),
);
