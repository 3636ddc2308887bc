import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changes, type LabHost, runHere, startHost, stopAll } from './lab.ts';
import { knownHosts } from './site.ts';
import { describeLab } from './suite.ts';

const ssh = (host: LabHost, file: string, command: string, user = 'root') => [
  'ssh',
  ...[
    '-F',
    'none',
    '-o',
    `UserKnownHostsFile=${file}`,
    '-o',
    'GlobalKnownHostsFile=none',
    '-o',
    'StrictHostKeyChecking=yes',
  ],
  ...[
    '-o',
    'BatchMode=yes',
    '-o',
    'ConnectTimeout=3',
    '-i',
    host.identityFile,
    `${user}@${host.address}`,
    command,
  ],
];

describeLab('lab hosts', () => {
  let pve: LabHost;
  let other: LabHost;
  let nas: LabHost;
  let file: string;

  beforeAll(async () => {
    [pve, other, nas] = await Promise.all([
      startHost({ image: 'debian', name: 'pve1' }),
      startHost({ image: 'debian', name: 'pve2', tmpfs: { '/full': 'size=1m' } }),
      startHost({ image: 'nas', name: 'nas1' }),
    ]);
    file = knownHosts([pve, other, nas]);
  });
  afterAll(stopAll);

  test('systemd runs, and nothing in it has failed', async () => {
    expect((await pve.exec(['systemctl', 'is-system-running'])).stdout).toBe('running\n');
    expect((await pve.exec(['systemctl', 'is-active', 'ssh', 'chrony'])).stdout).toBe('active\nactive\n');
  });

  test('a host passes for its platform, with the commands that are played there', async () => {
    expect((await pve.exec(['pveversion'])).stdout).toMatch(/^pve-manager\/8/);
    expect((await pve.exec(['qm', 'list'])).code).toBe(0);
    expect((await nas.exec(['qm', 'list'])).code).not.toBe(0);
  });

  test('ssh lets root, admin and ops in with the pinned host key', async () => {
    for (const user of ['root', 'admin', 'ops']) {
      expect(await runHere(ssh(pve, file, 'whoami; hostname', user))).toMatchObject({
        code: 0,
        stdout: `${user}\npve1\n`,
      });
    }
  });

  test('ssh refuses a host key that is another host’s', async () => {
    const swapped = knownHosts([
      { ...pve, hostKeys: other.hostKeys.map((line) => line.replace(other.address, pve.address)) },
    ]);
    const refused = await runHere(ssh(pve, swapped, 'true'));
    expect(refused.code).toBe(255);
    expect(refused.stderr).toMatch(/HOST IDENTIFICATION HAS CHANGED|verification failed/);
  });

  test('each host is a machine of its own', async () => {
    expect(new Set([pve, other, nas].map((host) => host.machineId)).size).toBe(3);
    expect(new Set([pve, other, nas].flatMap((host) => host.hostKeys)).size).toBe(6);
    expect(pve.machineId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('sudo asks admin for a password, ops for none, and refuses nosudo', async () => {
    expect(await pve.exec(['sudo', '-n', 'id', '-u'], { user: 'admin' })).toMatchObject({ code: 1 });
    const withPassword = await pve.exec(['sudo', '-S', 'id', '-u'], {
      user: 'admin',
      input: 'lab-password\n',
    });
    expect(withPassword).toMatchObject({ code: 0, stdout: '0\n' });
    expect(await pve.exec(['sudo', '-n', 'id', '-u'], { user: 'ops' })).toMatchObject({
      code: 0,
      stdout: '0\n',
    });
    expect(await pve.exec(['sudo', '-n', 'id', '-u'], { user: 'nosudo' })).toMatchObject({ code: 1 });
  });

  test('packages install without a network, dependencies too', async () => {
    await pve.sh('apt-get -q update && apt-get -q -y install dummy-two');
    expect(await pve.readFile('/usr/share/dummy-one/about')).toBe('dummy-one\n');
  });

  test('files of /etc can be replaced by rename, as on a machine', async () => {
    await pve.sh(
      'for name in hosts hostname resolv.conf; do cp /etc/$name /etc/new; mv -T /etc/new /etc/$name; done',
    );
    expect(await pve.readFile('/etc/hostname')).toBe('pve1\n');
  });

  test('the NAS has busybox and no flock, the other variant has flock', async () => {
    expect(await nas.exec(['sh', '-c', 'command -v flock'])).toMatchObject({ code: 127, stdout: '' });
    expect((await nas.exec(['readlink', '-f', '/bin/sh'])).stdout).toBe('/bin/busybox\n');
    expect(await runHere(ssh(nas, file, 'cat /etc.defaults/VERSION; ls -d /volume1/Backup'))).toMatchObject({
      code: 0,
    });
    const variant = await startHost({ image: 'nas-flock', name: 'nas2' });
    expect(await variant.exec(['flock', '/tmp', 'true'])).toMatchObject({ code: 0 });
    await variant.stop();
  });

  test('a full file system is full', async () => {
    expect((await other.exec(['sh', '-c', 'head -c 2000000 /dev/zero >/full/x'])).stderr).toContain(
      'No space left',
    );
  });

  test('a snapshot of what nobody touched is the same', async () => {
    const before = await pve.snapshot(['/etc', '/usr', '/var']);
    expect(before.size).toBeGreaterThan(5000);
    expect(changes(before, await pve.snapshot(['/etc', '/usr', '/var']))).toEqual([]);
  });

  test.each([
    ['content', 'echo x >>/srv/s/a', ['/srv/s/a: content, mtime']],
    ['mode', 'chmod 0600 /srv/s/a', ['/srv/s/a: mode 0644 -> 0600']],
    ['owner', 'chown ops /srv/s/a', ['/srv/s/a: owner 0:0 -> 1001:0']],
    ['time', 'touch /srv/s/a', ['/srv/s/a: mtime']],
    [
      'a rename to itself',
      'cp -p /srv/s/a /srv/s/t; mv -T /srv/s/t /srv/s/a',
      ['/srv/s: mtime', '/srv/s/a: inode'],
    ],
    ['link', 'ln -sfT b /srv/s/l', ['/srv/s: mtime', '/srv/s/l: link a -> b, mtime, inode']],
    ['a new file', 'touch /srv/s/n', ['/srv/s: mtime', '+ /srv/s/n']],
    ['a missing file', 'rm /srv/s/a', ['/srv/s: mtime', '- /srv/s/a']],
  ])('a snapshot sees a change of %s', async (_what, script, expected) => {
    await pve.sh('rm -rf /srv/s; mkdir /srv/s; echo a >/srv/s/a; ln -s a /srv/s/l; chmod 0644 /srv/s/a');
    const before = await pve.snapshot(['/srv/s']);
    await pve.sh(script);
    expect(changes(before, await pve.snapshot(['/srv/s']))).toEqual(expected);
  });

  test('a snapshot stays inside the host when a directory is reached over an absolute link', async () => {
    await pve.sh('rm -rf /srv/s; mkdir /srv/s; touch /srv/s/inside; ln -sfn /srv /tmp/way');
    expect([...(await pve.snapshot(['/tmp/way/s'])).keys()]).toEqual(['/srv/s', '/srv/s/inside']);
  });

  test.each([
    ['drop', /timed out/],
    ['reset', /refused/],
  ] as const)('cut with %s ends the way to ssh until uncut', async (how, says) => {
    await other.cut(how);
    const refused = await runHere(ssh(other, file, 'true'));
    expect(refused.code).toBe(255);
    expect(refused.stderr).toMatch(says);
    await other.uncut();
    expect((await runHere(ssh(other, file, 'true'))).code).toBe(0);
  });

  test('a frozen session says nothing until it thaws, and new ones work', async () => {
    const child = spawn('ssh', ssh(other, file, 'echo on; read line; echo "got $line"').slice(1));
    const heard: string[] = [];
    child.stdout.on('data', (chunk) => heard.push(String(chunk)));
    await expect.poll(() => heard.join(''), { timeout: 5000 }).toBe('on\n');
    await other.freeze();
    child.stdin.end('word\n');
    expect((await runHere(ssh(other, file, 'true'))).code).toBe(0);
    expect(heard.join('')).toBe('on\n');
    await other.thaw();
    await expect.poll(() => heard.join(''), { timeout: 5000 }).toBe('on\ngot word\n');
  });

  test('after rekey the pinned keys are wrong, on Debian and on the NAS', async () => {
    for (const image of ['debian', 'nas'] as const) {
      const host = await startHost({ image, name: 'rekeyed' });
      const pins = knownHosts([host]);
      expect((await runHere(ssh(host, pins, 'true'))).code).toBe(0);
      await host.rekey();
      await expect
        .poll(async () => (await runHere(ssh(host, pins, 'true'))).stderr, { timeout: 5000 })
        .toContain('HOST IDENTIFICATION HAS CHANGED');
      await host.stop();
    }
  });

  test('after a crash the same machine comes back with its files', async () => {
    await other.writeFile('/etc/kept/deep', 'kept\n', '0600');
    await other.crash();
    expect((await runHere(ssh(other, file, 'true'))).code).toBe(255);
    await other.start();
    const back = await runHere(ssh(other, file, 'cat /etc/kept/deep /etc/machine-id'));
    expect(back).toMatchObject({ code: 0, stdout: `kept\n${other.machineId}\n` });
  });
});
