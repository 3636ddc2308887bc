import { describe, expect, it } from 'vitest';
import { directory } from '../../../src/resources/directory.ts';
import { file } from '../../../src/resources/file.ts';
import { line } from '../../../src/resources/line.ts';
import { link } from '../../../src/resources/link.ts';
import { path } from '../../../src/resources/path.ts';
import { sshKey } from '../../../src/resources/ssh-key.ts';
import { hasBusybox, hostile, lookAfar, newTree, shells } from './tree.ts';

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))(
  'below a network mount, on %s',
  (shell) => {
    it('prints what is printed of local paths', () => {
      const tree = newTree(shell);
      tree.sh(
        `printf 'A=1\\n' >etc/f; mkdir -p etc/d root/.ssh; ln -s 'a b' etc/l; printf x >'etc/it'"'s"; chown 4034 etc/f`,
      );
      const names = ['f', 'd', 'l', 'none', ...hostile];
      const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Jd7NR4MZ0Ql5nW3tFdVOmgYpX0bZ6HhVqDq1c2u4R`;
      tree.sh(
        `printf 'restrict ${key} a\\n' >root/.ssh/authorized_keys; chmod 666 root/.ssh/authorized_keys`,
      );
      for (const [type, specs] of [
        [file, names.map((name) => ({ file: `/etc/${name}` }))],
        [directory, names.map((name) => ({ directory: `/etc/${name}`, state: 'absent' }))],
        [link, names.map((name) => ({ link: `/etc/${name}` }))],
        [
          line,
          names.flatMap((name) => ['A', "it's"].map((k) => ({ line: `/etc/${name}`, key: k, value: '' }))),
        ],
        [path, names.map((name) => ({ path: `/etc/${name}`, not_empty: true, min_size: 1 }))],
        [sshKey, [{ ssh_key: 'a', user: 'root', key }]],
      ] as const) {
        const near = tree.look(type, specs);
        const far = lookAfar(shell, tree.root, type, specs);
        expect(near.size).toBe(specs.length);
        for (const [identity, seen] of near) expect(far.get(identity)?.text, identity).toBe(seen.text);
      }
    });
  },
);
