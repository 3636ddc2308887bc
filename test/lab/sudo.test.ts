import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection } from '../../src/model/host.ts';
import { connect } from '../../src/remote/connect.ts';
import { adminPassword, type LabHost, startHost, stopAll } from './lab.ts';
import { reach } from './site.ts';
import { describeLab } from './suite.ts';

/** sudo of a whole Debian host: PAM, systemd, the sudoers file as packaged. The variants without a host of their own are unit tests. */
describeLab('sudo on a lab host', () => {
  let pve: LabHost;
  beforeAll(async () => {
    pve = await startHost({ image: 'debian', name: 'pve1' });
    // Its password is right: what it lacks is a rule.
    await pve.exec(['chpasswd'], { input: `nosudo:${adminPassword}\n` });
  });
  afterAll(stopAll);

  const secret = (text: string) => ({ name: 'pve1_sudo', reveal: () => text });

  async function run(changes: Partial<Connection>, script = 'id -u\n') {
    const { host, contact } = reach(pve, { become: 'sudo', ...changes });
    const session = await connect(host, contact);
    try {
      return await session.run(script, { limit: 40_000 });
    } finally {
      await session.close();
    }
  }

  describe.each(['ssh', 'openssh'] as const)('over %s', (session) => {
    test('a user without a rule is refused with the line to add', async () => {
      const found = run({ session, user: 'nosudo', password: secret(adminPassword) });
      await expect(found).rejects.toMatchObject({
        code: 'refused',
        hint: expect.stringContaining('nosudo ALL=(root)'),
      });
      await expect(run({ session, user: 'nosudo' })).rejects.toMatchObject({ code: 'refused', host: 'pve1' });
    });

    test('a wanted password that is not given is refused', async () => {
      await expect(run({ session, user: 'admin' })).rejects.toMatchObject({
        code: 'refused',
        hint: expect.stringContaining('admin ALL=(root) NOPASSWD: /bin/sh -s'),
      });
    });

    test('a wrong password is refused, without running a line and without showing it', async () => {
      const found = run(
        { session, user: 'admin', password: secret('canary-wrong') },
        'touch /pwned\n'.repeat(9),
      );
      await expect(found).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('password'),
      });
      await expect(found).rejects.not.toMatchObject({ message: expect.stringContaining('canary') });
      expect((await pve.exec(['test', '-e', '/pwned'])).code).toBe(1);
      const log = await pve.sh('journalctl --no-pager -q _COMM=sudo');
      expect(log).not.toContain('3 incorrect password attempts');
      expect(log).not.toContain('canary');
    });

    test('a terminal that sudo insists on is named', async () => {
      await pve.writeFile('/etc/sudoers.d/tty', 'Defaults:ops requiretty\n', '0440');
      await expect(run({ session, user: 'ops' })).rejects.toMatchObject({
        code: 'refused',
        hint: expect.stringContaining('Defaults:ops !requiretty'),
      });
      await pve.sh('rm /etc/sudoers.d/tty');
    });

    test('a rule for `/bin/sh -s` alone is enough', async () => {
      await pve.writeFile('/etc/sudoers.d/only', 'nosudo ALL=(root) NOPASSWD: /bin/sh -s\n', '0440');
      expect((await run({ session, user: 'nosudo' })).stdout.toString()).toBe('0\n');
      await pve.sh('rm /etc/sudoers.d/only');
    });

    test('no sudo at all is named', async () => {
      await pve.sh('mv /usr/bin/sudo /usr/bin/sudo.away');
      await expect(run({ session, user: 'ops' })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('there is no sudo'),
      });
      await pve.sh('mv /usr/bin/sudo.away /usr/bin/sudo');
    });
  });
});
