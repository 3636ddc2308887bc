import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { start } from '../../../src/cli/start.ts';
import { type Screen, screen } from './screen.ts';

/** A host on loopback that shows its key and lets nobody in. */
function keyServer(): Promise<ssh2.Server> {
  // Now and then ssh2 cannot read an ed25519 key that it has made itself.
  const key = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
  const server = new ssh2.Server({ hostKeys: [key] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (attempt) => attempt.reject());
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

let server: ssh2.Server;
let dir = '';
beforeAll(async () => {
  server = await keyServer();
});
afterAll(() => server.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'provision-test-'));
  mkdirSync(join(dir, 'inventory/hosts'), { recursive: true });
  mkdirSync(join(dir, 'roles'));
  writeFileSync(join(dir, 'inventory/site.yaml'), 'site: small\ngroups: [all]\n');
  inventoryFor(server);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function inventoryFor(one: ssh2.Server): void {
  const { port } = one.address() as AddressInfo;
  const connection = `{session: ssh, address: 127.0.0.1, port: ${port}}`;
  writeFileSync(
    join(dir, 'inventory/hosts/box.yaml'),
    `host: box\nplatform: linux\nconnection: ${connection}\nroles: []\n`,
  );
}

const pins = () => join(dir, 'inventory/known_hosts');

async function trust(
  over: Parameters<typeof screen>[0],
  ...argv: string[]
): Promise<Screen & { readonly exit: number }> {
  const terminal = screen({ env: { HOME: dir, PATH: process.env.PATH }, ...over });
  const exit = await start(['--inventory', join(dir, 'inventory'), 'trust', 'box', ...argv], terminal);
  return { ...terminal, exit };
}

const shown = (text: string) => /SHA256:[A-Za-z0-9+/]{43}/.exec(text)?.[0] ?? '';

test('a key is pinned after a yes, and only then', async () => {
  for (const answer of ['', 'y', 'no']) {
    const no = await trust({ interactive: true, answers: [answer] });
    expect(no.exit).toBe(1);
    expect(no.printed.err).toContain('Nothing was pinned.');
    expect(existsSync(pins())).toBe(false);
  }
  const yes = await trust({ interactive: true, answers: ['yes'] });
  expect(yes.exit).toBe(0);
  expect(shown(yes.printed.err)).not.toBe('');
  expect(yes.printed.out).toContain(shown(yes.printed.err));
  expect(readFileSync(pins(), 'utf8')).toMatch(/^\[127\.0\.0\.1\]:\d+ ecdsa-sha2-nistp256 \S+\n$/);

  const again = await trust({ interactive: true });
  expect(again.printed.out).toContain('is trusted already');
  expect(again.asked).toEqual([]);
});

test('without a terminal the fingerprint must be the one shown', async () => {
  const wrong = await trust({}, '--fingerprint', `SHA256:${'A'.repeat(43)}`);
  expect(wrong.exit).toBe(5);
  expect(existsSync(pins())).toBe(false);
  const right = await trust({}, '--fingerprint', shown(wrong.printed.err.split('it shows')[1] ?? ''));
  expect(right.exit).toBe(0);
  expect(existsSync(pins())).toBe(true);
});

test('a changed key is told apart from a new one, and is not replaced without a yes', async () => {
  await trust({ interactive: true, answers: ['yes'] });
  const before = readFileSync(pins(), 'utf8');
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const other = await keyServer();
  const moved = other.address() as AddressInfo;
  try {
    // The other machine has another port here; the pin is written for it, as if it had taken over the address.
    writeFileSync(pins(), before.replace(`:${port} `, `:${moved.port} `));
    inventoryFor(other);
    const no = await trust({ interactive: true, answers: ['no'] });
    expect(no.printed.err).toContain('WARNING: other keys are pinned');
    expect(readFileSync(pins(), 'utf8')).toContain(before.split(' ')[2]?.trim());
    const yes = await trust({ interactive: true, answers: ['yes'] });
    expect(yes.exit).toBe(0);
    expect(readFileSync(pins(), 'utf8')).not.toContain(before.split(' ')[2]?.trim());
  } finally {
    other.close();
  }
});
