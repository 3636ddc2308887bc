import { defineRule } from '../rule.ts';

export const hookNeedsAgent = defineRule(
  {
    code: 'hook-needs-agent',
    level: 'error',
    about: 'The vzdump hook is for virtual machines only.',
    why: 'It stops services by way of the guest agent, which a container has not: every backup of it would fail.',
    compares: ['guests of the role vzdump-hook', 'type of the guest'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      host.guests
        .filter(({ type }) => type === 'ct')
        .flatMap((guest) =>
          host.hooked
            .filter(({ vmid }) => vmid === guest.vmid)
            .map((hooked) => ({
              hosts: [host.name],
              about: `guest:${guest.vmid}`,
              message: `the vzdump hook is to stop services in guest ${guest.vmid}, which is a container: it has no guest agent`,
              hint: 'back the container up in stop mode, or dump its database, and take it out of the guests of vzdump-hook',
              where: hooked.where,
              against: guest.where,
            })),
        ),
    ),
);
