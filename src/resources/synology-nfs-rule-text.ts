import type { Facts } from '../model/resource.ts';
import type { State } from '../model/state.ts';
import { canonicalClient } from './export-options.ts';

/** Whom DSM takes a client's users for: its words, and what they become in /etc/exports. `root` means that root is NOT squashed. */
export const squashes = {
  root: 'no_root_squash',
  admin: 'root_squash, root is admin',
  guest: 'root_squash, root is guest',
  all_admin: 'all_squash, everybody is admin',
  all_guest: 'all_squash, everybody is guest',
} as const;

export const flavors = ['sys', 'kerberos', 'kerberos_integrity', 'kerberos_privacy'] as const;

export interface NfsRule {
  readonly client: string;
  readonly privilege: 'rw' | 'ro';
  readonly root_squash: keyof typeof squashes;
  readonly async: boolean;
  readonly insecure: boolean;
  readonly crossmnt: boolean;
  readonly security_flavor: readonly (typeof flavors)[number][];
}

/** Keys of a rule in the order of `ruleRow`; DSM wants all of them. */
export const ruleKeys = ['client', 'privilege', 'root_squash', 'async', 'insecure', 'crossmnt'] as const;

type Row = readonly unknown[];

/** A rule as one line of JSON, the same text as the host prints for the same rule: `["10.10.0.0/24","rw","root",true,...]`. */
export function ruleRow(rule: NfsRule): string {
  return JSON.stringify([
    ...ruleKeys.map((key) => rule[key]),
    ...flavors.map((flavor) => rule.security_flavor.includes(flavor)),
  ]);
}

/** A rule as DSM takes it. */
export function ruleObject(rule: NfsRule): Readonly<Record<string, unknown>> {
  return {
    ...Object.fromEntries(ruleKeys.map((key) => [key, rule[key]])),
    security_flavor: Object.fromEntries(
      flavors.map((flavor) => [flavor, rule.security_flavor.includes(flavor)]),
    ),
  };
}

/**
 * The whole set, keyed by client: `clients` names them, `client X` says what X may do. What means the same client is one: an address
 * with /32, a network written with its mask. Two rules for one are told, because DSM accepts them and which one counts is not said.
 */
export function ruleState(rows: readonly Row[]): State {
  const byClient = new Map<string, string[]>();
  for (const row of rows) {
    const client = canonicalClient(String(row[0]));
    byClient.set(client, [...(byClient.get(client) ?? []), meaning(row)]);
  }
  const clients = [...byClient].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    clients: clients
      .map(([client, rules]) => (rules.length > 1 ? `${client} (${rules.length} rules)` : client))
      .join(', '),
    ...Object.fromEntries(clients.map(([client, rules]) => [`client ${client}`, rules.join('; ')])),
  };
}

/** "rw, root_squash=root (no_root_squash), async, sec=sys": words of DSM with what they mean. */
function meaning([, privilege, squash, ...rest]: Row): string {
  const exported = Object.entries(squashes).find(([word]) => word === squash)?.[1];
  const [async, insecure, crossmnt, ...kinds] = rest;
  return [
    String(privilege),
    `root_squash=${squash}${exported === undefined ? '' : ` (${exported})`}`,
    async === true ? 'async' : 'sync',
    ...(insecure === true ? ['insecure'] : []),
    ...(crossmnt === true ? ['crossmnt'] : []),
    `sec=${flavors.filter((_, index) => kinds[index] === true).join(':') || 'none'}`,
  ].join(', ');
}

/** Rules as printed; null: one of them is not of the form that is known here. */
export function readRules(facts: Facts): readonly Row[] | null {
  const rows = facts.all('rule').map(row);
  return rows.every((one) => one !== null) ? rows : null;
}

function row(text: string): Row | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || value.length !== ruleKeys.length + flavors.length) return null;
    const [client, privilege, squash, ...flags] = value as unknown[];
    const words = [client, privilege, squash].every((word) => typeof word === 'string');
    return words && flags.every((flag) => typeof flag === 'boolean') ? (value as unknown[]) : null;
  } catch {
    return null;
  }
}
