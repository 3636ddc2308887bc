import type { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { unreachable } from './dial.ts';
import { changedKey, judgeKey, unknownKey } from './host-key.ts';
import { pinName, readPins, trustedFor } from './known-hosts.ts';
import { printable } from './printable.ts';
import type { Contact } from './session.ts';

/**
 * ssh gives exit code 255 for all its own failures and for a script's `exit 255`. What it wrote (to its own log, not to the
 * script's stderr) tells them apart. null: ssh was logged in, so the script may have begun.
 */
export async function refusalOf(
  host: Host,
  contact: Contact,
  log: string,
  offered: () => Promise<Buffer[]>,
): Promise<ProvisionError | null> {
  if (/^Authenticated to /m.test(log)) return null;
  const { user, address, port } = host.connection;
  if (
    /^Host key verification failed|host key is known for|HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY/m.test(
      log,
    )
  ) {
    const trusted = trustedFor(readPins(contact.knownHosts), pinName(address, port));
    const keys = await offered();
    const wrong = keys
      .map((key) => judgeKey(host, trusted, key, contact.knownHosts))
      .find((error) => error !== null);
    if (trusted.keys.length === 0) return wrong ?? unknownKey(host, keys, contact.knownHosts);
    return wrong ?? changedKey(host, trusted, keys);
  }
  const resolve = /^ssh: Could not resolve hostname (\S+): (.*)$/m.exec(log);
  if (resolve !== null)
    return unreachable(
      host,
      `no address is known for the name ${resolve[1]} (DNS)`,
      'correct connection.address, or the DNS',
    );
  const denied = /Permission denied \((.*)\)/.exec(log);
  if (denied !== null)
    return unreachable(
      host,
      `it does not let ${user} in; ssh tried ${host.connection.identityFile ?? 'your keys'} (${denied[1]})`,
      `put the public key into ~${user}/.ssh/authorized_keys there, or name the right key in connection.identity_file`,
    );
  const connect = /^ssh: connect to host \S+ port \d+: (.*)$/m.exec(log);
  return unreachable(host, printable((connect?.[1] ?? log.trim().split('\n').at(-1) ?? '').toLowerCase()));
}

/** Whether ssh says that a connection that had been up went away. */
export function isLost(log: string, stderr: string): boolean {
  const words =
    /^(?:Timeout, server .* not responding|client_loop: |Connection to .* (?:closed|timed out)|Connection (?:closed|reset) by|Read from remote host|Write failed|packet_write|ssh_packet|ssh_dispatch)/m;
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return words.test(log) || words.test(last);
}
