import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { line } from '../../../src/resources/line.ts';
import { hasBusybox, newTree, shells } from './tree.ts';

const x = '/etc/x';

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('line on %s', (shell) => {
  it.each([
    ['appends', { key: 'A', value: '1' }, 'B=2\n', 'B=2\nA=1\n'],
    ['appends to an empty file', { key: 'A', value: '1' }, '', 'A=1\n'],
    ['appends after a line without end', { key: 'A', value: '1' }, 'B=2', 'B=2\nA=1\n'],
    ['replaces in place', { key: 'A', value: '1' }, '# c\nA=0\nB=2\n', '# c\nA=1\nB=2\n'],
    ['keeps a missing end', { key: 'A', value: '1' }, 'B=2\nA=0', 'B=2\nA=1'],
    ['keeps CRLF', { key: 'A', value: '1' }, 'B=2\r\nA=0\r\n', 'B=2\r\nA=1\r\n'],
    ['appends with CRLF', { key: 'A', value: '1' }, 'B=2\r\nC', 'B=2\r\nC\r\nA=1\r\n'],
    ['leaves a commented line', { key: 'A', value: '1' }, '#A=0\n', '#A=0\nA=1\n'],
    ['keeps one of several', { key: 'A', value: '1' }, 'A=1\nB=2\nA=1\nC\n', 'B=2\nA=1\nC\n'],
    ['lets the last decide', { key: 'A', value: '3' }, 'A=3\nB=2\nA=1\n', 'B=2\nA=3\n'],
    ['is not fooled by a longer key', { key: 'A', value: '1' }, 'AA=0\nA_B=0\n', 'AA=0\nA_B=0\nA=1\n'],
    ['knows blanks around the separator', { key: 'a', value: '1', separator: ' = ' }, '  a=0\n', '  a = 1\n'],
    ['writes key: value', { key: 'mode', value: 'stop', separator: ': ' }, 'mode: x\n', 'mode: stop\n'],
    [
      'writes key value',
      { key: 'Port', value: '22', separator: ' ' },
      'Port\t21\nPortX 2\n',
      'Port 22\nPortX 2\n',
    ],
    ['writes an empty value', { key: 'A', value: '' }, 'A=1\n', 'A=\n'],
    ['keeps a comment behind', { key: 'A', value: '1', comment: '#' }, 'A=0  # why\n', 'A=1  # why\n'],
    ['removes all', { key: 'A', separator: '=', state: 'absent' }, 'A=1\nB=2\nA=3\n', 'B=2\n'],
    ['removes the only line', { key: 'A', separator: '=', state: 'absent' }, 'A=1\n', ''],
    ['adds a whole line', { key: 'tmpfs /x  tmpfs' }, 'a\n', 'a\ntmpfs /x  tmpfs\n'],
    ['removes a whole line', { key: 'b b', state: 'absent' }, 'a\nb b\nb b c\n', 'a\nb b c\n'],
    ['takes a pattern as text', { key: '.*[', value: '\\1&' }, 'a=b\n', 'a=b\n.*[=\\1&\n'],
    ['takes shell text as text', { key: '$(id)', value: "'`id`' \\n %s" }, 'a\n', "a\n$(id)='`id`' \\n %s\n"],
    ['takes other alphabets', { key: 'größe', value: '日本' }, 'größe=1\n', 'größe=日本\n'],
    ['takes a dash in front', { key: '-e', value: '-n' }, '', '-e=-n\n'],
    ['takes numbers as text', { key: '1', value: '01' }, '1=1\n01=1\n', '1=01\n01=1\n'],
    ['makes the file when told so', { key: 'A', value: '1', create: true }, null, 'A=1\n'],
  ] as const)('%s', (_, rest, before, after) => {
    const tree = newTree(shell);
    const spec = { line: x, ...rest };
    if (before !== null) writeFileSync(tree.path(x), before, { mode: 0o640 });
    expect(tree.refuse(line, spec)).toBeNull();
    expect(tree.apply(line, spec)).toEqual({ ok: true, said: '' });
    expect(readFileSync(tree.path(x), 'utf8')).toBe(after);
    expect(statSync(tree.path(x)).mode & 0o777).toBe(before === null ? 0o644 : 0o640);
    expect(tree.differs(line, spec)).toEqual([]);
    expect(tree.apply(line, spec).said).toBe('as wanted');
  });

  it('has nothing to do for a value that is there with other blanks or a comment', () => {
    const tree = newTree(shell);
    writeFileSync(tree.path(x), '\tA =  1 2 \r\nB=a#b # c\n');
    expect(tree.differs(line, { line: x, key: 'A', value: '1 2' })).toEqual([]);
    expect(tree.have(line, { line: x, key: 'B', value: '', comment: '#' })).toEqual({
      value: 'a#b',
      lines: 1,
    });
  });

  it('reads several files and keys in one go, each as if it were alone', () => {
    const tree = newTree(shell);
    writeFileSync(tree.path(x), 'A=1\nA=2\nwhole line\n');
    tree.sh('printf "k v\\n" >"etc/a=b c"; mkdir etc/d; ln -s x etc/l; mkfifo etc/p');
    const specs = [
      { line: x, key: 'A', value: '3' },
      { line: x, key: 'whole line' },
      { line: x, key: 'none', value: '' },
      { line: '/etc/a=b c', key: 'k', value: 'v', separator: ' ' },
      ...['d', 'l', 'p', 'none', 'x/below'].map((name) => ({ line: `/etc/${name}`, key: 'A', value: '1' })),
      { line: '/etc/none', key: 'B', value: '1', create: true },
    ];
    const together = tree.look(line, specs);
    for (const spec of specs) {
      const alone = tree.look(line, [spec]).get(line.identity(spec))?.text;
      expect(alone, line.identity(spec)).toBeDefined();
      expect(together.get(line.identity(spec))?.text).toBe(alone);
    }
    expect(tree.have(line, specs[3])).toEqual({ value: 'v', lines: 1 });
  });

  it('refuses what is not a file, and what it could not write', () => {
    const tree = newTree(shell);
    tree.sh('mkdir etc/d; ln -s x etc/l; mkfifo etc/p');
    const refuse = (spec: object) => tree.refuse(line, { key: 'A', value: '1', ...spec });
    expect(refuse({ line: '/etc/none' })).toMatch(/does not exist; say `create: true`/);
    expect(refuse({ line: '/etc/d' })).toMatch(/is a directory/);
    expect(refuse({ line: '/etc/l' })).toMatch(/symbolic link/);
    expect(refuse({ line: '/etc/p' })).toMatch(/special file/);
    expect(refuse({ line: '/etc/none', create: true, value: 'a # b', comment: '#' })).toMatch(
      /starts a comment/,
    );
    expect(tree.apply(line, { line: '/etc/none', key: 'A', value: '1' }).said).toMatch(/does not exist/);
    expect(tree.have(line, { line: '/etc/none', key: 'A', separator: '=', state: 'absent' })).toBeNull();
  });

  it('sends the value by file only: it may be a secret', () => {
    const spec = { line: x, key: 'password', value: 'hunter2' };
    const change = {
      spec,
      have: null,
      want: { value: 'hunter2', lines: 1 },
      differs: ['value'],
      context: newTree(shell).context,
    };
    for (const step of line.steps(change)) expect(step.run.text).not.toMatch(/hunter2/);
    expect(line.observe([spec]).text).not.toMatch(/hunter2/);
  });
});

it('does not edit a file on a Synology share, which would lose its ACL', () => {
  const tree = newTree('dash', { platform: 'synology' });
  tree.sh('mkdir -p volume1/share; echo a=1 >volume1/share/x; echo a=1 >etc/x');
  expect(tree.refuse(line, { line: '/volume1/share/x', key: 'a', value: '2' })).toMatch(/ACL/);
  expect(tree.refuse(line, { line: x, key: 'a', value: '2' })).toBeNull();
});
