import type { Facts } from '../model/resource.ts';
import { consequence, pathOf, textOf } from './pbs-cfg.ts';
import { shownLine } from './section-config.ts';

/** One right: who has which role where. */
export interface PbsRight {
  readonly path: string;
  readonly role: string;
  /** Id of a user or, with `!`, of a token. */
  readonly who: string;
  readonly propagate: boolean;
}

/** Roles of Proxmox Backup Server. Those for tapes included; a word that is none is refused by the server. */
export const pbsRoles = [
  ...['Admin', 'Audit', 'NoAccess'],
  ...['DatastoreAdmin', 'DatastoreReader', 'DatastoreBackup', 'DatastorePowerUser', 'DatastoreAudit'],
  ...['RemoteAdmin', 'RemoteAudit', 'RemoteSyncOperator', 'RemoteSyncPushOperator'],
  ...['RemoteDatastoreAdmin', 'RemoteDatastorePowerUser', 'RemoteDatastorePrune'],
  ...['TapeAdmin', 'TapeAudit', 'TapeOperator', 'TapeReader'],
] as const;

/** The rights in acl.cfg, or why they cannot be known. It is no section file: one line each, five fields, and one bad line takes all away. */
export function readAcl(facts: Facts): readonly PbsRight[] | { readonly unknown: string } {
  const text = textOf(facts, 'acl');
  if (typeof text !== 'string') return text;
  const rights: PbsRight[] = [];
  for (const [index, row] of text.split('\n').entries()) {
    const line = row.trim();
    if (line === '') continue;
    const why = wrong(line);
    if (why !== null)
      return {
        unknown: `${pathOf('acl')} line ${index + 1}: "${shownLine(line)}": ${why}: Proxmox Backup Server reads nothing of the whole file; ${consequence('acl')}`,
      };
    const [, flag, path = '', users = '', roles = ''] = line.split(':');
    for (const who of users.split(','))
      for (const role of roles.split(','))
        rights.push({ path: plainPath(path), role, who, propagate: flag === '1' });
  }
  return rights;
}

function wrong(line: string): string | null {
  if (line.startsWith('#')) return 'there are no comments in this file';
  const parts = line.split(':');
  if (parts[0] !== 'acl') return 'a line begins with "acl:"';
  if (parts.length !== 5) return `it has ${parts.length} fields, not 5`;
  if (parts[1] !== '0' && parts[1] !== '1') return 'the second field is 0 or 1';
  return null;
}

/** "/datastore/main/" -> "/datastore/main". */
export function plainPath(path: string): string {
  return path.replace(/(.)\/+$/, '$1');
}

/** Whether a right at one path reaches another. */
export function reaches(from: string, propagate: boolean, to: string): boolean {
  if (from === to) return true;
  return propagate && to.startsWith(from === '/' ? '/' : `${from}/`);
}
