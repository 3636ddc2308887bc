import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { provision, siteWith, told } from './fixture.ts';

/** What a file on a host can hold, and what a terminal would do with it. */
const contents: Record<string, Buffer> = {
  binary: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 0xff, 0xfe, 10]),
  crlf: Buffer.from('one\r\ntwo\r\n'),
  latin1: Buffer.from('Gr\xfc\xdfe\n', 'latin1'),
  bom: Buffer.from('\ufefftext\n'),
  huge: Buffer.alloc(20 * 1024 * 1024, 'a line of a huge file\n'),
  long: Buffer.alloc(200_000, 'x'),
  clear: Buffer.from('\x1b[2J\x1b[H all gone\n'),
  title: Buffer.from('\x1b]0;owned\x07\n'),
  clipboard: Buffer.from('\x1b]52;c;cm0gLXJmIC8=\x07\n'),
  eightbit: Buffer.from('\u009b31m\u009d52;c;eA==\u009c\n'),
  backwards: Buffer.from('admin \u202etxt.exe\u202c\n'),
  bell: Buffer.from('\x07\x08\x08\x08\x0e\x7f\n'),
  empty: Buffer.alloc(0),
};
const formats = ['text', 'json', 'junit', 'tap'];

describeLab('F30 F31 what lies on a host in place of a managed file', () => {
  let host: LabHost;
  let cwd: string;
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    for (const [name, bytes] of Object.entries(contents)) await host.writeFile(`/etc/faults/${name}`, bytes);
    cwd = siteWith(
      [host],
      Object.keys(contents).map((name) => ({ file: `/etc/faults/${name}`, content: 'mine\n' })),
    );
  });
  afterAll(stopAll);

  test('F30 diff shows all of it safely, in every format', async () => {
    for (const format of formats) {
      for (const more of [[], ['-v'], ['--color', 'always']]) {
        const diff = await provision(cwd, ['diff', '--format', format, ...more]);
        expect(diff.code).toBe(2);
        expect(diff.stdout.length).toBeLessThan(400_000);
        const own = more.includes('always') ? /\x1b\[[0-9;]*m/g : /$^/;
        expect(diff.stdout.replace(own, '')).not.toMatch(
          /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffd]/,
        );
        expect(diff.stderr).toBe('');
      }
    }
  });

  test('F30 what is text is shown as text, the rest by its hash', async () => {
    const { stdout } = await provision(cwd, ['diff', '-v']);
    expect(stdout).toContain('one\\r');
    expect(stdout).toContain('\\x1b]52;c;cm0gLXJmIC8=\\x07');
    expect(stdout).toContain('\\x1b[2J');
    const whole = await provision(cwd, ['diff', '--format', 'json']);
    const changes = JSON.parse(whole.stdout).hosts[0].changes as { id: string; text?: string | null }[];
    const texts = new Map(changes.map(({ id, text }) => [id.replace('file:/etc/faults/', ''), text ?? null]));
    for (const name of ['binary', 'latin1', 'huge']) expect(texts.get(name), name).toBeNull();
    for (const name of ['crlf', 'bom', 'empty', 'clear']) expect(texts.get(name), name).toContain('+mine');
    for (const { id } of changes) expect(stdout).toContain(id);
  });

  test('F30 F31 messages of a validator that the host wrote are as safe', async () => {
    const evil = "printf '\\033]52;c;eA==\\007\\n\\302\\2332J %s\\n' gone >&2; exit 3";
    const bad = siteWith(
      [host],
      [{ file: '/etc/faults/empty', content: 'mine\n', verify: ['sh', '-c', evil, '{file}'] }],
    );
    for (const format of formats) {
      const diff = await provision(bad, ['diff', '--format', format]);
      expect(diff.code).toBe(5);
      expect(diff.stdout).toContain('gone');
      expect(diff.stdout).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }
  });

  test('F30 apply replaces every one of them, and keeps the old ones to the byte', async () => {
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(told(await provision(cwd, ['diff']))).toContain('exit 0');
    const list = await host.sh('cat /var/lib/provision/runs/*/kept/list');
    for (const [name, bytes] of Object.entries(contents)) {
      const number = new RegExp(`^(\\S+)\\t/etc/faults/${name}$`, 'm').exec(list)?.[1];
      const found = await host.exec([
        'sh',
        '-c',
        'sha256sum /var/lib/provision/runs/*/kept/"$1" | cut -c 1-64',
        'sh',
        number ?? '',
      ]);
      expect(found.stdout.trim(), name).toBe(createHash('sha256').update(bytes).digest('hex'));
    }
  });

  test('F30 names that are hard to print', async () => {
    const dir = '/etc/faults/names';
    await host.sh(`mkdir -p ${dir}`);
    const names = [
      "it's",
      'a b',
      '$(touch pwned)',
      '`id`',
      '-rf',
      'näme',
      'x'.repeat(250),
      '"quoted"',
      'tab',
      '{file}',
      '%s%n',
      '*',
    ];
    const odd = siteWith(
      [host],
      names.map((name) => ({ file: `${dir}/${name}`, content: `${name}\n` })),
    );
    expect(told(await provision(odd, ['apply', '--yes']))).toContain('exit 0');
    expect((await provision(odd, ['diff'])).code).toBe(0);
    for (const name of names) expect(await host.readFile(`${dir}/${name}`)).toBe(`${name}\n`);
    expect((await host.sh(`ls -A ${dir} | wc -l`)).trim()).toBe(String(names.length));
  });
});
