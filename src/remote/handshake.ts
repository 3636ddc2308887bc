import type { Socket } from 'node:net';
import type { AnyAuthMethod, Client } from 'ssh2';
import type { HostKeyAlgorithm } from './host-key.ts';

export interface HandshakeOptions {
  readonly user: string;
  readonly keyTypes: readonly HostKeyAlgorithm[];
  /** Judges the key in wire format, before anything about the user is sent. */
  readonly accept: (key: Buffer) => boolean;
  /** Tried in order. */
  readonly methods: readonly AnyAuthMethod[];
}

export type Handshake =
  | { readonly client: Client }
  | { readonly failure: 'no-common-key' | 'authentication' | 'timeout' | 'other'; readonly text: string };

/** Milliseconds for key exchange and log-in. */
const handshakeLimit = 17_000;

/** Milliseconds between pings; three without any byte coming back mean that the connection is dead. */
const pingInterval = 5000;
const pingsMissed = 3;

/**
 * Speaks ssh over a connected socket up to a client that is logged in. Never rejects, and leaves the client with an `error`
 * listener for ever: ssh2 emits `error` again after a cut or a reset, and without a listener that ends the whole process.
 */
export async function handshake(socket: Socket, options: HandshakeOptions): Promise<Handshake> {
  const { NodeSSH } = await import('node-ssh');
  const ssh = new NodeSSH();
  const connected = ssh.connect({
    sock: socket,
    username: options.user,
    readyTimeout: handshakeLimit,
    keepaliveInterval: pingInterval,
    // ssh2 counts pings without reply and ends a connection that is only slow (pings wait behind a big upload): `watch` judges.
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    algorithms: {
      // Fastest first; the names at the end are for old appliances.
      kex: [
        'curve25519-sha256',
        'curve25519-sha256@libssh.org',
        'ecdh-sha2-nistp256',
        'ecdh-sha2-nistp384',
        'ecdh-sha2-nistp521',
        'diffie-hellman-group-exchange-sha256',
        'diffie-hellman-group14-sha256',
        'diffie-hellman-group16-sha512',
      ],
      cipher: [
        'aes128-gcm@openssh.com',
        'aes256-gcm@openssh.com',
        'chacha20-poly1305@openssh.com',
        'aes128-ctr',
        'aes256-ctr',
      ],
      hmac: [
        'hmac-sha2-256-etm@openssh.com',
        'hmac-sha2-512-etm@openssh.com',
        'hmac-sha2-256',
        'hmac-sha2-512',
      ],
      compress: ['none'],
      serverHostKey: [...options.keyTypes],
    },
    hostVerifier: options.accept,
    // No `none` first: that would be one more round trip.
    authHandler: [...options.methods],
  });
  // Its outcome is read from the client's own events below.
  connected.catch(() => {});
  const client = ssh.connection;
  if (client === null) return { failure: 'other', text: 'no connection' };
  const outcome = await outcomeOf(client);
  if ('client' in outcome) watch(socket);
  else socket.destroy();
  return outcome;
}

function outcomeOf(client: Client): Promise<Handshake> {
  return new Promise((resolve) => {
    client.on('error', (error: Error & { level?: string }) => {
      // One key of the agent failed; the next one is tried.
      if (error.level === 'agent') return;
      resolve({ failure: failureOf(error), text: error.message });
    });
    client.on('close', () =>
      resolve({ failure: 'other', text: 'the host closed the connection during the handshake' }),
    );
    client.on('ready', () => resolve({ client }));
  });
}

function failureOf(error: Error & { level?: string }) {
  if (/no matching host key format/.test(error.message)) return 'no-common-key';
  if (error.level === 'client-authentication' || /too many authentication/i.test(error.message))
    return 'authentication';
  if (error.level === 'client-timeout') return 'timeout';
  return 'other';
}

/** Cuts a connection on which nothing at all came back for three pings: a sleeping host, a dead NAT entry, a pulled cable. */
export function watch(socket: Socket, interval = pingInterval): void {
  let seen = socket.bytesRead;
  let missed = 0;
  const timer = setInterval(() => {
    missed = socket.bytesRead === seen ? missed + 1 : 0;
    seen = socket.bytesRead;
    if (missed > pingsMissed) socket.destroy();
  }, interval);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
