import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changes, type LabHost, type Snapshot, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { hostsOf, provision, siteWith, told } from './fixture.ts';

const dirs = ['/etc', '/usr/local', '/var/lib/vz', '/root', '/home'];
const key = (fill: number): string => `ssh-ed25519 ${Buffer.alloc(51, fill).toString('base64')}`;
const unitText =
  '[Unit]\nDescription=Sample\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';

/** One of everything that ends in a file, as something new, something to change and something to remove. */
const resources = [
  { file: '/etc/faults/new', content: 'new\n' },
  { file: '/etc/faults/content', content: 'wanted\n' },
  { file: '/etc/faults/mode', content: 'same\n', mode: '0600' },
  { file: '/etc/faults/owner', content: 'same\n', owner: 'ops', group: 'ops' },
  { file: '/etc/faults/bare', mode: '0640' },
  { file: '/etc/faults/right', content: 'same\n' },
  { file: '/etc/faults/gone', state: 'absent' },
  { file: '/etc/faults/never', state: 'absent' },
  { file: '/etc/faults/deep/er/file', content: 'below\n' },
  { directory: '/etc/faults/deep' },
  { directory: '/etc/faults/deep/er', mode: '0750' },
  { directory: '/var/lib/vz/faults', mode: '0700', owner: 'ops', group: 'ops' },
  { directory: '/usr/local/faults', mode: '0711' },
  { directory: '/etc/faults/empty', state: 'absent' },
  { link: '/etc/faults/link', to: '/nowhere' },
  { link: '/etc/faults/relink', to: 'new' },
  { link: '/etc/faults/right-link', to: 'right' },
  { link: '/etc/faults/unlink', state: 'absent' },
  { line: '/etc/faults/lines', key: 'a', value: '2' },
  { line: '/etc/faults/lines', key: 'right', value: 'yes' },
  { line: '/etc/faults/lines', key: 'drop', value: 'x', state: 'absent' },
  { line: '/etc/faults/lines-new', key: 'whole line', create: true },
  { ssh_key: 'new', user: 'root', key: key(1) },
  { ssh_key: 'old', user: 'root', key: key(2), state: 'absent' },
  { ssh_key: 'other', user: 'ops', key: key(3), options: 'restrict' },
  { unit: 'faults.service', content: unitText, enabled: true },
  { unit: 'cron.service', dropins: { '10-faults.conf': '[Unit]\nDescription=Cron with a drop-in\n' } },
  { sysctl: 'net.ipv4.conf.lo.rp_filter', value: '2' },
];

/** What there is before: right, wrong, or in the way. */
const before = `rm -rf /etc/faults* /var/lib/vz/faults /usr/local/faults /root/.ssh /home/ops/.ssh /etc/systemd/system/cron.service.d
rm -f /etc/systemd/system/faults.service /etc/systemd/system/*.wants/faults.service /etc/sysctl.d/*rp_filter*
mkdir -p /etc/faults/empty /usr/local/faults /var/lib/vz; cd /etc/faults
echo other >content; for name in mode owner bare right; do echo same >$name; done; echo x >gone
ln -s old relink; ln -s right right-link; ln -s x unlink
printf '# lines\\nright = yes\\na=1\\na=1\\ndrop=x\\nkeep = this # and that\\n' >lines
mkdir -m 700 /root/.ssh; echo '${key(2)} old' >/root/.ssh/authorized_keys; chmod 600 /root/.ssh/authorized_keys
systemctl daemon-reload`;

/** The paths that a change may make, alter or take away, by its id; directories above are not among them. */
function pathsOf(id: string): RegExp {
  const [, type = '', rest = ''] = /^(\w+):(.*)$/.exec(id) ?? [];
  const escaped = rest.replace(/#.*/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  if (type === 'ssh_key')
    return rest.startsWith('root:') ? /^\/root\/\.ssh(\/|$)/ : /^\/home\/ops\/\.ssh(\/|$)/;
  if (type === 'unit') return new RegExp(`^/etc/systemd/system/(.*/)?${escaped}(\\.d(/|$)|$)`);
  if (type === 'sysctl') return /^\/etc\/sysctl\.d\/.*rp_filter/;
  return new RegExp(`^${escaped}$`);
}

describeLab('promises', () => {
  let host: LabHost;
  let cwd: string;
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    // Each run of a script over ssh is one line here.
    await host.writeFile('/etc/ssh/sshd_config.d/verbose.conf', 'LogLevel VERBOSE\n');
    await host.sh('systemctl reload ssh');
    await host.sh(before);
    cwd = siteWith([host], resources);
  });
  afterAll(stopAll);

  const look = () => host.snapshot(dirs);
  const everything = () =>
    host.snapshot(['/etc', '/usr', '/var/lib', '/var/spool', '/root', '/home', '/opt', '/srv']);

  test('1: diff changes nothing at all', async () => {
    const had = await everything();
    for (const format of ['text', 'json'])
      expect((await provision(cwd, ['diff', '--format', format])).code).toBe(2);
    await provision(cwd, ['check']);
    expect(changes(had, await everything())).toEqual([]);
    expect(await host.sh('find /run /tmp /var/tmp -name "*provision*"')).toBe('');
  });

  test('2: what diff shows is exactly what apply does', async () => {
    const named = await ids();
    expect(named.length).toBeGreaterThan(20);
    const had = await look();
    const applied = await provision(cwd, ['apply', '--yes', '--format', 'json']);
    expect(`${applied.code}${applied.stderr}`, applied.stdout).toBe('0');
    expect(
      hostsOf(applied.stdout)
        .flatMap((one) => one.changes.map(({ id, outcome }) => `${id} ${outcome}`))
        .sort(),
    ).toEqual(named.map((id) => `${id} done`));
    const touched = changed(had, await look());
    const expected = named.map((id) => ({ id, path: pathsOf(id) }));
    expect(
      touched.filter((path) => !expected.some((one) => one.path.test(path))),
      'changed, not shown',
    ).toEqual([]);
    expect(
      expected.filter((one) => !touched.some((path) => one.path.test(path))).map(({ id }) => id),
      'shown, not changed',
    ).toEqual([]);
    expect(await host.readFile('/etc/faults/lines')).toBe(
      '# lines\nright = yes\na=2\nkeep = this # and that\n',
    );
  });

  test('4: once more changes nothing: no mtime, no inode, no run', async () => {
    expect(await ids()).toEqual([]);
    const had = await everything();
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(changes(had, await everything())).toEqual([]);
  });

  test('4: the order in the role does not matter', async () => {
    const made = strip(await look());
    await host.sh(before);
    await host.sh('rm -f /var/lib/provision/record');
    const shuffled = siteWith([host], [...resources].reverse());
    expect(told(await provision(shuffled, ['apply', '--yes']))).toContain('exit 0');
    expect(strip(await look())).toEqual(made);
    expect(await ids(shuffled)).toEqual([]);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
  });

  describe('drift: any one property that somebody changes is named, that alone, as drift, and put right', () => {
    test.each([
      ['file:/etc/faults/new', 'rm /etc/faults/new'],
      ['file:/etc/faults/content', 'echo x >>/etc/faults/content'],
      ['file:/etc/faults/mode', 'chmod 644 /etc/faults/mode'],
      ['file:/etc/faults/owner', 'chown root /etc/faults/owner'],
      ['file:/etc/faults/owner', 'chgrp root /etc/faults/owner'],
      ['file:/etc/faults/bare', 'chmod 4755 /etc/faults/bare'],
      ['file:/etc/faults/gone', 'echo back >/etc/faults/gone'],
      ['directory:/var/lib/vz/faults', 'chmod 755 /var/lib/vz/faults'],
      ['directory:/var/lib/vz/faults', 'chown root /var/lib/vz/faults'],
      ['directory:/usr/local/faults', 'rmdir /usr/local/faults'],
      ['directory:/etc/faults/empty', 'mkdir /etc/faults/empty'],
      ['link:/etc/faults/link', 'ln -sfn /elsewhere /etc/faults/link'],
      ['link:/etc/faults/unlink', 'ln -s x /etc/faults/unlink'],
      ['line:/etc/faults/lines#a', 'sed -i s/a=2/a=3/ /etc/faults/lines'],
      ['line:/etc/faults/lines#a', 'echo a=2 >>/etc/faults/lines'],
      ['line:/etc/faults/lines#drop', 'echo drop=y >>/etc/faults/lines'],
      ['line:/etc/faults/lines-new#whole line', ': >/etc/faults/lines-new'],
      ['ssh_key:ops:', 'sed -i s/restrict/no-pty/ /home/ops/.ssh/authorized_keys'],
      ['ssh_key:root:', 'sed -i /new/d /root/.ssh/authorized_keys'],
      ['unit:faults.service', 'systemctl disable faults.service'],
      [
        'unit:faults.service',
        'echo "# edited" >>/etc/systemd/system/faults.service; systemctl daemon-reload',
      ],
      ['unit:cron.service', 'rm /etc/systemd/system/cron.service.d/10-faults.conf; systemctl daemon-reload'],
      ['sysctl:net.ipv4.conf.lo.rp_filter', 'echo 1 >/proc/sys/net/ipv4/conf/lo/rp_filter'],
    ])('%s after %s', async (id, edit) => {
      await host.sh(edit);
      const [found] = hostsOf((await provision(cwd, ['diff', '--format', 'json'])).stdout);
      expect(found?.changes.map((one) => [one.id.slice(0, id.length), one.cause])).toEqual([[id, 'drift']]);
      // That it is right again is seen by the next one, whose diff names nothing else.
      expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    });
  });

  describe('round trips', () => {
    test('a diff without differences: one connection, one execution', async () => {
      expect(await counted(['diff'], 0)).toEqual({ connections: 1, executions: 1 });
    });

    test('with differences: one connection, a second execution for the old texts', async () => {
      await host.sh('echo x >>/etc/faults/content');
      expect(await counted(['diff'], 2)).toEqual({ connections: 1, executions: 2 });
    });

    test('apply --yes of them: one connection, one more execution that sends, changes and reads again', async () => {
      expect(await counted(['apply', '--yes'], 0)).toEqual({ connections: 1, executions: 2 });
    });

    test('apply without differences: as diff', async () => {
      expect(await counted(['apply', '--yes'], 0)).toEqual({ connections: 1, executions: 1 });
    });

    async function counted(
      args: string[],
      code: number,
    ): Promise<{ connections: number; executions: number }> {
      const cursor = (await host.sh('journalctl -q -n 0 --show-cursor | sed -n "s/^-- cursor: //p"')).trim();
      expect((await provision(cwd, args)).code).toBe(code);
      const log = await host.sh(
        `journalctl --sync; journalctl -q -o cat --after-cursor '${cursor}' _COMM=sshd`,
      );
      return {
        connections: log.split('Accepted publickey').length - 1,
        executions: log.split('Starting session: ').length - 1,
      };
    }
  });

  async function ids(site = cwd): Promise<string[]> {
    const { stdout, stderr } = await provision(site, ['diff', '--format', 'json']);
    expect(stderr).toBe('');
    return hostsOf(stdout)
      .flatMap((one) => one.changes.map(({ id }) => id))
      .sort();
  }
});

/** Paths that changed. A directory whose names changed has another mtime: that is not a change of its own. */
function changed(had: Snapshot, has: Snapshot): string[] {
  return changes(had, has).flatMap((line) => {
    if (/^[+-] /.test(line)) return [line.slice(2)];
    const [path = ''] = line.split(': ');
    return line.endsWith(': mtime') && has.get(path)?.type === 'directory' ? [] : [path];
  });
}

/** Without what differs from time to time: mtimes, inodes. */
function strip(snapshot: Snapshot): Map<string, unknown> {
  return new Map(
    [...snapshot].map(([path, { type, mode, owner, sha256, link }]) => [
      path,
      { type, mode, owner, sha256, link },
    ]),
  );
}
