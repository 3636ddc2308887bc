import type { Answers, Question, Reason } from '../model/procedure.ts';
import { sh } from '../shell/sh.ts';
import { unknown } from './reasons.ts';
import { fact, rows, saidBy } from './said.ts';
import { spokenFunction } from './spoken.ts';

/** What TrueNAS says of an exported directory. */
export interface TrueNasState {
  readonly dataset: string;
  /** In capitals, as its middleware has them: NFSV4, POSIX, OFF; PASSTHROUGH, RESTRICTED, DISCARD. */
  readonly acltype: string;
  readonly aclmode: string;
  /** Datasets below it that have its kind of ACLs because they have none of their own. */
  readonly heirs: readonly string[];
  /** Whether the directory has no ACL beyond its mode; undefined when it does not say. */
  readonly trivial: boolean | undefined;
  readonly share: Readonly<Record<string, unknown>> | undefined;
}

/** `truenas dataset|acl|shares JSON`. The middleware and not zfs: what is set with zfs does not reach its database. */
export function truenasQuestion(host: string, path: string): Question {
  const parts = path.replace(/^\/mnt\//, '').split('/');
  const ids = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const filter = JSON.stringify([['id', 'in', ids]]);
  return {
    host,
    limit: 70,
    look: sh`${spokenFunction}
call() {
  rc=0
  said=$(spoken midclt 20 "$2") || rc=$?
  [ "$rc" -eq 0 ] || { printf 'truenas\tunknown\tmidclt ended with %s: %s\n' "$rc" "$(printf '%s' "$said" | tr '\n\t' '  ' | cut -c 1-300)"; return; }
  printf 'truenas\t%s\t%s\n' "$1" "$(printf '%s' "$said" | tr '\n\t' '  ')"
}
call datasets ${sh`midclt call pool.dataset.query ${filter}`.text}
call acl ${sh`midclt call filesystem.getacl ${path}`.text}
call shares 'midclt call sharing.nfs.query'`,
  };
}

export function readTrueNas(answers: Answers, host: string, path: string): TrueNasState | Reason {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  const trouble = fact(said, 'truenas', 'unknown');
  const datasets = rows(fact(said, 'truenas', 'datasets'));
  const shares = rows(fact(said, 'truenas', 'shares'));
  if (datasets === null || shares === null)
    return unknown(`${host} does not say what it has: ${trouble || 'no answer'}`);
  const dataset = [...datasets].sort((a, b) => String(b.id).length - String(a.id).length)[0];
  if (dataset === undefined) return unknown(`${host} has no dataset for ${path}`);
  const value = (name: string): string => {
    const property = dataset[name];
    const inner =
      typeof property === 'object' && property !== null && 'value' in property ? property.value : property;
    return typeof inner === 'string' ? inner.toUpperCase() : '';
  };
  return {
    dataset: String(dataset.id),
    acltype: value('acltype'),
    aclmode: value('aclmode'),
    heirs: heirsOf(dataset),
    trivial: trivialIn(fact(said, 'truenas', 'acl')),
    share: shares.find(
      ({ path: one, paths }) => one === path || (Array.isArray(paths) && paths.includes(path)),
    ),
  };
}

function heirsOf({ children }: Readonly<Record<string, unknown>>): string[] {
  if (!Array.isArray(children)) return [];
  return children.flatMap((child: Readonly<Record<string, unknown>>) => {
    const acltype = child.acltype;
    const own =
      typeof acltype === 'object' && acltype !== null && 'source' in acltype && acltype.source === 'LOCAL';
    // Below one of its own another kind is inherited.
    return own || child.type === 'VOLUME' ? [] : [String(child.id), ...heirsOf(child)];
  });
}

function trivialIn(json: string): boolean | undefined {
  try {
    const acl: unknown = JSON.parse(json);
    if (typeof acl !== 'object' || acl === null || !('trivial' in acl)) return undefined;
    return typeof acl.trivial === 'boolean' ? acl.trivial : undefined;
  } catch {
    return undefined;
  }
}
