import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProvision } from './cli.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { scratch } from './machine.ts';
import { type Pmxcfs, startPmxcfs } from './pmxcfs.ts';
import { inventoryFor } from './site.ts';
import { changedBy, checks, converges, ids, mends, tell, type Watched } from './story.ts';
import { describeLab } from './suite.ts';

const cfg = '/etc/pve/storage.cfg';
const installed = `# made by the installer
dir: local
	path /var/lib/vz
	content iso,vztmpl,backup

lvmthin: local-lvm
	thinpool data
	vgname pve
	content rootdir,images
`;
const nas = {
  id: 'nas',
  type: 'nfs',
  content: ['backup', 'iso'],
  server: 'nas.lan',
  export: '/bu',
  options: 'vers=4.2',
  prune_backups: { 'keep-last': 3, 'keep-weekly': 4 },
  nodes: ['pve1', 'pve2'],
};
const usb = { id: 'usb', type: 'dir', content: ['backup'], path: '/mnt/usb', is_mountpoint: true };
const lvm = {
  id: 'local-lvm',
  type: 'lvmthin',
  content: ['images', 'rootdir'],
  thinpool: 'data',
  vgname: 'pve',
};

/** Writes the file as somebody with an editor would: sed -i would fail on the modes. */
const edit = (program: string) => `text=$(sed '${program}' ${cfg}); printf '%s\\n' "$text" >${cfg}`;

describeLab('the role pve-storage on a node of Proxmox VE', () => {
  let host: LabHost;
  let pmxcfs: Pmxcfs;
  let watched: Watched;
  let site: string;
  const write = (...storages: object[]) =>
    inventoryFor([host], { roles: ['pve-storage'], vars: { 'pve-storage': { storages } } }, site);
  const refused = async (message: string | RegExp) => {
    let apply = await tell(site, 'diff');
    const touched = await changedBy(watched, async () => {
      apply = await tell(site, 'apply', '--yes');
    });
    expect(apply.exit, apply.said).toBe(5);
    expect(apply.said).toMatch(message);
    expect(touched).toEqual([]);
  };
  const put = (text: string) => host.exec(['sh', '-c', `cat >${cfg}`], { input: text });

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    pmxcfs = await startPmxcfs(host);
    watched = { host, dirs: ['/etc', '/mnt', '/root', '/var/lib/vz', '/var/lib/pve-cluster'] };
    await host.sh('mkdir -p /mnt/usb; mount -t tmpfs usb /mnt/usb');
    await put(installed);
    site = write(nas, usb, lvm);
  });
  afterAll(stopAll);

  test('converges; what is there already is left alone, whatever the order of its lists', async () => {
    const { diff } = await converges(site, watched);
    expect(ids(diff)).toEqual(['pve_storage:nas', 'pve_storage:usb']);
    const text = await host.readFile(cfg);
    expect(text).toMatch(/^nfs: nas\n\texport \/bu\n\tserver nas\.lan\n/m);
    expect(text).toMatch(/^\tprune-backups keep-last=3,keep-weekly=4$/m);
    expect(text).not.toContain('installer');
    expect(await host.sh('ls /mnt/usb')).toBe('dump\n');
    // The kernel here mounts no NFS.
    await checks(site, { exit: 4, notPassed: ['pve-storage/mount-nas'] });
  });

  test.each([
    ['pve_storage:nas', edit('/^nfs/,/^$/s/content .*/content iso/')],
    ['pve_storage:nas', edit('s/keep-last=3/keep-last=30/')],
    ['pve_storage:nas', edit('/prune-backups/d')],
    ['pve_storage:nas', edit('s/keep-last=3/keep-lst=3/')],
    ['pve_storage:nas', edit('/^\\toptions/d')],
    ['pve_storage:nas', edit('s/options vers=4.2/options vers=4.2, soft/')],
    ['pve_storage:nas', edit('s/^nfs: nas$/&\\n\\tdisable/')],
    ['pve_storage:nas', edit('s/nodes .*/nodes pve1/')],
    ['pve_storage:nas', 'pvesm remove nas'],
    ['pve_storage:usb', edit('/is_mountpoint/d')],
    ['pve_storage:usb', 'pvesm set usb --disable 1'],
  ])('%s is drift after: %s', async (id, change) => {
    await mends(site, host, change, id);
  });

  test.each([
    ['a comment', edit('1i # by hand')],
    [
      'another order of the sections',
      `text=$(awk 'BEGIN { RS = ""; ORS = "\\n\\n" } { s[NR] = $0 } END { for (i = NR; i; i--) print s[i] }' ${cfg}); printf '%s\\n' "$text" >${cfg}`,
    ],
    ['blanks for tabs', edit('s/^\\t/   /')],
    ['a word that Proxmox does not know for true', edit('s/^nfs: nas$/&\\n\\tdisable yes/')],
    ['a type in capitals', edit('s/^nfs: nas$/NFS:nas/')],
    ['a write of Proxmox itself', 'pvesm set local --content iso,backup'],
  ])('%s is no drift', async (_, change) => {
    await host.sh(change);
    const diff = await tell(site, 'diff');
    expect(diff.exit, diff.said).toBe(0);
  });

  test('what cannot be changed is refused, with what to do by hand', async () => {
    write({ ...nas, server: 'other.lan' }, usb, lvm);
    await refused(/cannot change server \(nas\.lan, wanted other\.lan\).*pvesm remove nas/);
    write(nas, usb, lvm);
  });

  test.each([
    [
      'a section without what its type requires',
      'pbs: box\n\tserver pbs.lan\n',
      /line \d+: "pbs: box".*no datastore.*unknown section type ''/,
    ],
    [
      'a section of a type that is not known',
      'pbx: box\n\tserver pbs.lan\n',
      /line \d+: "pbx: box".*removed at the next change/,
    ],
    [
      'a section swallowed by a line with a blank',
      'dir: a1\n\tpath /a\n \ndir: b1\n\tpath /b\n',
      /line \d+: "dir: b1": line \d+ is not empty/,
    ],
    [
      'CRLF',
      'dir: a1\r\n\tpath /a\r\n\r\ndir: b1\r\n\tpath /b\r\n',
      /line \d+: "dir: b1": line \d+ is not empty/,
    ],
  ])('%s: nothing is changed, and the line is named', async (_, more, message) => {
    const before = await host.readFile(cfg);
    await put(`${before.replace(/keep-last=3/, 'keep-last=4')}\n${more}`);
    await refused(message);
    await put(before);
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('a server that cannot be reached is told in the words of pvesm, and nothing is added', async () => {
    write(nas, usb, lvm, { ...nas, id: 'away' });
    await host.sh(
      'echo "activate away storage \'away\' is not online" >/var/lib/proxmox-stand-ins/storage-faults',
    );
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(4);
    expect(apply.changes[0]?.message).toContain("create storage failed: storage 'away' is not online");
    expect(await host.readFile(cfg)).not.toContain('away');
    await host.sh('rm /var/lib/proxmox-stand-ins/storage-faults');
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('absent removes it from the file, and is refused while an encryption key would go with it', async () => {
    write(nas, usb, lvm, { id: 'away', state: 'absent' });
    await host.sh('mkdir -p /etc/pve/priv/storage; echo "{}" >/etc/pve/priv/storage/away.enc');
    await refused(/away\.enc is the key that backups on it are encrypted with/);
    await host.sh('rm /etc/pve/priv/storage/away.enc');
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    expect(await host.readFile(cfg)).not.toContain('away');
    expect((await tell(site, 'diff')).exit).toBe(0);
    write(nas, usb, lvm);
  });

  test('without quorum it is seen and not changed', async () => {
    await host.sh(edit('s/keep-last=3/keep-last=5/'));
    await pmxcfs.quorum(false);
    await refused('this node has no quorum');
    await checks(site, { exit: 4, notPassed: ['pve-storage/mount-nas', 'pve-storage/quorum'] });
    await pmxcfs.quorum(true);
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('without pve-cluster nothing is known, and nothing is written into the empty directory', async () => {
    await pmxcfs.stop();
    const touched = await changedBy(watched, async () => {
      const apply = await tell(site, 'apply', '--yes');
      expect(apply.exit, apply.said).toBe(8);
      expect(apply.said).toContain('unknown pve_storage:nas: /etc/pve is not the cluster file system');
    });
    expect(touched).toEqual([]);
    expect(await host.sh('ls -A /etc/pve')).toBe('');
    await pmxcfs.start();
    expect((await tell(site, 'diff')).exit).toBe(0);
  });

  test('a cluster file system that hangs costs its limit once', async () => {
    await pmxcfs.freeze();
    const { code, stdout, milliseconds } = await runProvision(['diff'], { cwd: site });
    await pmxcfs.thaw();
    expect(code, stdout).toBe(8);
    expect(stdout).toContain('no answer in 5 s: /etc/pve hangs');
    expect(milliseconds).toBeLessThan(12_000);
  });
});

describeLab('the password of a storage', () => {
  let host: LabHost;
  let site: string;
  let env: { PROVISION_AGE_KEY_FILE: string };
  const canary = 'canary-7c1f0e "$(id)"';
  const pw = '/etc/pve/priv/storage/box.pw';
  const fingerprint = 'AB'.concat(':AB'.repeat(31));
  const box = {
    id: 'box',
    type: 'pbs',
    content: ['backup'],
    server: 'pbs.lan',
    datastore: 'main',
    username: 'backup@pbs!pve1',
    fingerprint,
    password: '${secrets.token}',
  };
  const said: string[] = [];
  const run = async (...args: string[]) => {
    const ended = await runProvision(args, { cwd: site, env });
    said.push(ended.stdout, ended.stderr);
    return ended;
  };

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    await startPmxcfs(host);
    await put();
    env = { PROVISION_AGE_KEY_FILE: join(scratch('age'), 'age.key') };
    site = inventoryFor([host], {
      roles: ['pve-storage'],
      vars: {
        'pve-storage': {
          storages: [
            box,
            {
              ...box,
              id: 'syno',
              type: 'cifs',
              share: 'bu',
              username: 'pve',
              datastore: undefined,
              fingerprint: undefined,
            },
          ],
        },
      },
    });
    expect((await run('secret', 'keygen', '--out', env.PROVISION_AGE_KEY_FILE)).code).toBe(0);
    expect((await runProvision(['secret', 'set', 'token'], { cwd: site, env, input: canary })).code).toBe(0);
  });
  afterAll(stopAll);
  const put = () => host.exec(['sh', '-c', `cat >${cfg}`], { input: installed });

  test('arrives in its file and nowhere else', async () => {
    expect((await run('diff', '-v')).code).toBe(2);
    const apply = await run('apply', '--yes', '-v');
    expect(apply.code, apply.stdout).toBe(0);
    expect(await host.readFile(pw)).toBe(`${canary}\n`);
    expect(await host.readFile('/etc/pve/priv/storage/syno.pw')).toBe(`password=${canary}\n`);
    expect(await host.readFile(cfg)).not.toContain('canary');
    const calls = await host.readFile('/var/lib/proxmox-stand-ins/calls');
    expect(calls).toMatch(/^pvesm add pbs box .* --password$/m);
    expect(calls).not.toContain('canary');
    expect(said.join('\n')).not.toContain('canary');
    const found = await host.sh(
      'grep -rlaF canary-7c1f0e /etc /var /run /root /tmp /usr/bin 2>/dev/null || :',
    );
    expect(
      found
        .split('\n')
        .filter((path) => path !== '')
        .sort(),
    ).toEqual([
      pw,
      '/etc/pve/priv/storage/syno.pw',
      '/var/lib/pve-cluster/db/priv/storage/box.pw',
      '/var/lib/pve-cluster/db/priv/storage/syno.pw',
    ]);
    expect((await run('diff')).code).toBe(0);
  });

  test.each([`echo other >${pw}`, `rm ${pw}`, 'echo other >/etc/pve/priv/storage/syno.pw'])(
    'another one is drift: %s',
    async (change) => {
      await host.sh(change);
      const diff = await run('diff');
      expect(diff.code, diff.stdout).toBe(2);
      expect((await run('apply', '--yes')).code).toBe(0);
      expect(await host.readFile(pw)).toBe(`${canary}\n`);
    },
  );

  test('a fingerprint in lower case is the same', async () => {
    await host.sh(`text=$(sed '/fingerprint/s/AB/ab/g' ${cfg}); printf '%s\\n' "$text" >${cfg}`);
    expect((await run('diff')).code).toBe(0);
  });

  test('a pvesm that does not read it is told of, with what to do', async () => {
    await host.sh(`echo deaf >/var/lib/proxmox-stand-ins/storage-faults; echo other >${pw}`);
    const apply = await run('apply', '--yes');
    expect(apply.code, apply.stdout).toBe(4);
    expect(apply.stdout).toContain('pvesm did not take the password of box from its standard input');
    expect(apply.stdout).toContain('pvesm set box --password');
    await host.sh('rm /var/lib/proxmox-stand-ins/storage-faults');
    expect((await run('apply', '--yes')).code).toBe(0);
  });
});

describeLab('a file below /etc/pve', () => {
  let host: LabHost;
  let pmxcfs: Pmxcfs;
  let site: string;
  const path = '/etc/pve/datacenter.cfg';
  const write = (content: string, more: object = {}) =>
    inventoryFor(
      [host],
      {
        roles: ['datacenter'],
        files: {
          'roles/datacenter/role.yaml': {
            role: 'datacenter',
            about: 'Settings of the cluster.',
            platforms: ['pve'],
            resources: [{ pve_file: path, content, ...more }],
          },
        },
      },
      site,
    );

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    pmxcfs = await startPmxcfs(host);
    site = write('keyboard: de\n');
  });
  afterAll(stopAll);

  test('is written beside its place and renamed, and nothing is left', async () => {
    await converges(site, { host, dirs: ['/etc', '/var/lib/pve-cluster'] });
    expect(await host.readFile(path)).toBe('keyboard: de\n');
    expect(await host.sh('ls -A /etc/pve')).not.toContain('provision');
    await mends(site, host, `echo x >>${path}`, `pve_file:${path}`);
    await mends(site, host, `rm ${path}`, `pve_file:${path}`);
  });

  test('of exactly 1 MiB it is; one more byte is refused before any contact', async () => {
    site = write('x'.repeat(1024 * 1024));
    const apply = await tell(site, 'apply', '--yes');
    expect(apply.exit, apply.said).toBe(0);
    write('x'.repeat(1024 * 1024 + 1));
    const { code, stderr } = await runProvision(['diff'], { cwd: site });
    expect(code).toBe(1);
    expect(stderr).toContain('has 1048577 bytes');
    write('keyboard: de\n');
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
  });

  test('is not touched without quorum, nor while pve-cluster is down', async () => {
    write('keyboard: fr\n');
    await pmxcfs.quorum(false);
    const lost = await tell(site, 'apply', '--yes');
    expect(lost.exit, lost.said).toBe(5);
    expect(lost.said).toContain('no quorum');
    await pmxcfs.quorum(true);
    await pmxcfs.stop();
    const down = await tell(site, 'apply', '--yes');
    expect(down.exit, down.said).toBe(8);
    expect(await host.sh('ls -A /etc/pve')).toBe('');
    await pmxcfs.start();
    expect(await host.readFile(path)).toBe('keyboard: de\n');
    expect((await tell(site, 'apply', '--yes')).exit).toBe(0);
    expect(await host.readFile(path)).toBe('keyboard: fr\n');
  });
});
