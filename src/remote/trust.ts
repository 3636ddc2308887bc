import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { dial, unreachable } from './dial.ts';
import { handshake } from './handshake.ts';
import { algorithmsFor, keyTypes } from './host-key.ts';
import { fingerprint, keyType, parsePins, pinName, readPins, trustedFor } from './known-hosts.ts';
import { sshArgs } from './openssh.ts';
import { printable } from './printable.ts';
import type { Contact } from './session.ts';
import { userConfig } from './user-config.ts';

/** A key that a host shows. */
export interface HostKey {
  /** "ssh-ed25519" */
  readonly type: string;
  /** "SHA256:..." */
  readonly fingerprint: string;
  /** As it stands in a known_hosts file, without line break. */
  readonly line: string;
}

/** The keys a host offers now, best first. Proves nothing: a person compares the fingerprints. Throws unreachable. */
export async function scanKeys(host: Host, contact: Contact): Promise<HostKey[]> {
  const name = pinName(host.connection.address, host.connection.port);
  return (await offeredKeys(host, contact)).map((key) => ({
    type: keyType(key),
    fingerprint: fingerprint(key),
    line: `${name} ${keyType(key)} ${key.toString('base64')}`,
  }));
}

/** The keys now pinned for a host: to tell "unknown" from "changed" before asking. */
export function pinnedKeys(
  host: Host,
  contact: Contact,
): { type: string; fingerprint: string; from: string }[] {
  const name = pinName(host.connection.address, host.connection.port);
  return trustedFor(readPins(contact.knownHosts), name).keys.map((pin) => ({
    type: pin.type,
    fingerprint: fingerprint(pin.key),
    from: `${pin.from.file}:${pin.from.line}`,
  }));
}

/**
 * Writes keys that a person has compared, in place of those pinned before. Lines of other hosts, comments and markers stay as they
 * are. Throws 'refused' for a revoked key, 'input' for an old pin that stands in a line with other names.
 */
export function pinKeys(host: Host, keys: readonly HostKey[], contact: Contact): void {
  const file = contact.knownHosts;
  const name = pinName(host.connection.address, host.connection.port);
  const trusted = trustedFor(readPins(file), name);
  const wanted = parsePins(keys.map((key) => key.line).join('\n'), file);
  const revoked = trusted.revoked.find((pin) => wanted.some((key) => key.key.equals(pin.key)));
  if (revoked !== undefined)
    throw new ProvisionError('refused', `the key ${fingerprint(revoked.key)} of ${host.name} is revoked`, {
      host: host.name,
      where: revoked.from,
    });
  const shared = trusted.keys.find((pin) => pin.names.toLowerCase() !== name && !pin.names.startsWith('|'));
  if (shared !== undefined)
    throw new ProvisionError(
      'input',
      `${host.name} is pinned in a line with other names or patterns: ${shared.names}`,
      {
        host: host.name,
        where: shared.from,
        hint: 'edit that line by hand, then run again',
      },
    );
  const old = new Set(trusted.keys.map((pin) => pin.from.line));
  const kept = textOf(file)
    .split('\n')
    .filter((_, index) => !old.has(index + 1));
  while (kept.at(-1) === '') kept.pop();
  const text = `${[...kept, ...keys.map((key) => key.line)].join('\n')}\n`;
  // By rename: a half-written file would lose the pins of all hosts.
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode: 0o644 });
  renameSync(temporary, file);
}

/** The keys a host offers, as on the wire. */
export async function offeredKeys(host: Host, contact: Contact): Promise<Buffer[]> {
  const config = await userConfig(host, contact.env);
  if (config.needsSsh !== null) return askThroughSsh(host, contact);
  const kinds = [['ssh-ed25519'], keyTypes.filter((type) => type.startsWith('ecdsa')), ['ssh-rsa']];
  const keys = await Promise.all(kinds.map((types) => askOne(host, config.hostname, types)));
  const found = keys.flatMap((key) => key ?? []);
  if (found.length === 0)
    throw unreachable(host, 'it shows no host key of a type that can be pinned (ed25519, ecdsa, rsa)');
  return found;
}

/** Up to the moment where the host has proved that it has the key; then leaves, with nothing about the user sent. */
async function askOne(host: Host, hostname: string, types: readonly string[]): Promise<Buffer | null> {
  const socket = await dial(host, hostname, host.connection.port);
  let shown: Buffer | null = null;
  const outcome = await handshake(socket, {
    user: 'none',
    keyTypes: algorithmsFor(types),
    accept: (key) => {
      shown = Buffer.from(key);
      return false;
    },
    methods: [],
  });
  if (shown !== null || !('failure' in outcome) || outcome.failure === 'no-common-key') return shown;
  throw unreachable(host, printable(outcome.text));
}

/** Behind a jump host only ssh gets through. It writes the one key it was shown into a file of its own, and may not log in. */
async function askThroughSsh(host: Host, contact: Contact): Promise<Buffer[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'provision-'));
  const file = join(scratch, 'shown');
  try {
    const { user: _, ...connection } = host.connection;
    const args = sshArgs(
      { ...host, connection: { ...connection, user: 'none' } },
      { ...contact, knownHosts: file },
    );
    const first = [
      '-o',
      'StrictHostKeyChecking=accept-new',
      '-o',
      'PreferredAuthentications=none',
      '-o',
      'HashKnownHosts=no',
    ];
    const failure = await promisify(execFile)(
      'ssh',
      [...first, ...args, '--', host.connection.address, 'exit'],
      {
        env: contact.env,
        timeout: 28_000,
      },
    ).then(
      () => '',
      (error: unknown) =>
        error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error),
    );
    const keys = readPins(file).map((pin) => pin.key);
    if (keys.length === 0) throw unreachable(host, printable(failure));
    return keys;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
