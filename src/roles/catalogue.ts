import { child, type Node, text } from '../inventory/node.ts';
import type { Where } from '../model/errors.ts';
import type { Site } from './site.ts';

/** A procedure as it can be asked for, with what must be said to run it. */
export interface KnownProcedure {
  /** `vzdump-hook/recover-wal` */
  readonly id: string;
  readonly about: string;
  readonly from: Where;
  readonly parameters: readonly KnownParameter[];
}

export interface KnownParameter {
  readonly name: string;
  /** There is no default for it. */
  readonly required: boolean;
  readonly about: string;
}

/** All procedures of a host, also those that `expandHost` leaves out because their parameters are not known yet. */
export function knownProcedures(site: Site, host: string): KnownProcedure[] {
  return site.rolesOf(host).flatMap((role) =>
    role.procedures.map((entry) => ({
      id: `${role.name}/${text(child(entry, 'id')) ?? ''}`,
      about: text(child(entry, 'about')) ?? '',
      from: entry.entries.get('id')?.key ?? entry.where,
      parameters: parametersOf(child(entry, 'parameters')),
    })),
  );
}

function parametersOf(node: Node | undefined): KnownParameter[] {
  if (node?.kind !== 'map') return [];
  return [...node.entries].map(([name, entry]) => ({
    name,
    required: child(entry.node, 'default') === undefined,
    about: text(child(entry.node, 'description')) ?? '',
  }));
}
