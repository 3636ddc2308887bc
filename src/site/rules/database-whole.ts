import type { Guest } from '../../inventory/data.ts';
import type { PictureHost } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const databaseWhole = defineRule(
  {
    code: 'database-whole',
    level: 'warning',
    about: 'A guest with a database has a hook that stops it for the backup, or a dump.',
    why: 'A frozen file system is not enough: the last write-ahead log file in the backup can be empty, and the database refuses to start from it.',
    compares: ['class and services of the guest', 'guests of the role vzdump-hook'],
  },
  ({ hosts }) =>
    hosts.flatMap((host) =>
      host.guests
        .filter((guest) => isDatabase(guest) && guest.excluded === undefined)
        .filter(({ dump, vmid }) => dump === undefined && !hooks(host, vmid))
        .map(({ vmid, name, where }) => ({
          hosts: [host.name],
          about: `guest:${vmid}`,
          message: `guest ${vmid}${name === undefined ? '' : ` (${name})`} holds a database, and neither a hook nor a dump makes its backups whole`,
          hint: 'add it to `vars: {vzdump-hook: {guests: [...]}}`, or say in its `dump:` how it is dumped',
          where,
          against: host.hooked[0]?.where,
        })),
    ),
);

function isDatabase({ class: kind, services }: Guest): boolean {
  return kind === 'database' || (services ?? []).length > 0;
}

function hooks(host: PictureHost, vmid: number): boolean {
  return host.hooked.some((guest) => guest.vmid === vmid);
}
