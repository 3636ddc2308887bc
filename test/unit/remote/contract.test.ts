import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/model/host.ts';
import { connect } from '../../../src/remote/connect.ts';
import type { Session } from '../../../src/remote/session.ts';
import { watchArguments } from './arguments.ts';
import { type Sshd, startSshd } from './sshd.ts';

const limit = 20_000;
let sshd: Sshd;

beforeAll(async () => {
  sshd = await startSshd();
  mkdirSync(join(sshd.dir, 'tree'));
}, 30_000);
afterAll(() => sshd?.stop());

const kinds = ['ssh', 'openssh', 'local', 'root'] as const;

async function using<T>(
  kind: (typeof kinds)[number],
  work: (session: Session) => Promise<T>,
  changes: Partial<Connection> = {},
): Promise<T> {
  const host = sshd.host({ session: kind, root: join(sshd.dir, 'tree'), ...changes });
  const session = await connect(host, sshd.contact);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

describe.each(kinds)('a session of kind %s', (kind) => {
  test('says where it works', async () => {
    await using(kind, async (session) => {
      expect(session.live).toBe(kind !== 'root');
      expect(session.root).toBe(kind === 'root' ? join(sshd.dir, 'tree') : '/');
    });
  });

  test('returns the exact bytes of both streams', async () => {
    const all = Array.from({ length: 256 }, (_, byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
    const result = await using(kind, (session) =>
      session.run(`printf '${all}'; printf '\\377err\\n' >&2`, { limit }),
    );
    expect(result.stdout.equals(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)))).toBe(true);
    expect(result.stderr.equals(Buffer.from([255, 101, 114, 114, 10]))).toBe(true);
    expect(result).toMatchObject({ end: 'exit', code: 0 });
  });

  test('carries 5 MB of output and shows it as it comes', async () => {
    let seen = 0;
    const result = await using(kind, (session) =>
      session.run('head -c 5000000 /dev/zero | tr "\\0" "\\351"; echo end >&2', {
        limit,
        onOutput: (chunk) => {
          seen += chunk.length;
        },
      }),
    );
    expect(result.stdout.length).toBe(5_000_000);
    expect(result.stdout.every((byte) => byte === 0o351)).toBe(true);
    expect(result.stderr.toString()).toBe('end\n');
    expect(seen).toBe(5_000_000);
  });

  test('waits for the whole of stderr, also where stdout was closed long before', async () => {
    const result = await using(kind, (session) =>
      session.run('exec >&-; head -c 3000000 /dev/zero >&2; exit 5', { limit }),
    );
    expect(result.stderr.length).toBe(3_000_000);
    expect(result).toMatchObject({ end: 'exit', code: 5 });
  });

  test.each([0, 1, 75, 124, 127, 137, 255])('tells exit code %i', async (code) => {
    const result = await using(kind, (session) => session.run(`exit ${code}`, { limit }));
    expect(result).toMatchObject({ end: 'exit', code });
  });

  test('tells death by signal from an exit', async () => {
    const result = await using(kind, (session) => session.run('kill -KILL $$', { limit }));
    // ssh(1) gives 255 for a signal: the one thing it cannot tell.
    expect(result).toMatchObject(
      kind === 'openssh' ? { end: 'exit', code: 255 } : { end: 'signal', code: null },
    );
  });

  test('takes a script of 8 MiB, all of it or none', async () => {
    const filler = `: ${'x'.repeat(1021)}\n`.repeat(8192);
    const result = await using(kind, (session) =>
      session.run(`{ ${filler} echo ran; exit 3\n}\n`, { limit }),
    );
    expect(result).toMatchObject({ end: 'exit', code: 3 });
    expect(result.stdout.toString()).toBe('ran\n');
    const cut = await using(kind, (session) => session.run(`{ ${filler} echo ran; exit 3\n`, { limit }));
    expect(cut.stdout.toString()).toBe('');
    expect(cut.code).not.toBe(0);
  });

  test('a script that ends before its last line is read is no error', async () => {
    const result = await using(kind, (session) =>
      session.run(`echo early; exit 7\n${'# never read\n'.repeat(700_000)}`, { limit }),
    );
    expect(result).toMatchObject({ end: 'exit', code: 7 });
    expect(result.stdout.toString()).toBe('early\n');
  });

  test('nothing of the script is in the arguments or the environment of a process', async () => {
    const watched = watchArguments('canary-in-script');
    await using(kind, (session) => session.run('sleep 0.2; : canary-in-script', { limit }));
    expect(watched.samples()).toBeGreaterThan(3);
    expect(watched.stop()).toBe(false);
  });

  test('the limit ends a run as lost, with what came before', async () => {
    const began = Date.now();
    await using(kind, async (session) => {
      const result = await session.run('echo before; exec sleep 6.5', { limit: 700 });
      expect(result).toMatchObject({ end: 'lost', code: null });
      expect(result.stdout.toString()).toBe('before\n');
    });
    expect(Date.now() - began).toBeLessThan(4000);
  });

  test('a grandchild that keeps the output open does not hold a run beyond its limit', async () => {
    const began = Date.now();
    const result = await using(kind, (session) =>
      session.run('echo done; sleep 6.5 & exit 0', { limit: 900 }),
    );
    expect(result.end).toBe('lost');
    expect(result.stdout.toString()).toBe('done\n');
    expect(Date.now() - began).toBeLessThan(4000);
  });

  test('runs one script after another, and two side by side', async () => {
    await using(kind, async (session) => {
      expect((await session.run('echo one', { limit })).stdout.toString()).toBe('one\n');
      const both = await Promise.all([
        session.run('sleep 0.2; echo two', { limit }),
        session.run('echo three', { limit }),
      ]);
      expect(both.map((result) => result.stdout.toString())).toEqual(['two\n', 'three\n']);
    });
  });

  test('closes twice, and refuses to run afterwards', async () => {
    const host = sshd.host({ session: kind, root: join(sshd.dir, 'tree') });
    const session = await connect(host, sshd.contact);
    await session.run('true', { limit });
    await session.close();
    await session.close();
    await expect(session.run('echo never', { limit })).rejects.toMatchObject({
      code: 'unreachable',
      host: 'box',
    });
  });

  test('close during a run ends it as lost, at once', async () => {
    const host = sshd.host({ session: kind, root: join(sshd.dir, 'tree') });
    const session = await connect(host, sshd.contact);
    const began = Date.now();
    let up = () => {};
    const started = new Promise<void>((resolve) => {
      up = resolve;
    });
    const run = session.run('echo up; exec sleep 6.5', { limit, onOutput: () => up() });
    await started;
    await session.close();
    expect(await run).toMatchObject({ end: 'lost', code: null });
    expect(Date.now() - began).toBeLessThan(4000);
  });

  test('an error of the one who watches the output fails the run, not the process', async () => {
    const run = using(kind, (session) =>
      session.run('echo x', {
        limit,
        onOutput: () => {
          throw new Error('reader broke');
        },
      }),
    );
    await expect(run).rejects.toThrow('reader broke');
  });
});

describe.each(['ssh', 'openssh'] as const)('over the network, %s', (kind) => {
  test('the connection killed in the middle ends a run as lost', async () => {
    const began = Date.now();
    const run = using(kind, (session) =>
      session.run('echo "$PPID"; sleep 6.5; echo never', {
        limit,
        onOutput: (chunk) => process.kill(Number(chunk.toString()), 'SIGKILL'),
      }),
    );
    expect(await run).toMatchObject({ end: 'lost', code: null });
    expect(Date.now() - began).toBeLessThan(5000);
  });

  test('after the connection was lost, the next run says unreachable or connects anew', async () => {
    await using(kind, async (session) => {
      await session.run('kill -KILL "$PPID"; sleep 3', { limit });
      const next = session.run('echo again', { limit });
      if (kind === 'ssh') await expect(next).rejects.toMatchObject({ code: 'unreachable' });
      else expect((await next).stdout.toString()).toBe('again\n');
    });
  });

  test('the noise of a login shell comes before the output and changes nothing', async () => {
    const result = await using(kind, (session) => session.run('echo mine', { limit }), { user: 'noisy' });
    expect(result.stdout.toString()).toBe('welcome to the noise\nmine\n');
    expect(result).toMatchObject({ end: 'exit', code: 0 });
  });
});

test('a script whose limit passed before the host took it is not sent when the host wakes up', async () => {
  const left = join(sshd.dir, 'left-behind');
  await using('ssh', async (session) => {
    const pid = Number((await session.run('echo "$PPID"', { limit })).stdout.toString());
    process.kill(pid, 'SIGSTOP');
    const late = await session.run(`touch ${left}`, { limit: 300 });
    process.kill(pid, 'SIGCONT');
    expect(late).toMatchObject({ end: 'lost', code: null });
    expect((await session.run('sleep 0.2; echo awake', { limit })).stdout.toString()).toBe('awake\n');
  });
  expect(existsSync(left)).toBe(false);
});

describe('a root session', () => {
  test('refuses /, a missing tree and a file, before anything runs', async () => {
    const open = (root: string) => connect(sshd.host({ session: 'root', root }), sshd.contact);
    await expect(open('/')).rejects.toMatchObject({ code: 'input' });
    await expect(open('/proc/self/../..')).rejects.toMatchObject({ code: 'input' });
    await expect(open(join(sshd.dir, 'nothing'))).rejects.toMatchObject({ code: 'input' });
    await expect(open(join(sshd.dir, 'conf'))).rejects.toMatchObject({ code: 'input' });
    expect(existsSync(join(sshd.dir, 'nothing'))).toBe(false);
  });
});
