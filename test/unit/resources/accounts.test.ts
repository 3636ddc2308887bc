import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sshKey } from '../../../src/resources/ssh-key.ts';
import { user } from '../../../src/resources/user.ts';
import { hasBusybox, newTree, shells, type Tree } from './tree.ts';

const base64 = 'AAAAC3NzaC1lZDI1NTE5AAAAIC1Jd7NR4MZ0Ql5nW3tFdVOmgYpX0bZ6HhVqDq1c2u4R';
const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJ3b3JsZC1vdGhlci1rZXktb2Ytc29tZWJvZHk= other';
const file = '/root/.ssh/authorized_keys';
const key = { ssh_key: 'pve2', user: 'root', key: `ssh-ed25519 ${base64} somebody@lan` };

function keys(tree: Tree, path = file): string {
  return readFileSync(tree.path(path), 'utf8');
}

function mode(tree: Tree, path: string): string {
  return (statSync(tree.path(path)).mode & 0o7777).toString(8);
}

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('on %s', (shell) => {
  it.each([
    ['makes directory and file', 'mkdir root', {}, `ssh-ed25519 ${base64} pve2\n`],
    [
      'keeps the keys of others',
      `mkdir -p root/.ssh; printf '# c\\n${other}' >root${file.slice(5)}`,
      {},
      `# c\n${other}\nssh-ed25519 ${base64} pve2\n`,
    ],
    [
      'replaces options',
      `mkdir -p root/.ssh; printf 'restrict,command="a b" ssh-ed25519 ${base64} x\\n${other}\\n' >root${file.slice(5)}`,
      { options: 'from="10.0.0.1"' },
      `from="10.0.0.1" ssh-ed25519 ${base64} pve2\n${other}\n`,
    ],
    [
      'takes options as text',
      'mkdir root',
      { options: 'command="echo \'$(id)\' \\\\ `id`"' },
      `command="echo '$(id)' \\\\ \`id\`" ssh-ed25519 ${base64} pve2\n`,
    ],
    [
      'ignores a commented key',
      `mkdir -p root/.ssh; printf '#ssh-ed25519 ${base64}\\n' >root${file.slice(5)}`,
      {},
      `#ssh-ed25519 ${base64}\nssh-ed25519 ${base64} pve2\n`,
    ],
  ] as const)('%s', (_, prepare, more, after) => {
    const tree = newTree(shell);
    tree.sh(prepare);
    const spec = { ...key, ...more };
    expect(tree.refuse(sshKey, spec)).toBeNull();
    expect(tree.apply(sshKey, spec)).toEqual({ ok: true, said: '' });
    expect(keys(tree)).toBe(after);
    expect([mode(tree, '/root/.ssh'), mode(tree, file)]).toEqual(['700', '600']);
    expect(tree.differs(sshKey, spec)).toEqual([]);
    expect(tree.apply(sshKey, spec).said).toBe('as wanted');
  });

  it('takes a key away and nothing else', () => {
    const tree = newTree(shell);
    tree.sh(
      `mkdir -p root/.ssh; printf '${other}\\nssh-ed25519 ${base64} a\\nrestrict ssh-ed25519 ${base64} b\\n' >root/.ssh/authorized_keys`,
    );
    const gone = { ...key, state: 'absent' };
    expect(tree.apply(sshKey, gone)).toEqual({ ok: true, said: '' });
    expect(keys(tree)).toBe(`${other}\n`);
    expect(tree.have(sshKey, gone)).toBeNull();
  });

  it('repairs what sshd would refuse, and never touches the home', () => {
    const tree = newTree(shell, { platform: 'synology' });
    tree.sh(
      `mkdir -p root/.ssh; printf 'ssh-ed25519 ${base64} a\\n' >root/.ssh/authorized_keys; chmod 777 root root/.ssh; chmod 666 root/.ssh/authorized_keys`,
    );
    expect(tree.differs(sshKey, key)).toEqual(['safe']);
    tree.sh('chmod 755 root');
    expect(tree.apply(sshKey, key)).toEqual({ ok: true, said: '' });
    expect([mode(tree, '/root'), mode(tree, '/root/.ssh'), mode(tree, file)]).toEqual(['755', '700', '600']);
  });

  it('serves a user of the tree, by the numbers of the tree', () => {
    const tree = newTree(shell);
    tree.sh('mkdir -p home/backup; chown 4034:4034 home/backup');
    const spec = { ...key, user: 'backup' };
    expect(tree.apply(sshKey, spec)).toEqual({ ok: true, said: '' });
    expect(statSync(tree.path('/home/backup/.ssh')).uid).toBe(4034);
    expect(statSync(tree.path('/home/backup/.ssh/authorized_keys')).uid).toBe(4034);
    expect(tree.differs(sshKey, spec)).toEqual([]);
  });

  it('serves a user of a host as that user', () => {
    const tree = newTree(shell, { live: true });
    tree.sh(
      'chmod 755 .; getent passwd root backup >etc/passwd; mkdir -p var/backups; chown 34:34 var/backups',
    );
    const spec = { ...key, user: 'backup' };
    expect(tree.apply(sshKey, spec)).toEqual({ ok: true, said: '' });
    expect(tree.sh("find var/backups -printf '%P %u %m\\n' | sort")).toBe(
      ' backup 755\n.ssh backup 700\n.ssh/authorized_keys backup 600\n',
    );
    tree.sh(`printf '${other}\\n' >>var/backups/.ssh/authorized_keys; chmod 777 var/backups/.ssh`);
    expect(tree.differs(sshKey, spec)).toEqual(['safe']);
    expect(tree.apply(sshKey, spec)).toEqual({ ok: true, said: '' });
    expect(tree.differs(sshKey, spec)).toEqual([]);
    expect(keys(tree, '/var/backups/.ssh/authorized_keys')).toBe(`ssh-ed25519 ${base64} pve2\n${other}\n`);
  });

  it('prints for each key what looking at it alone prints, whatever the others are', () => {
    const tree = newTree(shell);
    tree.sh('mkdir root');
    const second = { ...key, key: other };
    const before = tree.look(sshKey, [second]).get(sshKey.identity(second))?.text;
    expect(
      tree.look(sshKey, [key, second, { ...key, user: 'nobody-here' }]).get(sshKey.identity(second))?.text,
    ).toBe(before);
    expect(tree.apply(sshKey, key).ok).toBe(true);
    expect(tree.look(sshKey, [second]).get(sshKey.identity(second))?.text).toBe(before);
  });

  it('refuses links, and says who or what is missing', () => {
    const tree = newTree(shell);
    expect(tree.apply(sshKey, key).said).toMatch(/home of root is missing: \/root/);
    expect(tree.apply(sshKey, { ...key, user: 'nobody-here' }).said).toMatch(/no user nobody-here/);
    tree.sh('mkdir root elsewhere; ln -s ../elsewhere root/.ssh');
    expect(tree.refuse(sshKey, key)).toMatch(/symbolic link/);
    expect(tree.apply(sshKey, key).ok).toBe(false);
    expect(tree.sh('ls elsewhere')).toBe('');
  });

  it('makes, changes and removes users in a tree', () => {
    const tree = newTree(shell);
    tree.sh(
      'printf "root:*::::::\\n" >etc/shadow; printf "users:x:100:\\nwww:x:33:backup\\n" >>etc/group; mkdir home',
    );
    const spec = {
      user: 'vault',
      uid: 4100,
      gid: 4100,
      groups: ['users'],
      home: '/home/vault',
      shell: '/bin/sh',
    };
    expect(tree.apply(user, spec)).toMatchObject({ ok: true });
    expect(tree.have(user, spec)).toEqual({
      type: 'user',
      uid: 4100,
      gid: 4100,
      group: 'vault',
      groups: 'users',
      home: '/home/vault',
      shell: '/bin/sh',
    });
    expect(tree.apply(user, spec).said).toBe('as wanted');
    const changed = { ...spec, shell: '/usr/sbin/nologin', groups: ['users', 'www'] };
    expect(tree.differs(user, changed)).toEqual(['shell', 'groups']);
    expect(tree.apply(user, changed)).toMatchObject({ ok: true });
    expect(tree.differs(user, changed)).toEqual([]);
    tree.sh('mkdir -p home/vault; touch home/vault/data');
    expect(tree.apply(user, { user: 'vault', state: 'absent' })).toMatchObject({ ok: true });
    expect(tree.have(user, { user: 'vault' })).toBeNull();
    expect(tree.sh('ls home/vault')).toMatch('data');
    const system = { user: 'vault', system: true, group: 'users' };
    expect(tree.apply(user, system)).toMatchObject({ ok: true });
    expect(tree.have(user, system)).toMatchObject({ group: 'users', gid: 100 });
  });

  it('refuses to renumber, and what a NAS keeps itself', () => {
    const tree = newTree(shell);
    expect(tree.refuse(user, { user: 'backup', uid: 34 })).toMatch(/never changed/);
    expect(tree.refuse(user, { user: 'root', state: 'absent' })).toMatch(/root is not removed/);
    expect(newTree(shell, { platform: 'synology' }).refuse(user, { user: 'vault' })).toMatch(
      /user interface/,
    );
  });
});

it('refuses to remove a user whose processes run', () => {
  const context = { host: 'pve9', platform: 'linux', live: true } as const;
  const have = { type: 'user', uid: 4034, running: true };
  const change = { spec: { user: 'backup', state: 'absent' }, have, want: null, differs: ['type'], context };
  expect(user.refuse?.(change)).toMatch(/processes of backup are running/);
});

it('reads the same when a line has no user', () => {
  const tree = newTree('dash');
  writeFileSync(tree.path('/etc/passwd'), '\n#\nroot:x:0:0:root:/root:/bin/sh\n');
  expect(tree.have(user, { user: 'root' })).toMatchObject({ uid: 0 });
  expect(tree.look(user, [{ user: 'root' }, { user: 'a' }]).get('a')?.text).toBe('a\tabsent\t1');
});
