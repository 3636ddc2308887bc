import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { Connection } from '../../../src/model/host.ts';
import { connect } from '../../../src/remote/connect.ts';
import { type HostKey, pinKeys, pinnedKeys, scanKeys } from '../../../src/remote/trust.ts';
import { keygen, type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
}, 30_000);
afterEach(() => {
  sshd.pin();
  sshd.configure(null);
});
afterAll(() => sshd?.stop());

const name = () => `[127.0.0.1]:${sshd.port}`;
const print = (type: 'ed25519' | 'rsa' | 'ecdsa') =>
  execFileSync('ssh-keygen', ['-lf', join(sshd.dir, `host_${type}.pub`)])
    .toString()
    .split(' ')[1] ?? '';

/** Connects and runs; what was thrown, or what the host printed. */
async function attempt(
  session: 'ssh' | 'openssh',
  changes: Partial<Connection> = {},
): Promise<ProvisionError | string> {
  try {
    const open = await connect(sshd.host({ session, ...changes }), sshd.contact);
    const result = await open.run('echo in', { limit: 10_000 });
    await open.close();
    return result.stdout.toString();
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
}

/** A key that the host does not have. */
function strange(type = 'ed25519'): string {
  const file = join(sshd.dir, `strange_${type}_${Math.random().toString(36).slice(2)}`);
  keygen(type, file);
  return readFileSync(`${file}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
}

describe.each(['ssh', 'openssh'] as const)('%s', (session) => {
  test('a host that is not pinned is refused with its fingerprint and what to do', async () => {
    sshd.pin('# nothing');
    const error = await attempt(session);
    expect(error).toMatchObject({ code: 'refused', host: 'box' });
    expect(error).toHaveProperty('message', expect.stringContaining(print('ed25519')));
    expect(error).toHaveProperty('hint', expect.stringContaining('provision trust box'));
  });

  test('a changed key is refused with both fingerprints and the line of the pin', async () => {
    const pinned = strange();
    sshd.pin('# first line', `${name()} ${pinned}`);
    const error = await attempt(session);
    expect(error).toMatchObject({ code: 'refused', where: { file: sshd.contact.knownHosts, line: 2 } });
    expect(error).toHaveProperty('message', expect.stringContaining(print('ed25519')));
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/pinned is ed25519 SHA256:\S+ \(.*known_hosts:2\)/),
    );
  });

  test('nothing about the user is sent to a host with the wrong key', async () => {
    sshd.pin(`${name()} ${strange()}`);
    const said = await sshd.saidDuring(() => attempt(session));
    expect(said).toContain('Connection from 127.0.0.1');
    expect(said).not.toMatch(/user root|publickey|authenticating/);
  });

  test.each(['rsa', 'ecdsa'] as const)(
    'a host pinned by its %s key only is no changed host',
    async (type) => {
      sshd.pin(`${name()} ${sshd.publicKey(type)}`);
      expect(await attempt(session)).toBe('in\n');
    },
  );

  test('a pinned type that the host no longer has is a changed key', async () => {
    sshd.pin(`${name()} ${strange('ecdsa521')}`);
    expect(await attempt(session)).toMatchObject({ code: 'refused' });
  });

  test('a revoked key is refused, even where it is pinned', async () => {
    sshd.pin(`@revoked ${name()} ${sshd.publicKey('ed25519')}`, `${name()} ${sshd.publicKey('ed25519')}`);
    const error = await attempt(session);
    expect(error).toMatchObject({ code: 'refused' });
    expect(error).toHaveProperty('message', expect.stringContaining('revoked'));
  });

  test('hashed names and patterns are understood', async () => {
    const salt = Buffer.from('0123456789abcdefghij');
    const hash = createHmac('sha1', salt).update(name()).digest('base64');
    sshd.pin(`|1|${salt.toString('base64')}|${hash} ${sshd.publicKey('ed25519')}`);
    expect(await attempt(session)).toBe('in\n');
    sshd.pin(`*.lan,[127.0.0.*]:${sshd.port} ${sshd.publicKey('ed25519')}`);
    expect(await attempt(session)).toBe('in\n');
  });

  test('the key of another port or address does not count', async () => {
    sshd.pin(
      `127.0.0.1 ${sshd.publicKey('ed25519')}`,
      `[127.0.0.2]:${sshd.port} ${sshd.publicKey('ed25519')}`,
    );
    expect(await attempt(session)).toMatchObject({ code: 'refused' });
  });

  test('a broken line is an input error with its position, not an unknown host', async () => {
    sshd.pin(`${name()} ${sshd.publicKey('ed25519')}`, 'half a-line');
    expect(await attempt(session)).toMatchObject({ code: 'input', where: { line: 2 } });
  });

  test("nothing in the user's own configuration weakens the pins", async () => {
    sshd.configure(
      'Host *\n  StrictHostKeyChecking no\n  NoHostAuthenticationForLocalhost yes\n  UserKnownHostsFile /dev/null\n  HostKeyAlias other\n  HostName 127.0.0.1\n',
    );
    sshd.pin(`${name()} ${strange()}`);
    expect(await attempt(session)).toMatchObject({ code: 'refused' });
    sshd.pin();
    expect(await attempt(session)).toBe('in\n');
  });
});

test('a pinned certificate authority goes to ssh itself', async () => {
  const authority = join(sshd.dir, 'authority');
  keygen('ed25519', authority);
  sshd.pin(
    `@cert-authority ${name()} ${readFileSync(`${authority}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')}`,
  );
  // This sshd shows no certificate, so ssh refuses; the point is that nothing was accepted, and who decided.
  expect(await attempt('ssh')).toMatchObject({ code: 'refused' });
});

describe('trust', () => {
  test('scans all keys of a host, best first, and pins them', async () => {
    sshd.pin('# kept comment', `other.lan ${sshd.publicKey('rsa')}`);
    const keys = await scanKeys(sshd.host(), sshd.contact);
    expect(keys.map((key) => key.fingerprint)).toEqual([print('ed25519'), print('ecdsa'), print('rsa')]);
    expect(keys[0]).toMatchObject({ type: 'ssh-ed25519', line: `${name()} ${sshd.publicKey('ed25519')}` });
    pinKeys(sshd.host(), keys, sshd.contact);
    expect(await attempt('ssh')).toBe('in\n');
    expect(await attempt('openssh')).toBe('in\n');
    expect(pinnedKeys(sshd.host(), sshd.contact).map((pin) => pin.fingerprint)).toContain(print('rsa'));
    const text = readFileSync(sshd.contact.knownHosts, 'utf8');
    expect(text).toContain('# kept comment\nother.lan ');
    pinKeys(sshd.host(), keys, sshd.contact);
    expect(readFileSync(sshd.contact.knownHosts, 'utf8')).toBe(text);
  });

  test('pins into a file that is not there yet, and replaces an old key', async () => {
    const contact = { ...sshd.contact, knownHosts: join(sshd.dir, 'new_known_hosts') };
    const keys = await scanKeys(sshd.host(), contact);
    pinKeys(sshd.host(), keys, contact);
    expect(pinnedKeys(sshd.host(), contact)).toHaveLength(3);
    const old: HostKey = { type: 'ssh-ed25519', fingerprint: '', line: `${name()} ${strange()}` };
    pinKeys(sshd.host(), [old], contact);
    expect(readFileSync(contact.knownHosts, 'utf8')).toBe(`${old.line}\n`);
  });

  test('does not pin a revoked key, and does not take a shared line apart', async () => {
    const keys = await scanKeys(sshd.host(), sshd.contact);
    sshd.pin(`@revoked * ${sshd.publicKey('rsa')}`);
    expect(() => pinKeys(sshd.host(), keys, sshd.contact)).toThrow('revoked');
    sshd.pin(`${name()},other.lan ${sshd.publicKey('rsa')}`);
    expect(() => pinKeys(sshd.host(), keys, sshd.contact)).toThrow('line with other names');
  });

  test('a host behind a jump host is scanned through ssh', async () => {
    sshd.configure(`Host 127.0.0.1\n  ProxyCommand ${sshd.relay()}\n`);
    const keys = await scanKeys(sshd.host(), sshd.contact);
    expect(keys.map((key) => key.fingerprint)).toEqual([print('ed25519')]);
    expect(await attempt('ssh')).toBe('in\n');
    sshd.pin('# none');
    expect(await attempt('ssh')).toMatchObject({ code: 'refused' });
  });
});

test('a file name with blanks and percent signs is taken as it is', async () => {
  const knownHosts = join(sshd.dir, 'known %h hosts');
  writeFileSync(knownHosts, `${name()} ${sshd.publicKey('ed25519')}\n`);
  const open = await connect(sshd.host({ session: 'openssh' }), { ...sshd.contact, knownHosts });
  expect((await open.run('echo in', { limit: 10_000 })).stdout.toString()).toBe('in\n');
});
