import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { Connection } from '../../../src/model/host.ts';
import { connect } from '../../../src/remote/connect.ts';
import { watch } from '../../../src/remote/handshake.ts';
import type { Contact } from '../../../src/remote/session.ts';
import { freePort, keygen, type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
const servers: Server[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  sshd = await startSshd();
}, 30_000);
afterEach(() => {
  sshd.configure(null);
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => sshd?.stop());

async function attempt(
  session: 'ssh' | 'openssh',
  changes: Partial<Connection> = {},
  contact: Contact = sshd.contact,
): Promise<ProvisionError | string> {
  try {
    const open = await connect(sshd.host({ session, ...changes }), contact);
    const result = await open.run('echo in', { limit: 25_000 });
    await open.close();
    return result.stdout.toString();
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
}

/** A server on loopback that is no sshd. */
function serve(talk: (socket: Socket) => void): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      talk(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function pinPort(port: number): void {
  sshd.pin(
    `[127.0.0.1]:${port} ${sshd.publicKey('ed25519')}`,
    `[127.0.0.1]:${sshd.port} ${sshd.publicKey('ed25519')}`,
    `nowhere.invalid ${sshd.publicKey('ed25519')}`,
  );
}

function withoutIdentity(extra: NodeJS.ProcessEnv = {}): Contact {
  return { ...sshd.contact, env: { ...sshd.contact.env, ...extra } };
}

describe.each(['ssh', 'openssh'] as const)('%s says what failed', (session) => {
  test('no such port', async () => {
    const port = await freePort();
    pinPort(port);
    const error = await attempt(session, { port });
    expect(error).toMatchObject({ code: 'unreachable', host: 'box' });
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining(`box (127.0.0.1:${port}): connection refused`),
    );
  });

  test('no such name', async () => {
    pinPort(1);
    const error = await attempt(session, { address: 'nowhere.invalid', port: 22 });
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error).toHaveProperty('message', expect.stringMatching(/nowhere\.invalid/));
    expect(error).toHaveProperty('message', expect.stringMatching(/DNS/));
  });

  test('a user or key that is not let in, with the user and the keys tried', async () => {
    const other = join(sshd.dir, `other_${session}`);
    keygen('ed25519', other);
    const error = await attempt(session, { identityFile: other });
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error).toHaveProperty('message', expect.stringContaining('let root in'));
    expect(error).toHaveProperty('message', expect.stringContaining(other));
    const nobody = await attempt(session, { user: 'no-such-user' });
    expect(nobody).toHaveProperty('message', expect.stringContaining('let no-such-user in'));
  });

  test('a server that closes at once', async () => {
    const port = await serve((socket) => socket.end());
    pinPort(port);
    expect(await attempt(session, { port })).toMatchObject({ code: 'unreachable' });
  });

  test('a server that is no ssh', async () => {
    const port = await serve((socket) =>
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n\x1b]52;c;AAAA\x07'.repeat(50)),
    );
    pinPort(port);
    const error = await attempt(session, { port });
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(String(error)).not.toContain('\x1b');
  });
});

test('a connection on which nothing comes back is cut after three pings, one that is only slow is not', async () => {
  const silent = await serve(() => {});
  const slow = await serve((socket) => {
    const timer = setInterval(() => socket.write('x'), 50);
    socket.on('close', () => clearInterval(timer));
  });
  const open = (port: number) =>
    new Promise<Socket>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => resolve(socket));
      socket.on('data', () => {});
    });
  const [dead, alive] = await Promise.all([open(silent), open(slow)]);
  watch(dead, 40);
  watch(alive, 40);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(dead.destroyed).toBe(true);
  expect(alive.destroyed).toBe(false);
  alive.destroy();
});

test('a dead host does not delay the others', async () => {
  const port = await serve(() => {});
  pinPort(port);
  const dead = Array.from({ length: 8 }, () => attempt('ssh', { port }));
  const began = Date.now();
  expect(await attempt('ssh')).toBe('in\n');
  expect(Date.now() - began).toBeLessThan(3000);
  // The server hangs up: the eight end too.
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const error of await Promise.all(dead)) expect(error).toMatchObject({ code: 'unreachable' });
});

describe('keys', () => {
  const noKey = { identityFile: undefined } as unknown as Partial<Connection>;

  test('an identity file that is not there is an input error at the host file', async () => {
    expect(await attempt('ssh', { identityFile: '~/nothing' })).toMatchObject({
      code: 'input',
      where: { file: 'inventory/hosts/box.yaml' },
    });
  });

  test('without one, the default files count', async () => {
    expect(await attempt('ssh', noKey)).toMatchObject({
      message: expect.stringContaining('no key to log in'),
    });
    mkdirSync(join(sshd.dir, '.ssh'), { recursive: true });
    copyFileSync(sshd.key, join(sshd.dir, '.ssh/id_ed25519'));
    expect(await attempt('ssh', noKey)).toBe('in\n');
    expect(await attempt('openssh', noKey)).toBe('in\n');
    rmSync(join(sshd.dir, '.ssh/id_ed25519'));
  });

  test('a key with a passphrase needs an agent, and then is used', async () => {
    const locked = join(sshd.dir, 'locked');
    copyFileSync(sshd.key, locked);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', locked]);
    const error = await attempt('ssh', { identityFile: locked });
    expect(error).toMatchObject({
      message: expect.stringContaining('passphrase'),
      hint: expect.stringContaining('ssh-add'),
    });
    const socket = join(sshd.dir, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await waitFor(() => {
        execFileSync('ssh-add', ['-q', sshd.key], {
          env: { ...process.env, SSH_AUTH_SOCK: socket },
          stdio: 'ignore',
        });
      });
      const contact = withoutIdentity({ SSH_AUTH_SOCK: socket });
      expect(await attempt('ssh', { identityFile: locked }, contact)).toBe('in\n');
      expect(await attempt('ssh', noKey, contact)).toBe('in\n');
      expect(await attempt('openssh', noKey, contact)).toBe('in\n');
    } finally {
      agent.kill();
    }
  });

  test('an agent that is gone or hangs is passed over', async () => {
    mkdirSync(join(sshd.dir, '.ssh'), { recursive: true });
    copyFileSync(sshd.key, join(sshd.dir, '.ssh/id_ed25519'));
    expect(await attempt('ssh', noKey, withoutIdentity({ SSH_AUTH_SOCK: join(sshd.dir, 'nothing') }))).toBe(
      'in\n',
    );
    const hanging = join(sshd.dir, 'hanging');
    const server = createServer((socket) => sockets.push(socket));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(hanging, resolve));
    expect(await attempt('ssh', noKey, withoutIdentity({ SSH_AUTH_SOCK: hanging }))).toBe('in\n');
    rmSync(join(sshd.dir, '.ssh/id_ed25519'));
  });

  test('a key with a certificate goes to ssh itself', async () => {
    const certified = join(sshd.dir, 'certified');
    copyFileSync(sshd.key, certified);
    writeFileSync(`${certified}-cert.pub`, 'ssh-ed25519-cert-v01@openssh.com AAAA\n');
    const said = await sshd.saidDuring(async () =>
      expect(await attempt('ssh', { identityFile: certified })).toBe('in\n'),
    );
    expect(said).toContain('Accepted publickey');
  });
});

describe("the user's own configuration", () => {
  test('HostName and IdentityFile count; the inventory wins over User and Port', async () => {
    sshd.configure(
      `Host box.lan\n  HostName 127.0.0.1\n  IdentityFile ${sshd.key}\n  User nobody\n  Port 1\n`,
    );
    sshd.pin(`[box.lan]:${sshd.port} ${sshd.publicKey('ed25519')}`);
    const changes = { address: 'box.lan', identityFile: undefined } as unknown as Partial<Connection>;
    expect(await attempt('ssh', changes)).toBe('in\n');
    expect(await attempt('openssh', changes)).toBe('in\n');
    sshd.pin();
  });

  test('a ProxyCommand goes to ssh itself', async () => {
    sshd.configure(`Host box.lan\n  ProxyCommand ${sshd.relay()}\n`);
    sshd.pin(`[box.lan]:${sshd.port} ${sshd.publicKey('ed25519')}`);
    expect(await attempt('ssh', { address: 'box.lan' })).toBe('in\n');
    sshd.pin();
  });

  test('a mistake in it is an input error', async () => {
    sshd.configure('Host *\n  HostName\n');
    expect(await attempt('ssh')).toMatchObject({ code: 'input', hint: 'try: ssh -G 127.0.0.1' });
  });
});

async function waitFor(act: () => void): Promise<void> {
  for (let left = 50; ; left--) {
    try {
      act();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
