import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { type Pmxcfs, startPmxcfs } from './pmxcfs.ts';
import { describeLab } from './suite.ts';

describeLab('the stand-in for the cluster file system', () => {
  let host: LabHost;
  let pmxcfs: Pmxcfs;
  const says = async (script: string) => {
    const { code, stderr, stdout } = await host.exec(['sh', '-c', script]);
    return code === 0 ? stdout.trim() : stderr.trim().replace(/^.*: /s, '');
  };

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    pmxcfs = await startPmxcfs(host);
  });
  afterAll(stopAll);

  test.each([
    ['findmnt -n -o FSTYPE /etc/pve', 'fuse'],
    ['echo x >/etc/pve/storage.cfg; stat -c "%a %U %G" /etc/pve/storage.cfg', '640 root www-data'],
    ['mkdir -p /etc/pve/priv/storage; stat -c "%a %U" /etc/pve/priv/storage', '700 root'],
    ['echo x >/etc/pve/priv/storage/a.pw; stat -c %a /etc/pve/priv/storage/a.pw', '600'],
    ['chmod 0640 /etc/pve/storage.cfg', ''],
    ['chmod 0644 /etc/pve/storage.cfg', 'Operation not permitted'],
    ['chown root:www-data /etc/pve/storage.cfg', ''],
    ['chown root:games /etc/pve/storage.cfg', 'Operation not permitted'],
    ['ln -s a /etc/pve/link', 'Function not implemented'],
    ['ln /etc/pve/storage.cfg /etc/pve/other', 'Operation not permitted'],
    ['setfattr -n user.a -v b /etc/pve/storage.cfg 2>/dev/null; echo', ''],
    ['head -c 1048576 /dev/zero >/etc/pve/big; stat -c %s /etc/pve/big', '1048576'],
    ['cat /etc/hostname >>/etc/pve/big', 'File too large'],
    ['rm /etc/pve/big', ''],
    // It complains and ends with 0.
    [
      'echo x >/tmp/n; chmod 0644 /tmp/n; mv -T /tmp/n /etc/pve/storage.cfg 2>&1 | sed "s,.*: ,,"',
      'Operation not permitted',
    ],
    ['echo y >/etc/pve/new && mv -T /etc/pve/new /etc/pve/storage.cfg && cat /etc/pve/storage.cfg', 'y'],
    ['mv -T /etc/pve/priv /etc/pve/private', 'Directory not empty'],
    ['readlink /etc/pve/local', 'nodes/pve1'],
    ['echo x >/etc/pve/lxc/100.conf && ls /etc/pve/nodes/pve1/lxc', '100.conf'],
    ['cat /etc/pve/.members | grep -c quorate', ''],
  ])('%s', async (script, answer) => {
    expect(await says(script)).toBe(answer);
  });

  test('a VMID is the name of one guest only', async () => {
    await says('echo x >/etc/pve/lxc/100.conf');
    expect(await says('echo x >/etc/pve/qemu-server/100.conf')).toMatch(/File exists$/);
  });

  test('without quorum root writes nothing', async () => {
    await pmxcfs.quorum(false);
    for (const script of ['echo z >/etc/pve/storage.cfg', 'echo z >/etc/pve/new', 'mkdir /etc/pve/dir'])
      expect(await says(script)).toMatch(/Permission denied$/);
    expect(await says('rm /etc/pve/storage.cfg; cat /etc/pve/storage.cfg')).toBe('y');
    expect(await says('stat -c %a /etc/pve/storage.cfg')).toBe('444');
    await pmxcfs.quorum(true);
    expect(await says('echo z >/etc/pve/storage.cfg')).toBe('');
  });

  test('stopped, an ordinary directory is left; what lies there keeps it from starting', async () => {
    await pmxcfs.stop();
    expect(await says('ls -A /etc/pve; echo x >/etc/pve/mine')).toBe('');
    await expect(pmxcfs.start()).rejects.toThrow('not empty');
    await host.sh('rm /etc/pve/mine');
    await pmxcfs.start();
    expect(await says('cat /etc/pve/storage.cfg')).toBe('z');
  });

  test('frozen, it answers nothing', async () => {
    await pmxcfs.freeze();
    const { code } = await host.exec(['timeout', '2', 'cat', '/etc/pve/storage.cfg']);
    expect(code).toBe(124);
    await pmxcfs.thaw();
    expect(await says('cat /etc/pve/storage.cfg')).toBe('z');
  });
});
