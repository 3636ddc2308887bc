import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { fingerprint, keyType, type Trusted } from './known-hosts.ts';

/** Host key algorithms that ssh2 speaks, by key type. SHA-1 signatures (`ssh-rsa`) are left out: OpenSSH dropped them in 8.8. */
const algorithmsOf = new Map<string, readonly HostKeyAlgorithm[]>([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]);

export type HostKeyAlgorithm =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'rsa-sha2-512'
  | 'rsa-sha2-256';

/** Key types that can be asked for and pinned, best first. */
export const keyTypes: readonly string[] = [...algorithmsOf.keys()];

/**
 * What to ask of a host: the pinned types only. A host shows one key, the first type both sides speak; asked for any, a valid host
 * with another key besides the pinned one would look changed. Without pins, all: its key is then named in the refusal.
 */
export function algorithmsFor(types: readonly string[]): HostKeyAlgorithm[] {
  const wanted = types.length === 0 ? keyTypes : keyTypes.filter((type) => types.includes(type));
  return wanted.flatMap((type) => algorithmsOf.get(type) ?? []);
}

/** null when the key is one of the pinned ones, else the refusal. */
export function judgeKey(host: Host, trusted: Trusted, key: Buffer, file: string): ProvisionError | null {
  const revoked = trusted.revoked.find((pin) => pin.key.equals(key));
  if (revoked !== undefined)
    return new ProvisionError('refused', `${place(host)} shows a key that is revoked: ${describe(key)}`, {
      host: host.name,
      where: revoked.from,
      hint: 'nothing was sent; find out who answers there before anything else',
    });
  if (trusted.keys.some((pin) => pin.key.equals(key))) return null;
  return trusted.keys.length === 0 ? unknownKey(host, [key], file) : changedKey(host, trusted, [key]);
}

export function unknownKey(host: Host, shown: readonly Buffer[], file: string): ProvisionError {
  return new ProvisionError(
    'refused',
    `${place(host)} is not trusted yet: its key ${shown.map(describe).join(', ')} is not pinned in ${file}`,
    {
      host: host.name,
      hint: `compare it with \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` typed at ${host.name} itself, then: provision trust ${host.name}`,
    },
  );
}

export function changedKey(host: Host, trusted: Trusted, shown: readonly Buffer[]): ProvisionError {
  const types = shown.map(keyType);
  const sameType = trusted.keys.filter((pin) => types.includes(pin.type));
  const pins = sameType.length > 0 ? sameType : trusted.keys;
  const pinned = pins.map((pin) => `${describe(pin.key)} (${pin.from.file}:${pin.from.line})`).join(', ');
  return new ProvisionError(
    'refused',
    `the key of ${place(host)} changed: it shows ${shown.map(describe).join(', ')}, pinned is ${pinned}`,
    {
      host: host.name,
      where: pins[0]?.from,
      hint: `was ${host.name} rebuilt? then compare the new key at the machine itself and: provision trust ${host.name}. If not, somebody may sit in between; nothing was sent`,
    },
  );
}

export function place(host: Host): string {
  return `${host.name} (${host.connection.address}:${host.connection.port})`;
}

/** "ed25519 SHA256:..." */
export function describe(key: Buffer): string {
  return `${keyType(key)
    .replace(/^ssh-/, '')
    .replace(/^ecdsa-sha2-/, 'ecdsa-')} ${fingerprint(key)}`;
}
