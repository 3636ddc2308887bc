import type { Socket } from 'node:net';
import type { AnyAuthMethod, Client, ClientChannel } from 'ssh2';
import type { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { type Entry, entryOf, type Feeding, feed, received } from './become.ts';
import { unreachable } from './dial.ts';
import { handshake } from './handshake.ts';
import { algorithmsFor, changedKey, judgeKey } from './host-key.ts';
import type { Trusted } from './known-hosts.ts';
import { describeLogin, type Login } from './login.ts';
import { printable } from './printable.ts';
import { type Running, startRun } from './running.ts';
import type { RunOptions, RunResult, Session } from './session.ts';

export interface SshTarget {
  readonly host: Host;
  readonly trusted: Trusted;
  readonly login: Login;
  /** Path of the pins, for messages. */
  readonly knownHosts: string;
  /** Looks what keys the host offers instead of the pinned ones; asked only when the connection has failed. */
  readonly offered: () => Promise<Buffer[]>;
}

/** Milliseconds that a host has to take its leave. */
const farewell = 300;

/** Logs in over a connected socket. Throws unreachable or refused. */
export async function sshSession(socket: Socket, target: SshTarget): Promise<Session> {
  const { host, trusted, login } = target;
  const entry = entryOf(host);
  let refusal: ProvisionError | null = null;
  const outcome = await handshake(socket, {
    user: host.connection.user,
    keyTypes: algorithmsFor(trusted.keys.map((pin) => pin.type)),
    accept: (key) => {
      refusal = judgeKey(host, trusted, key, target.knownHosts);
      return refusal === null;
    },
    methods: methodsOf(host, login),
  });
  if (refusal !== null) throw refusal;
  if ('failure' in outcome) throw await explain(target, outcome.failure, outcome.text);
  const { client } = outcome;
  const ended = new Promise<void>((resolve) => client.once('close', resolve));
  let closed = false;
  return {
    root: '/',
    live: true,
    async run(script, options) {
      if (closed) throw unreachable(host, 'the session is closed');
      return received(host, entry, await runOn(host, client, entry, script, options));
    },
    async close() {
      closed = true;
      client.end();
      const timer = setTimeout(() => socket.destroy(), farewell);
      await ended;
      clearTimeout(timer);
    },
  };
}

function runOn(
  host: Host,
  client: Client,
  entry: Entry,
  script: string | Buffer,
  options: RunOptions,
): Promise<RunResult> {
  let channel: ClientChannel | undefined;
  let over = false;
  const running = startRun(options, () => channel?.close());
  // Also after a channel's own events: whatever a dead connection leaves unsaid is settled here.
  const onClose = () => setImmediate(() => running.settle('lost', null));
  const started = (error: Error | undefined, opened: ClientChannel) => {
    // The script goes to standard input, so without a channel nothing of it has run.
    if (error)
      return running.fail(unreachable(host, `it does not start a shell: ${printable(error.message)}`));
    channel = opened;
    if (over) return opened.close();
    client.once('close', onClose);
    const feeding = feed(entry, script, opened);
    follow(opened, running, feeding);
    void running.result.catch(() => {}).finally(feeding.stop);
  };
  try {
    client.exec(entry.command, started);
  } catch {
    running.fail(unreachable(host, 'the connection is gone'));
  }
  // The channel may open after the limit has passed (a host that slept): then the script must not be sent any more.
  return running.result.finally(() => {
    over = true;
    client.off('close', onClose);
  });
}

/** Both streams and the exit report must be in before a run has ended; their order is not fixed. */
function follow(channel: ClientChannel, running: Running, feeding: Feeding): void {
  let exit: { code: number | null } | null = null;
  let open = 2;
  const onClosed = () => {
    open -= 1;
    if (open > 0) return;
    // A cut connection closes the channel without an exit report: ssh2 gives code null, which is never success.
    if (exit === null) running.settle('lost', null);
    else running.settle(exit.code === null ? 'signal' : 'exit', exit.code);
  };
  channel.on('data', running.stdout);
  channel.stderr.on('data', (chunk: Buffer) => {
    running.stderr(chunk);
    feeding.onStderr(chunk);
  });
  channel.on('exit', (code: number | null) => {
    exit = { code };
  });
  channel.on('error', () => {});
  channel.on('close', onClosed);
  channel.stderr.on('close', onClosed);
}

function methodsOf(host: Host, login: Login): AnyAuthMethod[] {
  const username = host.connection.user;
  const files = login.files.map((file) => ({ type: 'publickey' as const, username, key: file.text }));
  const agent = login.agent === null ? [] : [{ type: 'agent' as const, username, agent: login.agent.socket }];
  return login.filesFirst ? [...files, ...agent] : [...agent, ...files];
}

async function explain(target: SshTarget, failure: string, text: string): Promise<Error> {
  const { host, trusted, login } = target;
  const { user } = host.connection;
  if (failure === 'no-common-key' && trusted.keys.length > 0) {
    const offered = await target.offered();
    if (offered.length > 0) return changedKey(host, trusted, offered);
  }
  if (failure === 'authentication')
    return unreachable(
      host,
      `it does not let ${user} in; tried ${describeLogin(login)}`,
      `put the public key into ~${user}/.ssh/authorized_keys there, or name the right key in connection.identity_file`,
    );
  if (failure === 'timeout')
    return unreachable(host, 'it accepts connections but sshd does not answer in time');
  return unreachable(
    host,
    printable(text),
    'sshd may refuse this address or be overloaded; try `ssh` to the same address',
  );
}
