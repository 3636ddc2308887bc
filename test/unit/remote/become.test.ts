import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import type { Connection } from '../../../src/model/host.ts';
import { connect } from '../../../src/remote/connect.ts';
import type { RunResult } from '../../../src/remote/session.ts';
import { watchArguments } from './arguments.ts';
import { password, type Sshd, startSshd } from './sshd.ts';

let sshd: Sshd;
beforeAll(async () => {
  sshd = await startSshd();
}, 30_000);
afterAll(() => sshd?.stop());

const secret = (text: string) => ({ name: 'box_sudo', reveal: () => text });

async function attempt(
  session: 'ssh' | 'openssh',
  changes: Partial<Connection>,
  script = 'id -u; id -u >&2',
): Promise<RunResult | ProvisionError> {
  const open = await connect(sshd.host({ session, become: 'sudo', ...changes }), sshd.contact);
  try {
    return await open.run(script, { limit: 25_000 });
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  } finally {
    await open.close();
  }
}

function text(found: RunResult | ProvisionError): string {
  return found instanceof ProvisionError
    ? `${found.message} ${found.hint}`
    : `${found.stdout}${found.stderr}`;
}

describe.each(['ssh', 'openssh'] as const)('sudo over %s', (session) => {
  test('without a password', async () => {
    expect(text(await attempt(session, { user: 'ops' }))).toBe('0\n0\n');
  });

  test('with a password, and with one that was not asked for', async () => {
    expect(text(await attempt(session, { user: 'admin', password: secret(password) }))).toBe('0\n0\n');
    expect(text(await attempt(session, { user: 'ops', password: secret(password) }))).toBe('0\n0\n');
  });

  test('the password line is never run as a command', async () => {
    await attempt(session, { user: 'ops', password: secret('touch /pwned') });
    await attempt(session, { user: 'admin', password: secret(password) });
    expect(existsSync('/pwned')).toBe(false);
  });

  test.each(['ops', 'admin'])('bytes and exit codes are exact, 8 MiB go through (%s)', async (user) => {
    const filler = `: ${'x'.repeat(1021)}\n`.repeat(8192);
    const changes = user === 'admin' ? { user, password: secret(password) } : { user };
    const result = await attempt(
      session,
      changes,
      `{ ${filler} printf '\\000\\377\\n'; head -c 3000000 /dev/zero; exit 75\n}\n`,
    );
    expect(result).toMatchObject({ end: 'exit', code: 75 });
    expect('stdout' in result && result.stdout.length).toBe(3_000_003);
    expect('stdout' in result && result.stdout.subarray(0, 3)).toEqual(Buffer.from([0, 255, 10]));
  });

  test('exit code 1 of a script is not taken for a refusal', async () => {
    const result = await attempt(session, { user: 'ops' }, 'echo mine; echo "failed" >&2; exit 1');
    expect(result).toMatchObject({ end: 'exit', code: 1 });
  });

  test('a missing rule, a wanted password, a wanted terminal: refused with the line to add', async () => {
    const nosudo = await attempt(session, { user: 'nosudo', password: secret(password) });
    expect(nosudo).toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('nosudo ALL=(root) /bin/sh'),
    });
    const nopass = await attempt(session, { user: 'nopass' });
    expect(nopass).toMatchObject({
      code: 'refused',
      hint: expect.stringContaining('nopass ALL=(root) NOPASSWD: /bin/sh -s'),
    });
    const tty = await attempt(session, { user: 'tty' });
    expect(tty).toMatchObject({ code: 'refused', hint: expect.stringContaining('Defaults:tty !requiretty') });
  });

  test('a wrong password is named and never shown; nothing of the script runs', async () => {
    const wrong = await attempt(
      session,
      { user: 'admin', password: secret('canary-wrong') },
      'touch /pwned\ntouch /pwned\ntouch /pwned\n',
    );
    expect(wrong).toMatchObject({ code: 'refused', message: expect.stringContaining('password') });
    expect(text(wrong)).not.toContain('canary');
    // One try, not three: some hosts lock an account after three.
    const log = readFileSync(join(sshd.dir, 'sudo.log'), 'utf8').replace(/\n\s+/g, ' ');
    expect(log).toContain('1 incorrect password attempt');
    expect(log).not.toContain('3 incorrect password attempts');
    expect(existsSync('/pwned')).toBe(false);
  }, 20_000);

  test('the password is never in the arguments or the environment of a process', async () => {
    const watched = watchArguments('canary-Zq8');
    const result = await attempt(session, { user: 'admin', password: secret(password) }, 'sleep 0.3; id -u');
    expect(text(result)).toBe('0\n');
    expect(watched.samples()).toBeGreaterThan(3);
    expect(watched.stop()).toBe(false);
  });
});

test('the watch that proves it finds a password that is there', async () => {
  const watched = watchArguments('canary-planted');
  const open = await connect(sshd.host({ session: 'local' }), sshd.contact);
  await open.run('/bin/sh -c "sleep 0.3; : canary-planted"', { limit: 5000 });
  expect(watched.stop()).toBe(true);
});

test('a password that holds a line break is an input error', async () => {
  const open = connect(sshd.host({ become: 'sudo', user: 'admin', password: secret('a\nid') }), sshd.contact);
  await expect(open).rejects.toMatchObject({ code: 'input' });
  await expect(open).rejects.not.toMatchObject({ message: expect.stringContaining('a\nid') });
});
