import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../src/remote/connect.ts';
import { type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
}, 30_000);
afterAll(() => sshd?.stop());

const kinds = ['ssh', 'openssh'] as const;

/** These wait for real: what must hold is that they end at all, and in the time promised. Side by side, so they cost one wait. */
test('silence ends in a named result within 30 s', { timeout: 45_000 }, async () => {
  await Promise.all([...kinds.map(serverThatSaysNothing), ...kinds.map(frozenConnection)]);
});

async function serverThatSaysNothing(session: (typeof kinds)[number]): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => {}));
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  const began = Date.now();
  const attempt = async () => {
    const contact = { ...sshd.contact, knownHosts: sshd.pinFile([port]) };
    const open = await connect(sshd.host({ session, port }), contact);
    return open.run('echo never', { limit: 60_000 });
  };
  await expect(attempt()).rejects.toMatchObject({ code: 'unreachable', host: 'box' });
  expect(Date.now() - began).toBeLessThan(30_000);
  server.close();
}

/** The host goes to sleep: the connection stays, nothing comes any more. */
async function frozenConnection(session: (typeof kinds)[number]): Promise<void> {
  const open = await connect(sshd.host({ session }), sshd.contact);
  const began = Date.now();
  let frozen = 0;
  const result = await open.run('echo "$PPID"; exec sleep 40', {
    limit: 60_000,
    onOutput: (chunk) => {
      frozen = Number(chunk.toString());
      process.kill(frozen, 'SIGSTOP');
    },
  });
  expect(result).toMatchObject({ end: 'lost', code: null });
  expect(Date.now() - began).toBeLessThan(30_000);
  await open.close();
  process.kill(frozen, 'SIGKILL');
}
