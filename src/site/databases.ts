import type { Guest } from '../inventory/data.ts';

/** What a rule found about one host: an error stops everything before a host is contacted, a warning is told with the result. */
export interface Finding {
  readonly level: 'error' | 'warning';
  readonly message: string;
  readonly hint: string;
}

/**
 * A database in a guest is whole in a backup only when it was stopped or dumped: a frozen file system is not enough, because the
 * last write-ahead log file can be empty in it. A guest counts as one when its class is `database` or it names services.
 *
 * @param guests what the inventory says of the host's guests
 * @param hooked ids of the guests that the vzdump hook of this host looks after
 */
export function databaseFindings(guests: readonly Guest[], hooked: readonly number[]): Finding[] {
  return [...unprotected(guests, hooked), ...containers(guests, hooked)];
}

function unprotected(guests: readonly Guest[], hooked: readonly number[]): Finding[] {
  return guests
    .filter(({ vmid, class: kind, services, dump }) => {
      const database = kind === 'database' || (services ?? []).length > 0;
      return database && dump === undefined && !hooked.includes(vmid);
    })
    .map(({ vmid, name }) => ({
      level: 'warning',
      message: `guest ${vmid}${name === undefined ? '' : ` (${name})`} holds a database, and neither a hook nor a dump makes its backups whole`,
      hint: 'add it to `vars: {vzdump-hook: {guests: [...]}}`, or say in its `dump:` how it is dumped',
    }));
}

/** The hook talks to the guest agent, which only a VM has. */
function containers(guests: readonly Guest[], hooked: readonly number[]): Finding[] {
  return guests
    .filter(({ vmid, type }) => type === 'ct' && hooked.includes(vmid))
    .map(({ vmid }) => ({
      level: 'error',
      message: `the vzdump hook is to stop services in guest ${vmid}, which is a container: it has no guest agent`,
      hint: 'back the container up in stop mode, or dump its database, and take it out of the guests of vzdump-hook',
    }));
}
