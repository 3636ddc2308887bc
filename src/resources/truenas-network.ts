/** A network as numbers: the first address, and how many bits it shares with all of them. */
interface Network {
  readonly bits: 32 | 128;
  readonly first: bigint;
  readonly prefix: number;
  /** Bits behind the prefix were set: `10.10.0.5/24`. */
  readonly loose: boolean;
}

function parseNetwork(text: string): Network | null {
  const [address = '', length, more] = text.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const number = bits === 32 ? ipv4(address) : ipv6(address);
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (number === null || more !== undefined || prefix < 0 || prefix > bits) return null;
  const rest = BigInt(bits - prefix);
  const first = (number >> rest) << rest;
  return { bits, first, prefix, loose: first !== number };
}

function ipv4(text: string): bigint | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

function ipv6(text: string): bigint | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const gap = halves.length === 2 ? 8 - head.length - tail.length : 0;
  const groups = [...head, ...Array.from({ length: Math.max(gap, 0) }, () => '0'), ...tail];
  if (groups.length !== 8 || (halves.length === 2 && gap < 1)) return null;
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}

/** One way to write a network; a text that is none stays as it is. */
export function canonicalNetwork(text: string): string {
  const network = parseNetwork(text);
  if (network === null) return text;
  const { bits, first, prefix } = network;
  const size = bits === 32 ? 8n : 16n;
  const groups = Array.from({ length: bits / Number(size) }, (_, index) => {
    const shift = BigInt(bits) - size * BigInt(index + 1);
    const group = (first >> shift) & ((1n << size) - 1n);
    return bits === 32 ? group.toString() : group.toString(16);
  });
  return `${groups.join(bits === 32 ? '.' : ':')}/${prefix}`;
}

/** Everybody: `0.0.0.0/0`. */
export function isWorld(text: string): boolean {
  return parseNetwork(text)?.prefix === 0;
}

/** What is wrong with a network by itself, as the continuation of "networks.0 of ...", or null. */
export function networkMistake(text: string): string | null {
  const network = parseNetwork(text);
  if (network === null) return `is "${text}", which is no network; write it as 10.10.0.0/24`;
  if (network.loose)
    return `is "${text}", an address inside the network ${canonicalNetwork(text)}; write the network, or /${network.bits} for the one address`;
  return null;
}

/** The first two of a list that share addresses, or null: TrueNAS refuses them. */
export function overlapping(texts: readonly string[]): readonly [string, string] | null {
  for (const [index, text] of texts.entries()) {
    const one = parseNetwork(text);
    const other = texts.slice(index + 1).find((next) => one !== null && meet(one, parseNetwork(next)));
    if (other !== undefined) return [text, other];
  }
  return null;
}

function meet(one: Network, other: Network | null): boolean {
  if (other === null || one.bits !== other.bits) return false;
  const rest = BigInt(one.bits - Math.min(one.prefix, other.prefix));
  return one.first >> rest === other.first >> rest;
}
