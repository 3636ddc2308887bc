import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { mustRun } from '../lab/machine.ts';
import { describeLab } from '../lab/suite.ts';
import {
  gatedFile,
  hostsOf,
  journal,
  open,
  pidOf,
  provision,
  shut,
  siteWith,
  told,
  until,
} from './fixture.ts';

const big = 'new line of a file that does not fit\n'.repeat(4000);

describeLab('F13 F14 F20 F22 what a disk can do to a write', () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await startHost({
      image: 'debian',
      name: 'pve1',
      tmpfs: { '/srv/small': 'size=64k,mode=755', '/srv/inodes': 'nr_inodes=6,mode=755' },
    });
    await host.writeFile('/srv/small/file', 'old\n');
    await host.writeFile('/srv/inodes/file', 'old\n');
  });
  afterAll(stopAll);

  const outcomes = (report: string) =>
    hostsOf(report).flatMap(({ changes: made }) => made.map(({ id, outcome }) => `${id} ${outcome}`));

  describe('F13', () => {
    test('a full target: the old file stays, no temp file is left, others are done, exit 4 names the path', async () => {
      const cwd = siteWith(
        [host],
        [
          { file: '/srv/small/file', content: big },
          { file: '/etc/faults-other', content: 'fits\n' },
        ],
      );
      const full = await provision(cwd, ['apply', '--yes']);
      expect(told(full)).toContain('exit 4');
      expect(told(full)).toContain('/srv/small/file');
      expect(told(full)).toContain('No space left on device');
      expect(await host.sh('ls -A /srv/small; cat /srv/small/file')).toBe('file\nold\n');
      expect(await host.readFile('/etc/faults-other')).toBe('fits\n');
    });

    test('no inodes', async () => {
      await host.sh('n=0; while touch "/srv/inodes/$n"; do n=$((n + 1)); done 2>/dev/null || :');
      const before = await host.sh('ls -A /srv/inodes');
      const full = await provision(siteWith([host], [{ file: '/srv/inodes/file', content: 'new\n' }]), [
        'apply',
        '--yes',
      ]);
      expect(told(full)).toContain('exit 4');
      expect(told(full)).toContain('No space left on device');
      expect(await host.sh('ls -A /srv/inodes; cat /srv/inodes/file')).toBe(`${before}old\n`);
    });

    test('filled up between staging and putting in place', async () => {
      const cwd = siteWith([host], [gatedFile('/srv/small/file', 'y'.repeat(40_000), 'fill')]);
      await shut(host, 'fill');
      const applying = startProvision(['apply', '--yes'], { cwd });
      await until(host, journal('change 0 start'));
      await host.sh('head -c 60000 /dev/zero >/srv/small/fill');
      await open(host, 'fill');
      expect(told(await applying.finished)).toContain('exit 4');
      expect(await host.sh('ls -A /srv/small; cat /srv/small/file')).toBe('file\nfill\nold\n');
      await host.sh('rm /srv/small/fill');
      expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    });

    test('too little room for the state: refused before anything is sent', async () => {
      await host.sh('mkdir -p /var/lib/provision; mount -t tmpfs -o size=256k none /var/lib/provision');
      await small('exit 5', /only \d+ KiB are free/);
      await host.sh('umount /var/lib/provision');
    });

    // Room that the look cannot see: a quota, or what others take in the meantime.
    test('the state fills up while contents are staged: exit 4, nothing changed, nothing left', async () => {
      await host.sh('mkdir -p /var/lib/provision; mount -t tmpfs -o size=100m none /var/lib/provision');
      await host.sh('mkdir /var/lib/provision/runs; mount -t tmpfs -o size=64k none /var/lib/provision/runs');
      await small('exit 4', /could not be stored/);
      expect(await host.sh('find /var/lib/provision/runs -type f')).toBe('');
      await host.sh('umount /var/lib/provision/runs; umount /var/lib/provision');
      expect(await host.sh('flock -n /var/lib/provision/lock echo free')).toBe('free\n');
    });

    async function small(exit: string, says: RegExp): Promise<void> {
      const before = await host.snapshot(['/etc', '/srv']);
      const refused = await provision(siteWith([host], [{ file: '/etc/faults-big', content: big }]), [
        'apply',
        '--yes',
      ]);
      expect(told(refused)).toContain(exit);
      expect(told(refused)).toMatch(says);
      expect(changes(before, await host.snapshot(['/etc', '/srv']))).toEqual([]);
    }
  });

  test('F14 a read-only mount is refused in diff already', async () => {
    await host.sh('mkdir -p /srv/ro/below; mount --bind /srv/ro /srv/ro; mount -o remount,ro,bind /srv/ro');
    const cwd = siteWith(
      [host],
      [
        { file: '/srv/ro/below/file', content: 'x\n' },
        { directory: '/srv/ro/directory' },
        { file: '/etc/faults-beside', content: 'x\n' },
      ],
    );
    const diff = await provision(cwd, ['diff']);
    expect(told(diff)).toContain('exit 5');
    expect(told(diff)).toContain('/srv/ro/below/file lies on /srv/ro, which is mounted read-only');
    const applied = await provision(cwd, ['apply', '--yes', '--format', 'json']);
    expect(applied.code).toBe(5);
    expect(outcomes(applied.stdout).sort()).toEqual([
      'directory:/srv/ro/directory refused',
      'file:/etc/faults-beside done',
      'file:/srv/ro/below/file refused',
    ]);
    await host.sh('umount /srv/ro');
  });

  test('F14 the place of the state is read-only', async () => {
    await host.sh(
      'mount --bind /var/lib/provision /var/lib/provision; mount -o remount,ro,bind /var/lib/provision',
    );
    const refused = await provision(siteWith([host], [{ file: '/etc/faults-ro', content: 'x\n' }]), [
      'apply',
      '--yes',
    ]);
    expect(told(refused)).toMatch(/exit [45]/);
    expect(told(refused)).toContain('/var/lib/provision');
    expect((await host.exec(['test', '-e', '/etc/faults-ro'])).code).toBe(1);
    await host.sh('umount /var/lib/provision');
  });

  test('F20 a bind-mounted file is refused with the reason', async () => {
    await host.sh(
      'echo below >/srv/bound; echo above >/etc/faults-bound; mount --bind /srv/bound /etc/faults-bound',
    );
    const cwd = siteWith([host], [{ file: '/etc/faults-bound', content: 'x\n' }]);
    expect(told(await provision(cwd, ['diff']))).toContain('is itself a mount point');
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 5');
    expect(await host.sh('cat /etc/faults-bound; umount /etc/faults-bound; cat /etc/faults-bound')).toBe(
      'below\nabove\n',
    );
  });

  test('F20 an immutable file: exit 4 with the reason, the old one whole, nothing beside it', async () => {
    await host.sh('echo old >/etc/faults-fixed');
    // No container may set it itself.
    const seenHere = `/proc/${await pidOf(host)}/root/etc/faults-fixed`;
    await mustRun(['chattr', '+i', seenHere]);
    const applied = await provision(siteWith([host], [{ file: '/etc/faults-fixed', content: 'new\n' }]), [
      'apply',
      '--yes',
    ]);
    expect(told(applied)).toContain('exit 4');
    expect(told(applied)).toContain('Operation not permitted');
    expect(await host.readFile('/etc/faults-fixed')).toBe('old\n');
    await mustRun(['chattr', '-i', seenHere]);
    expect(await host.sh('ls -A /etc | grep provision || :')).toBe('');
  });

  test('F22 other things in the way are named, refused and left', async () => {
    const ways: Record<string, string> = {
      file: 'echo x >"$1"',
      directory: 'mkdir "$1"; echo x >"$1/inside"',
      link: 'ln -s /etc/passwd "$1"',
      dangling: 'ln -s /nowhere "$1"',
      fifo: 'mkfifo "$1"',
      device: 'mknod "$1" c 1 3',
      socket: `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])) or die' "$1"`,
    };
    const kinds: Record<string, (path: string) => Record<string, unknown>> = {
      file: (path) => ({ file: path, content: 'mine\n' }),
      bare: (path) => ({ file: path, mode: '0600' }),
      directory: (path) => ({ directory: path }),
      link: (path) => ({ link: path, to: '/etc/hostname' }),
      line: (path) => ({ line: path, key: 'a', value: 'b' }),
    };
    const fits = ['file-file', 'bare-file', 'directory-directory', 'link-link', 'link-dangling', 'line-file'];
    const pairs = Object.keys(kinds).flatMap((kind) => Object.keys(ways).map((way) => [kind, way] as const));
    await host.sh('mkdir /srv/ways; chmod 755 /srv/ways');
    for (const [kind, way] of pairs)
      await host.exec(['sh', '-euc', ways[way] ?? '', 'sh', `/srv/ways/${kind}-${way}`]);
    const before = await host.snapshot(['/srv/ways']);
    expect(before.size).toBe(1 + pairs.length + Object.keys(kinds).length);
    const blocked = pairs.filter(([kind, way]) => !fits.includes(`${kind}-${way}`));
    const resources = blocked.map(([kind, way]) => kinds[kind]?.(`/srv/ways/${kind}-${way}`) ?? {});
    const cwd = siteWith([host], resources);
    const diff = await provision(cwd, ['diff', '--format', 'json'], { limit: 20_000 });
    expect(diff.code, diff.stdout).toBe(5);
    const all = hostsOf(diff.stdout).flatMap(({ changes: made }) => made);
    expect(
      all.map(({ id, outcome }) => `${id} ${outcome}`).filter((one) => !one.endsWith(' refused')),
    ).toEqual([]);
    expect(all.length).toBe(blocked.length);
    for (const { id, message } of all) expect(message, id).toMatch(/ is a|link|not there|does not exist/);
    expect((await provision(cwd, ['apply', '--yes'], { limit: 20_000 })).code).toBe(5);
    expect(changes(before, await host.snapshot(['/srv/ways']))).toEqual([]);
  });
});
