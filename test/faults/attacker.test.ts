import { afterAll, beforeAll, expect, test } from 'vitest';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { provision, siteWith, told } from './fixture.ts';

const user = 'nosudo';
const home = `/home/${user}`;
const files = 8;
const rounds = 25;
const key = (version: number): string => `ssh-ed25519 ${Buffer.alloc(51, version).toString('base64')}`;

/**
 * What a user can do to root who writes below his home: swaps files for links and pipes, directories for links, takes temp files
 * away under their makers' hands and plants links with their names; over and over, as fast as the machine can.
 */
const swaps = `
use POSIX qw(mkfifo);
my @victims = ("/etc/victim", "/etc/victim-dir/inside", "/root/.ssh/authorized_keys", "/etc/passwd");
sub victim { $victims[rand @victims] }
sub plant { my ($name) = @_; unlink $name; symlink(victim(), $name) }
until (-e "${home}/stop") {
  my $file = "${home}/work/" . int(rand ${files});
  my $turn = int rand 9;
  if ($turn == 0) { plant($file) }
  elsif ($turn == 1) { if (rand() < 0.02) { unlink $file; mkfifo($file, 0666) } }
  elsif ($turn == 2) { unlink $file; open(my $h, ">", $file); print $h "mine\\n" }
  elsif ($turn == 3) { rename("${home}/work", "${home}/away"); symlink("/etc/victim-dir", "${home}/work"); select(undef, undef, undef, 0.002); unlink "${home}/work"; rename("${home}/away", "${home}/work") }
  elsif ($turn == 4) { rename("${home}/.ssh", "${home}/.away"); symlink("/root/.ssh", "${home}/.ssh"); select(undef, undef, undef, 0.002); unlink "${home}/.ssh"; rename("${home}/.away", "${home}/.ssh") }
  elsif ($turn == 5) { plant("${home}/.ssh/authorized_keys") }
  elsif ($turn == 6) { rename("${home}/folder", "${home}/folder-away"); symlink("/etc/victim-dir", "${home}/folder"); select(undef, undef, undef, 0.002); unlink "${home}/folder"; rename("${home}/folder-away", "${home}/folder") }
  elsif ($turn == 7) { if (rand() < 0.02) { unlink "${home}/.ssh/authorized_keys"; mkfifo("${home}/.ssh/authorized_keys", 0600) } }
  else { open(my $h, ">", "${home}/work/gone") }
  for my $place ("${home}/work", "${home}/.ssh", "${home}") {
    opendir(my $d, $place) or next;
    for my $name (grep { /^\\.provision\\./ } readdir $d) { plant("$place/$name") }
  }
}
`;

describeLab('F21 a user who swaps links in his own directories while root applies', () => {
  let host: LabHost;
  const site = (version: number) =>
    siteWith(
      [host],
      [
        ...Array.from({ length: files }, (_, at) => ({
          file: `${home}/work/${at}`,
          content: `version ${version}\n`,
          owner: user,
          group: user,
          mode: version % 2 ? '0600' : '0640',
        })),
        { directory: `${home}/folder`, owner: user, group: user, mode: version % 2 ? '0700' : '0711' },
        { ssh_key: 'lab', user, key: key(version) },
        { file: `${home}/work/gone`, state: 'absent' },
      ],
    );

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    await host.sh(`mkdir -p /root/.ssh /etc/victim-dir ${home}/work ${home}/folder ${home}/.ssh
chmod 700 /root/.ssh; echo precious | tee /etc/victim /etc/victim-dir/inside /etc/victim-dir/gone /root/.ssh/authorized_keys >/dev/null
chmod 600 /etc/victim /etc/victim-dir/inside /root/.ssh/authorized_keys
chown -R ${user}:${user} ${home}; chmod 700 ${home}/.ssh
mount -t tmpfs -o ro none /tmp; mount -t tmpfs -o ro none /var/tmp`);
  });
  afterAll(stopAll);

  const rest = () => host.snapshot(['/etc', '/root', '/usr/local', '/opt']);

  test('without an attack it works, with a /tmp that nobody can write to', async () => {
    expect(told(await provision(site(0), ['apply', '--yes']))).toContain('exit 0');
    expect(await host.sh(`stat -c %U:%a ${home}/work/0 ${home}/.ssh/authorized_keys`)).toBe(
      'nosudo:640\nnosudo:600\n',
    );
  });

  test(`up to ${rounds} applies of ${files + 3} changes under attack: nothing outside of his home changes, nothing hangs`, {
    timeout: 180_000,
  }, async () => {
    const before = await rest();
    const attack = host.exec(['perl', '-e', swaps], { user });
    let done = 0;
    // An apply that meets a pipe waits for 20 s where it met it, and may then have done nothing.
    const started = performance.now();
    const time = () => (done === 0 ? 90_000 : 15_000);
    for (let version = 1; version <= rounds && performance.now() - started < time(); version += 1) {
      const applied = await provision(site(version), ['apply', '--yes', '--format', 'json'], {
        limit: 100_000,
      });
      expect(applied.milliseconds, applied.stdout).toBeLessThan(90_000);
      done += applied.stdout.split('"outcome": "done"').length - 1;
    }
    await host.sh(`touch ${home}/stop`);
    await attack;
    expect(changes(before, await rest())).toEqual([]);
    expect(await host.sh(`grep -rl -e precious -e '^root:' ${home} 2>/dev/null || :`)).toBe('');
    // Else nothing was ever attacked.
    expect(done).toBeGreaterThan(0);
  });

  test('when the attack is over, what he left is put in order or named', async () => {
    await host.sh(`find ${home} -mindepth 1 -delete; mkdir ${home}/work; chown ${user}: ${home}/work`);
    expect(told(await provision(site(99), ['apply', '--yes']))).toContain('exit 0');
  });

  test('at the worst moment, between looking and reading, root reads nothing for him', async () => {
    // Instead of winning a race: the tool that is about to read does the swap first.
    const swap = `#!/bin/sh
if [ -n "$NEW" ]; then rm -f ${home}/.ssh/authorized_keys; ln -s /etc/victim ${home}/.ssh/authorized_keys; : >/run/swapped; fi
exec /usr/bin/awk "$@"
`;
    await host.writeFile('/usr/local/sbin/awk', swap, '0755');
    await provision(site(98), ['apply', '--yes']);
    await host.sh('rm /usr/local/sbin/awk /run/swapped');
    expect(
      await host.sh(`[ -L ${home}/.ssh/authorized_keys ] || cat ${home}/.ssh/authorized_keys`),
    ).not.toContain('precious');
    await host.sh(`rm -f ${home}/.ssh/authorized_keys`);
  });

  test.each([
    ['a pipe', `mkfifo ${home}/.ssh/authorized_keys; chown ${user}: ${home}/.ssh/authorized_keys`],
    ['a link', `ln -s /root/.ssh/authorized_keys ${home}/.ssh/authorized_keys`],
    ['a directory', `mkdir ${home}/.ssh/authorized_keys`],
    ['a device', `mknod ${home}/.ssh/authorized_keys c 1 5`],
  ])('%s in place of authorized_keys is named, and read by nobody', async (_, make) => {
    const before = await rest();
    await host.sh(`rm -rf ${home}/.ssh/authorized_keys; ${make}`);
    const diff = await provision(site(99), ['diff']);
    expect(diff.milliseconds).toBeLessThan(10_000);
    expect(told(diff)).toMatch(/exit [58]/);
    const applied = await provision(site(99), ['apply', '--yes']);
    expect(applied.milliseconds).toBeLessThan(10_000);
    expect(told(applied)).toMatch(/exit [458]/);
    expect(changes(before, await rest())).toEqual([]);
    await host.sh(`rm -rf ${home}/.ssh/authorized_keys`);
  });

  test('a directory of his in which root is to have a file is refused', async () => {
    const own = siteWith([host], [{ file: `${home}/work/of-root`, content: 'x\n' }]);
    const refused = await provision(own, ['apply', '--yes']);
    expect(told(refused)).toMatch(/exit [45]/);
    expect(told(refused)).toContain(`others than root can write to ${home}/work`);
    expect((await host.exec(['test', '-e', `${home}/work/of-root`])).code).toBe(1);
  });
});
