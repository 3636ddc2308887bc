import { connect, type Socket } from 'node:net';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { place } from './host-key.ts';

/** Milliseconds a host has to accept a TCP connection. With the handshake's limit: under 30 s in all. */
const dialLimit = 10_000;

/** A TCP connection, or ProvisionError 'unreachable' that says what failed. The socket is paused and has no listeners left. */
export function dial(host: Host, hostname: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: hostname,
      port,
      noDelay: true,
      // The default of 250 ms gives up a slow link as soon as a name has two addresses.
      autoSelectFamilyAttemptTimeout: 3000,
    });
    const giveUp = (what: string, hint: string) => {
      socket.destroy();
      reject(unreachable(host, what, hint));
    };
    const timer = setTimeout(
      () =>
        giveUp(
          `no answer in ${dialLimit / 1000} s`,
          'is it switched on, and does a firewall drop the packets?',
        ),
      dialLimit,
    );
    socket.on('error', onError);
    function onError(error: NodeJS.ErrnoException) {
      clearTimeout(timer);
      const [what, hint] = explain(error, hostname);
      giveUp(what, hint);
    }
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      // An error before the next owner listens must not be an uncaught one.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** "cannot reach pve2 (10.0.0.30:22): connection refused" */
export function unreachable(host: Host, what: string, hint?: string): ProvisionError {
  return new ProvisionError('unreachable', `cannot reach ${place(host)}: ${what}`, { host: host.name, hint });
}

function explain(error: NodeJS.ErrnoException, hostname: string): [what: string, hint: string] {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code: string = first?.code ?? error.code ?? '';
  switch (code) {
    case 'ENOTFOUND':
      return [`no address is known for the name ${hostname} (DNS)`, 'correct connection.address, or the DNS'];
    case 'EAI_AGAIN':
      return [`the DNS did not answer for the name ${hostname}`, 'an address instead of a name needs no DNS'];
    case 'ECONNREFUSED':
      return ['connection refused', 'is sshd running there, and is the port right?'];
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return ['no route to the host', 'is it switched on, and is this machine in the right network?'];
    case 'ETIMEDOUT':
      return ['timed out', 'is it switched on, and does a firewall drop the packets?'];
    case 'ECONNRESET':
      return ['connection reset', 'a firewall, or sshd refuses this address'];
    default:
      return [code || String(error), 'try `ssh` to the same address'];
  }
}
