import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ResourceType } from '../../../src/model/resource.ts';
import { directory } from '../../../src/resources/directory.ts';
import { file } from '../../../src/resources/file.ts';
import { link } from '../../../src/resources/link.ts';
import { hasBusybox, hostile, newTree, type ShellName, shells } from './tree.ts';

/** Applying twice: the first makes it so, the second finds nothing to do. */
function converges(shell: ShellName, type: ResourceType, spec: unknown, prepare = ':'): void {
  const tree = newTree(shell);
  tree.sh(prepare);
  expect(tree.refuse(type, spec)).toBeNull();
  expect(tree.apply(type, spec)).toEqual({ ok: true, said: '' });
  expect(tree.differs(type, spec)).toEqual([]);
  expect(tree.apply(type, spec).said).toBe('as wanted');
  expect(tree.sh('find . -name PWNED -o -name ".provision*"')).toBe('');
}

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('on %s', (shell) => {
  it.each([
    ['new file', file, { file: '/etc/x', content: 'hello\n' }, ':'],
    ['file with other bytes', file, { file: '/etc/x', content: 'a\r\nb' }, 'printf old >etc/x'],
    ['file with another mode', file, { file: '/etc/x', content: 'old', mode: '0640' }, 'printf old >etc/x'],
    ['only the mode of a file', file, { file: '/etc/x', mode: '4750' }, 'printf old >etc/x'],
    [
      'file of a user of the tree',
      file,
      { file: '/etc/x', content: '', owner: 'backup', group: 'backup' },
      ':',
    ],
    ['file owned by number', file, { file: '/etc/x', content: '', owner: '4034', group: '7' }, ':'],
    ['no file', file, { file: '/etc/x', state: 'absent' }, 'printf old >etc/x'],
    ['no file where a link is not in the way', file, { file: '/etc/x/y', content: 'a' }, 'mkdir etc/x'],
    ['new directory', directory, { directory: '/etc/x' }, ':'],
    ['directory with another mode', directory, { directory: '/etc/x', mode: '1777' }, 'mkdir -m 700 etc/x'],
    [
      'directory of a user of the tree',
      directory,
      { directory: '/etc/x', owner: 'backup', group: 'backup' },
      ':',
    ],
    ['no directory', directory, { directory: '/etc/x', state: 'absent' }, 'mkdir etc/x'],
    ['new link', link, { link: '/etc/x', to: '/no/where' }, ':'],
    ['link that says something else', link, { link: '/etc/x', to: '../b' }, 'ln -s a etc/x'],
    [
      'link to a directory stays a link',
      link,
      { link: '/etc/x', to: 'b' },
      'mkdir etc/a etc/b; ln -s a etc/x',
    ],
    ['file in the root', file, { file: '/x', content: 'x' }, ':'],
    ['directory in the root', directory, { directory: '/x' }, ':'],
    ['link in the root', link, { link: '/x', to: 'a' }, ':'],
    ['no link', link, { link: '/etc/x', state: 'absent' }, 'ln -s nowhere etc/x'],
  ] as const)('makes %s, and has nothing to do then', (_, type, spec, prepare) => {
    converges(shell, type, spec, prepare);
  });

  it.each(hostile)('takes the name %s', (name) => {
    converges(shell, file, { file: `/etc/${name}`, content: name });
    converges(shell, directory, { directory: `/etc/${name}` });
    converges(shell, link, { link: `/etc/${name}`, to: name });
    const tree = newTree(shell);
    writeFileSync(tree.path(`/etc/${name}`), 'x');
    expect(tree.apply(file, { file: `/etc/${name}`, state: 'absent' })).toEqual({ ok: true, said: '' });
    expect(tree.have(file, { file: `/etc/${name}` })).toBeNull();
  });

  it('prints for each exactly what looking at it alone prints', () => {
    const tree = newTree(shell);
    tree.sh(
      `mkdir etc/d; ln -s "$(printf 'x\\ny')" etc/broken; ln -s a etc/l; ln -s "b' -> 'c" etc/m; printf x >etc/f; mkfifo etc/p`,
    );
    const names = ['d', 'broken', 'l', 'm', 'f', 'p', 'none', 'f/below', ...hostile];
    for (const [type, specs] of [
      [
        file,
        names.map((name) => ({
          file: `/etc/${name}`,
          content: 'x',
          mounted: name === 'd' ? '/proc' : undefined,
        })),
      ],
      [directory, names.map((name) => ({ directory: `/etc/${name}`, state: 'absent' }))],
      [link, names.map((name) => ({ link: `/etc/${name}`, to: 'x' }))],
    ] as const) {
      const together = tree.look(type, specs);
      for (const spec of specs) {
        const identity = type.identity(spec);
        const alone = tree.look(type, [spec]).get(identity)?.text;
        expect(alone, identity).toBeDefined();
        expect(together.get(identity)?.text).toBe(alone);
      }
    }
  });

  it('does not take a link with a line break in its text for a shorter one', () => {
    const tree = newTree(shell);
    tree.sh(`ln -s "$(printf 'x\\ny')" etc/broken`);
    expect(tree.read(link, { link: '/etc/broken', to: 'x' })).toHaveProperty('unknown');
  });

  it('never removes what is in the way', () => {
    const tree = newTree(shell);
    tree.sh(
      'mkdir etc/d; ln -s a etc/l; printf x >etc/f; mkfifo etc/p; mkdir etc/full; printf x >etc/full/x',
    );
    for (const there of ['d', 'l', 'p'])
      expect(tree.refuse(file, { file: `/etc/${there}`, content: '' })).toMatch(/is a/);
    for (const there of ['l', 'f', 'p'])
      expect(tree.refuse(directory, { directory: `/etc/${there}` })).toMatch(/is a/);
    for (const there of ['d', 'f', 'p'])
      expect(tree.refuse(link, { link: `/etc/${there}`, to: 'x' })).toMatch(/is a/);
    for (const there of ['d', 'f', 'p'])
      expect(tree.refuse(link, { link: `/etc/${there}`, state: 'absent' })).toMatch(/is a/);
    expect(tree.refuse(file, { file: '/etc/d', state: 'absent' })).toMatch(/is a directory/);
    expect(tree.refuse(directory, { directory: '/etc/full', state: 'absent' })).toMatch(/not empty/);
    expect(tree.apply(directory, { directory: '/etc/full', state: 'absent' }).ok).toBe(false);
    expect(tree.sh('cat etc/full/x')).toBe('x');
  });

  it('says which directory is missing', () => {
    const tree = newTree(shell);
    expect(tree.apply(directory, { directory: '/srv/a/b' }).said).toMatch(
      /the directory \/srv\/a does not exist/,
    );
    expect(tree.apply(file, { file: '/srv/a/b', content: '' }).said).toMatch(
      /the directory \/srv\/a does not exist/,
    );
    expect(tree.apply(link, { link: '/srv/a/b', to: 'x' }).said).toMatch(/\/srv\/a does not exist/);
  });

  it('does not make a file out of nothing', () => {
    const tree = newTree(shell);
    expect(tree.refuse(file, { file: '/etc/x', mode: '0600' })).toMatch(/no content/);
  });

  it('does not write below a mount point that nothing is mounted at', () => {
    const tree = newTree(shell);
    tree.sh('mkdir -p mnt/backup');
    for (const [type, spec] of [
      [file, { file: '/mnt/backup/x', content: 'x', mounted: '/mnt/backup' }],
      [file, { file: '/mnt/backup/x', state: 'absent', mounted: '/mnt/backup' }],
      [directory, { directory: '/mnt/backup/x', mounted: '/mnt/backup' }],
    ] as const) {
      expect(tree.differs(type, spec)).not.toEqual([]);
      expect(tree.refuse(type, spec)).toMatch(/nothing is mounted at \/mnt\/backup/);
      const have = tree.have(type, spec);
      expect(type.after?.(have, spec)).toBeNull();
      expect(tree.apply(type, spec)).toMatchObject({
        ok: false,
        said: expect.stringMatching(/nothing is mounted/),
      });
    }
    expect(tree.sh('ls -A mnt/backup')).toBe('');
    expect(tree.refuse(file, { file: '/srv/x', content: '', mounted: '/mnt/backup' })).toMatch(
      /does not lie below/,
    );
  });

  it('refuses a user or group that the tree does not have', () => {
    const tree = newTree(shell);
    expect(tree.apply(file, { file: '/etc/x', content: '', owner: 'nobody' }).said).toMatch(
      /no nobody in \/etc\/passwd/,
    );
    expect(tree.sh('ls etc')).not.toMatch(/x/);
  });

  it('works in a directory of a user as that user, and as root not at all', () => {
    const tree = newTree(shell, { live: true });
    tree.sh('chmod 755 .; mkdir -p home/b; touch home/b/f; chown -R backup:backup home/b');
    const owned = { owner: 'backup', group: 'backup' };
    expect(tree.apply(directory, { directory: '/home/b/x' }).said).toMatch(/could be redirected/);
    expect(tree.apply(directory, { directory: '/home/b', ...owned, mode: '0700' }).ok).toBe(true);
    expect(tree.apply(directory, { directory: '/home/b/x', ...owned, mode: '0750' })).toEqual({
      ok: true,
      said: '',
    });
    expect(tree.differs(directory, { directory: '/home/b/x', ...owned, mode: '0750' })).toEqual([]);
    expect(tree.apply(directory, { directory: '/home/b/x', ...owned, mode: '0700' })).toEqual({
      ok: true,
      said: '',
    });
    expect(tree.apply(directory, { directory: '/home/b/x', mode: '0700' }).said).toMatch(
      /could be redirected/,
    );
    expect(tree.apply(file, { file: '/home/b/f', mode: '0600' }).said).toMatch(/could be redirected/);
    expect(tree.apply(file, { file: '/home/b/f', ...owned, mode: '0600' })).toEqual({ ok: true, said: '' });
    expect(tree.apply(link, { link: '/home/b/l', to: 'f' }).said).toMatch(/could be redirected/);
    expect(tree.sh("find home/b -printf '%P %u %m\\n' | sort")).toBe(
      ' backup 700\nf backup 600\nx backup 700\n',
    );
  });

  it('leaves mode and owner alone on a Synology share', () => {
    const tree = newTree(shell, { platform: 'synology' });
    tree.sh('mkdir -p volume1/backup');
    expect(tree.refuse(directory, { directory: '/volume1/backup/x', mode: '0700' })).toMatch(
      /delete its ACL/,
    );
    expect(tree.refuse(file, { file: '/volume1/backup/x', content: '', owner: 'root' })).toMatch(
      /delete its ACL/,
    );
    expect(tree.refuse(directory, { directory: '/volume1/backup/x', mode: '0700', acl: 'linux' })).toBeNull();
    const plain = { file: '/volume1/backup/f', content: 'x' };
    expect(tree.context.platform).toBe('synology');
    expect(Object.keys(file.want(plain, tree.context) ?? {})).toEqual(['type', 'sha256']);
    expect(tree.apply(file, plain)).toEqual({ ok: true, said: '' });
    expect(tree.apply(directory, { directory: '/volume1/backup/d' })).toEqual({ ok: true, said: '' });
    for (const step of [
      ...file.steps({
        spec: plain,
        have: null,
        want: file.want(plain, tree.context),
        differs: ['sha256'],
        context: tree.context,
      }),
    ])
      expect(step.run.text).not.toMatch(/chmod|chown|put /);
    expect(tree.differs(file, plain)).toEqual([]);
  });
});
