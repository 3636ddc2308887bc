import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/remote/connect.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { reach } from './site.ts';
import { describeLab } from './suite.ts';

/** Runs until the fault is there: says so, then waits for longer than any of these tests. */
const waiting = '{ echo on; sleep 60; echo off; }\n';

describeLab('sessions to lab hosts', () => {
  let pve: LabHost;
  let nas: LabHost;

  beforeAll(async () => {
    [pve, nas] = await Promise.all([
      startHost({ image: 'debian', name: 'pve1' }),
      startHost({ image: 'nas', name: 'nas1' }),
    ]);
  });
  afterAll(stopAll);

  describe.each(['ssh', 'openssh'] as const)('%s', (kind) => {
    test('runs a script on Debian and on busybox', async () => {
      for (const lab of [pve, nas]) {
        const { host, contact } = reach(lab, { session: kind });
        const session = await connect(host, contact);
        const result = await session.run('hostname; id -u; exit 7\n', { limit: 10_000 });
        expect(result).toMatchObject({ end: 'exit', code: 7 });
        expect(result.stdout.toString()).toBe(`${lab.name}\n0\n`);
        await session.close();
      }
    });

    test('becomes root by sudo without a password', async () => {
      const { host, contact } = reach(pve, { session: kind, user: 'ops', become: 'sudo' });
      const session = await connect(host, contact);
      expect((await session.run('id -u\n', { limit: 10_000 })).stdout.toString()).toBe('0\n');
      await session.close();
    });

    test('becomes root by sudo with a password', async () => {
      const password = { name: 'admin', reveal: () => 'lab-password' };
      const { host, contact } = reach(pve, { session: kind, user: 'admin', become: 'sudo', password });
      const session = await connect(host, contact);
      expect((await session.run('id -u\n', { limit: 10_000 })).stdout.toString()).toBe('0\n');
      await session.close();
    });

    test('another key than the pinned one is refused', async () => {
      const { host, contact } = reach({ ...pve, hostKeys: foreign(pve, nas) }, { session: kind });
      await expect(contacted(host, contact)).rejects.toMatchObject({ code: 'refused' });
    });

    test('a host that cannot be reached is named in bounded time', async () => {
      await nas.cut('reset');
      const { host, contact } = reach(nas, { session: kind });
      await expect(contacted(host, contact)).rejects.toMatchObject({ code: 'unreachable' });
      await nas.uncut();
    });

    test.each(['freeze', 'cut'] as const)(
      '%s in the middle of a run: lost, within the limit',
      async (fault) => {
        const { host, contact } = reach(nas, { session: kind });
        const session = await connect(host, contact);
        let heard = '';
        const run = session.run(waiting, { limit: 4000, onOutput: (chunk) => (heard += String(chunk)) });
        await expect.poll(() => heard, { timeout: 5000 }).toContain('on\n');
        const from = performance.now();
        await nas[fault]();
        expect(await run).toMatchObject({ end: 'lost', code: null });
        expect(performance.now() - from).toBeLessThan(6000);
        await session.close();
        await (fault === 'freeze' ? nas.thaw() : nas.uncut());
      },
    );
  });

  test('the host dies in the middle of a run: lost; then it is reached again', async () => {
    const { host, contact } = reach(nas);
    const session = await connect(host, contact);
    let heard = '';
    const run = session.run(waiting, { limit: 4000, onOutput: (chunk) => (heard += String(chunk)) });
    await expect.poll(() => heard, { timeout: 5000 }).toContain('on\n');
    await nas.crash();
    expect(await run).toMatchObject({ end: 'lost' });
    await session.close();
    await nas.start();
    const again = await connect(host, contact);
    expect((await again.run('hostname\n', { limit: 10_000 })).stdout.toString()).toBe('nas1\n');
    await again.close();
  });
});

function foreign(host: LabHost, other: LabHost): string[] {
  return other.hostKeys.map((line) => line.replace(other.address, host.address));
}

/** Connects and runs: an `openssh` session speaks to the host only when it runs something. */
async function contacted(...[host, contact]: Parameters<typeof connect>): Promise<void> {
  const session = await connect(host, contact);
  try {
    await session.run('true\n', { limit: 10_000 });
  } finally {
    await session.close();
  }
}
