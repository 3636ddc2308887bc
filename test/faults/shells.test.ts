import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/remote/connect.ts';
import type { Finished } from '../lab/cli.ts';
import { adminPassword, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { scratch } from '../lab/machine.ts';
import { reach } from '../lab/site.ts';
import { describeLab } from '../lab/suite.ts';
import { provision, siteWith, told } from './fixture.ts';

/** What a start-up file of a shell may do to a channel: talk, fail, set odd options, ask. */
const noise = `echo 'Welcome! frame look end 0'
printf '\\nprovision\\t1\\n\\000\\377\\n'
echo 'setlocale: LC_ALL: cannot change locale' >&2
set -u
alias cat='echo aliased' printf='echo aliased' rm='rm -i'
umask 000
IFS=:
CDPATH=/tmp
export CDPATH IFS ENV=/etc/noise POSIXLY_CORRECT=1 LANG=de_DE.UTF-8 GREP_OPTIONS=--color=always
`;

describeLab('F10 F11 F12 shells and sudo', () => {
  let host: LabHost;
  let version = 0;
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
  });
  afterAll(stopAll);

  const site = (connection = {}, more = {}) => {
    version += 1;
    const resources = [{ file: '/etc/faults', content: `version ${version}\n` }];
    return siteWith([host], resources, { hosts: { pve1: { connection } }, ...more });
  };

  async function works(cwd: string, env = {}): Promise<void> {
    expect(told(await provision(cwd, ['diff'], { env }))).toContain('exit 2');
    const applied = await provision(cwd, ['apply', '--yes'], { env });
    expect(told(applied)).toContain('exit 0');
    expect(await host.sh('cat /etc/faults; stat -c %a:%U /etc/faults')).toBe(
      `version ${version}\n644:root\n`,
    );
    expect(told(await provision(cwd, ['diff'], { env }))).toContain('exit 0');
  }

  describe.each(['/bin/bash', '/bin/dash'])('login shell %s', (shell) => {
    test('F11 start-up files that talk and set odd things change nothing', async () => {
      await host.sh(`usermod -s ${shell} root; cp -p /etc/profile /etc/profile.quiet`);
      for (const file of [
        '/root/.bashrc',
        '/root/.profile',
        '/etc/profile',
        '/etc/bash.bashrc',
        '/etc/noise',
      ])
        await host.writeFile(file, noise);
      // The noise must be real: bash reads its start-up file when sshd runs a command.
      if (shell === '/bin/bash') expect(await heard()).toContain('Welcome!');
      await works(site());
      await host.sh('rm /root/.bashrc /root/.profile /etc/noise; mv /etc/profile.quiet /etc/profile');
      await host.writeFile('/etc/bash.bashrc', '');
    });
  });

  test('F10 exit codes of a login shell that lies', async () => {
    await host.writeFile('/usr/local/bin/liar', '#!/bin/sh\n/bin/sh "$@"\nexit 0\n', '0755');
    await host.sh('echo /usr/local/bin/liar >>/etc/shells; usermod -s /usr/local/bin/liar root');
    await works(site());
    await host.writeFile('/usr/local/bin/liar', '#!/bin/sh\n/bin/sh "$@"\nexit 255\n', '0755');
    await works(site());
    await host.writeFile('/usr/local/bin/liar', '#!/bin/sh\nexit 0\n', '0755');
    const silent = await provision(site(), ['apply', '--yes']);
    expect(told(silent)).toContain('exit 8');
    expect(told(silent)).toContain('could not be looked at');
    await host.writeFile(
      '/usr/local/bin/liar',
      '#!/bin/sh\necho This account is not available.\nexit 1\n',
      '0755',
    );
    expect(told(await provision(site(), ['apply', '--yes']))).toContain('exit 8');
    await host.sh('usermod -s /bin/bash root');
  });

  test('F12 sudo without a password', async () => {
    await works(site({ user: 'ops', become: 'sudo' }));
  });

  describe('F12 sudo with a password from a secret', () => {
    const connection = { user: 'admin', become: 'sudo', password: '${secrets.sudo}' };
    async function withSecret(
      value: string,
    ): Promise<{ cwd: string; env: { PROVISION_AGE_KEY_FILE: string } }> {
      const env = { PROVISION_AGE_KEY_FILE: join(scratch('age'), 'age.key') };
      const cwd = site(connection);
      expect(told(await provision(cwd, ['secret', 'keygen', '--out', env.PROVISION_AGE_KEY_FILE]))).toContain(
        'exit 0',
      );
      const set = await provision(cwd, ['secret', 'set', 'sudo'], { env, input: value });
      expect(told(set)).toContain('exit 0');
      return { cwd, env };
    }

    test('the right one', async () => {
      const { cwd, env } = await withSecret(adminPassword);
      await works(cwd, env);
    });

    test('a wrong one: exit 5, not shown, and not tried again and again', async () => {
      const { cwd, env } = await withSecret('canary-wrong-password');
      const refused = await provision(cwd, ['apply', '--yes'], { env });
      expect(told(refused)).toContain('exit 5');
      expect(told(refused)).toMatch(/password/);
      expect(told(refused)).not.toContain('canary');
      await untouched(refused);
    });
  });

  test('F12 sudo that asks when there is no password: exit 5 at once, with the line to add', async () => {
    const refused = await provision(site({ user: 'admin', become: 'sudo' }), ['apply', '--yes']);
    expect(told(refused)).toContain('exit 5');
    expect(told(refused)).toContain('admin ALL=(root) NOPASSWD: /bin/sh -s');
    await untouched(refused);
  });

  test('F12 a user who may not use sudo, and one who does not try', async () => {
    const refused = await provision(site({ user: 'nosudo', become: 'sudo' }), ['apply', '--yes']);
    expect(told(refused)).toContain('exit 5');
    await untouched(refused);
    const plain = await provision(site({ user: 'nosudo' }), ['apply', '--yes']);
    expect(told(plain)).toContain('exit 5');
    expect(told(plain)).toContain('needs root');
    await untouched(plain);
  });

  async function heard(): Promise<string> {
    const { host: known, contact } = reach(host);
    const session = await connect(known, contact);
    try {
      return (await session.run('true\n', { limit: 10_000 })).stdout.toString('latin1');
    } finally {
      await session.close();
    }
  }

  async function untouched(refused: Finished): Promise<void> {
    expect(refused.milliseconds).toBeLessThan(15_000);
    expect(await host.readFile('/etc/faults')).not.toBe(`version ${version}\n`);
  }
});
