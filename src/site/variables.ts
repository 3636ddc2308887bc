import { child, items, type Node, plain } from '../inventory/node.ts';
import type { Where } from '../model/errors.ts';
import { counts, record, word, words } from './spec.ts';

/** What the variables of roles say and no resource shows as such. */
export interface RoleParts {
  /** /etc/vzdump.conf: what jobs fall back on. */
  readonly vzdump?: Vzdump | undefined;
  /** Guests whose services the hook stops. */
  readonly hooked: readonly Hooked[];
  /** The certificate that a backup server is said to have. */
  readonly fingerprint?: { readonly value: string; readonly where: Where } | undefined;
  readonly policy: ReadonlyMap<string, ClassPolicy>;
  /** Checks read archives to their end. */
  readonly readArchives: boolean;
  /** Backup groups whose guests are gone: `vm/330`. */
  readonly decommissioned: readonly {
    readonly group: string;
    readonly reason: string;
    readonly ns?: string | undefined;
    /** Day. */
    readonly since?: string | undefined;
    readonly where: Where;
  }[];
}

/** What a class of guests is allowed, of the policy of the role backup-jobs. */
export interface ClassPolicy {
  /** Hours; undefined: it follows from the schedule. */
  readonly maxAge?: number | undefined;
  readonly tolerate: readonly string[];
  readonly where: Where;
}

export interface Vzdump {
  readonly tmpdir: string;
  readonly tmpdirWhere: Where;
  /** GiB that are proven to be free there. */
  readonly free: number;
  readonly freeWhere: Where;
  readonly mode: string;
  readonly storage?: string | undefined;
  readonly prune?: ReadonlyMap<string, number> | undefined;
  readonly where: Where;
}

export interface Hooked {
  readonly vmid: number;
  readonly services: readonly string[];
  readonly where: Where;
}

export function rolePartsOf(variables: ReadonlyMap<string, Node>): RoleParts {
  const pbs = variables.get('pbs');
  const fingerprint = child(pbs, 'fingerprint');
  const value = fingerprint && plain(fingerprint);
  return {
    vzdump: vzdumpOf(variables.get('vzdump')),
    hooked: items(child(variables.get('vzdump-hook'), 'guests')).map(hookedOf),
    fingerprint:
      typeof value === 'string' && fingerprint ? { value, where: written(fingerprint) } : undefined,
    policy: policyOf(child(variables.get('backup-jobs'), 'policy')),
    readArchives: truth(child(variables.get('backup-jobs'), 'read_archives')),
    decommissioned: ['pbs', 'pbs-health'].flatMap((role) =>
      items(child(variables.get(role), 'decommissioned')).map((item) => {
        const spec = record(plain(item));
        return {
          group: word(spec, 'group') ?? '',
          reason: word(spec, 'reason') ?? '',
          ns: word(spec, 'ns'),
          since: word(spec, 'since'),
          where: item.where,
        };
      }),
    ),
  };
}

function truth(node: Node | undefined): boolean {
  return node !== undefined && plain(node) === true;
}

function policyOf(node: Node | undefined): ReadonlyMap<string, ClassPolicy> {
  const classes = node?.kind === 'map' ? [...node.entries] : [];
  return new Map(
    classes.map(([name, entry]) => {
      const spec = record(plain(entry.node));
      const maxAge = typeof spec.max_age_hours === 'number' ? spec.max_age_hours : undefined;
      return [name, { maxAge, tolerate: words(spec, 'tolerate'), where: entry.key }];
    }),
  );
}

function hookedOf(item: Node): Hooked {
  const spec = record(plain(item));
  return { vmid: Number(spec.vmid), services: words(spec, 'services'), where: item.where };
}

function vzdumpOf(node: Node | undefined): Vzdump | undefined {
  if (node === undefined) return undefined;
  const spec = record(plain(node));
  const at = (key: string): Where => written(child(node, key) ?? node);
  return {
    tmpdir: word(spec, 'tmpdir') ?? '',
    tmpdirWhere: at('tmpdir'),
    free: Number(spec.tmpdir_free_gib ?? 0),
    freeWhere: at('tmpdir_free_gib'),
    mode: word(spec, 'mode') ?? 'snapshot',
    storage: word(spec, 'storage'),
    prune: counts(spec, 'prune_backups'),
    where: at('prune_backups'),
  };
}

function written(node: Node): Where {
  return node.via ?? node.where;
}
