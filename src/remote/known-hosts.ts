import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ProvisionError, type Where } from '../model/errors.ts';

/** One line of a known_hosts file. */
export interface Pin {
  readonly marker: 'revoked' | 'cert-authority' | null;
  /** The first column as written: names, patterns, `[host]:port`, or one hashed name. */
  readonly names: string;
  readonly type: string;
  /** The public key as on the wire. */
  readonly key: Buffer;
  readonly from: Where;
}

/** What the file says of one host. */
export interface Trusted {
  readonly keys: readonly Pin[];
  readonly revoked: readonly Pin[];
  readonly authorities: readonly Pin[];
}

/** The name a host is pinned under, as ssh writes it: the address, or `[address]:port`. */
export function pinName(address: string, port: number): string {
  return port === 22 ? address.toLowerCase() : `[${address.toLowerCase()}]:${port}`;
}

/** A file that is not there pins nothing. */
export function readPins(file: string): Pin[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new ProvisionError('input', `cannot read the pinned host keys in ${file}: ${String(error)}`);
  }
  return parsePins(text, file);
}

/** Every line must be understood: a pin that is skipped in silence would make a trusted host look unknown, or a revoked one fine. */
export function parsePins(text: string, file: string): Pin[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    return [parseLine(line, { file, line: index + 1, column: 1 })];
  });
}

export function trustedFor(pins: readonly Pin[], name: string): Trusted {
  const mine = pins.filter((pin) => namesHost(pin.names, name));
  return {
    keys: mine.filter((pin) => pin.marker === null),
    revoked: mine.filter((pin) => pin.marker === 'revoked'),
    authorities: mine.filter((pin) => pin.marker === 'cert-authority'),
  };
}

/** `SHA256:...`, as ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a public key in wire format says it has: "ssh-ed25519". */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return length > 0 && length <= key.length - 4 ? key.toString('latin1', 4, 4 + length) : '';
}

/** Whether the first column of a line means this host. */
export function namesHost(names: string, name: string): boolean {
  if (names.startsWith('|')) return hashedName(names, name);
  let found = false;
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!');
    if (!glob(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function parseLine(line: string, from: Where): Pin {
  const wrong = (what: string) =>
    new ProvisionError('input', `not a line of a known_hosts file: ${what}`, {
      where: from,
      hint: 'a line reads: NAME KEY-TYPE BASE64-KEY; `provision trust HOST` writes it',
    });
  const words = line.split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority')
    throw wrong(`the marker ${marker} is not known`);
  const [names, type, base64] = words;
  if (names === undefined || type === undefined || base64 === undefined)
    throw wrong('it has fewer than three columns');
  const key = Buffer.from(base64, 'base64');
  if (keyType(key) !== type) throw wrong(`the key is not of the type ${type}`);
  if (names.startsWith('|') && !/^\|1\|[^|]+\|[^|]+$/.test(names))
    throw wrong('the hashed name is not of the form |1|salt|hash');
  return {
    marker: marker === undefined ? null : marker === '@revoked' ? 'revoked' : 'cert-authority',
    names,
    type,
    key,
    from,
  };
}

/** `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt. */
function hashedName(names: string, name: string): boolean {
  const [, , salt = '', hash = ''] = names.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** ssh's patterns: `*` and `?` only; brackets are ordinary characters. */
function glob(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern.toLowerCase() === name;
  const source = pattern
    .toLowerCase()
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(name);
}
