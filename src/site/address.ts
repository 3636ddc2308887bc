import { canonicalClient } from '../resources/export-options.ts';

/** What is known of a host by which a server may know it. Names in lower case, with and without the domain. */
export interface Reached {
  readonly address?: string | undefined;
  readonly names: readonly string[];
}

/** `unknown`: it cannot be told from the inventory (a netgroup, a name that only DNS knows). */
export type Admits = 'yes' | 'no' | 'unknown';

/** An IP address as a number, with the bits of its family. */
interface Numeric {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Whether a client of an export is this host. Takes all forms of exports(5): address, network, name, wildcard, `@netgroup`. */
export function admits(client: string, host: Reached): Admits {
  const written = canonicalClient(client.trim());
  if (written === '*') return 'yes';
  if (written.startsWith('@')) return 'unknown';
  const own = host.address === undefined ? undefined : numeric(host.address);
  if (written.includes('/')) return own === undefined ? 'unknown' : inNetwork(written, own);
  const single = numeric(written);
  if (single !== undefined) return own === undefined ? 'unknown' : same(single, own) ? 'yes' : 'no';
  return byName(written, host);
}

/** A `*` in a name matches dots too, unlike in a shell. A name that we do not know may still be one that DNS knows. */
function byName(written: string, { address, names }: Reached): Admits {
  const known = address === undefined || numeric(address) ? names : [...names, address.toLowerCase()];
  const pattern = new RegExp(
    `^${written
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  return known.some((name) => pattern.test(name)) ? 'yes' : 'unknown';
}

function inNetwork(network: string, own: Numeric): Admits {
  const [base = '', length = ''] = network.split('/');
  const start = numeric(base);
  const bits = /^[0-9]{1,3}$/.test(length) ? Number(length) : undefined;
  if (start === undefined || bits === undefined || bits > start.bits) return 'unknown';
  if (start.bits !== own.bits) return 'no';
  const rest = BigInt(start.bits - bits);
  return start.value >> rest === own.value >> rest ? 'yes' : 'no';
}

/** How closely a client is named: the server takes the closest that matches, whatever the order they are written in. */
export function closeness(client: string): number {
  if (client === '*' || client === '<world>') return 4;
  if (client.startsWith('@')) return 3;
  if (/[*?[]/.test(client)) return 2;
  return client.includes('/') ? 1 : 0;
}

/** Whether a name or address of a server means this host. */
export function isHost(server: string, host: Reached): boolean {
  const word = server.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const wanted = numeric(word);
  if (wanted === undefined) return word === host.address?.toLowerCase() || host.names.includes(word);
  const own = host.address === undefined ? undefined : numeric(host.address);
  return own !== undefined && same(wanted, own);
}

function same(one: Numeric, other: Numeric): boolean {
  return one.bits === other.bits && one.value === other.value;
}

/** Undefined for what is no address. `::ffff:10.0.0.1` is the same address as 10.0.0.1. */
function numeric(text: string): Numeric | undefined {
  const four = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$/.exec(text);
  if (four !== null) {
    const parts = four.slice(1).map(Number);
    if (parts.some((part) => part > 255)) return undefined;
    return { bits: 32, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  const plain = text.split('%')[0] ?? '';
  if (!plain.includes(':') || !URL.canParse(`http://[${plain}]/`)) return undefined;
  const [left = '', right] = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split('::');
  const words = (half: string | undefined): string[] => (half ? half.split(':') : []);
  const zeros = 8 - words(left).length - words(right).length;
  const all = [...words(left), ...Array<string>(right === undefined ? 0 : zeros).fill('0'), ...words(right)];
  const value = all.reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n);
  return value >> 32n === 0xffffn ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value };
}
