import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { scalar } from '../../../src/inventory/node.ts';
import { compileTemplate } from '../../../src/roles/template.ts';

const where = { file: 'inventory/hosts/one.yaml', line: 3, column: 9 };

/** What a person could put into an inventory by accident or on purpose. */
const nasty = [
  'a\nscript: /evil',
  'a\rb',
  'a\r\nb',
  'a\u2028b',
  'a\u0085b',
  'a\u000bb',
  'a\u001b[2Jb',
  '\u007f',
  "'; touch /tmp/owned; '",
  '$(touch /tmp/owned)',
  '`touch /tmp/owned`',
  '"; touch /tmp/owned #',
  '${IFS}x',
  '\\',
  'a\\',
  'a\\ ',
  '%n%i%%',
  ' a ',
  '-oProxyCommand=x',
  '/a b(rw,no_root_squash) *',
  '/a"b',
  '#x',
  "');system('x');#",
  '@{[ `x` ]}',
  '{{title}}',
  '{{constructor}}',
  '{{lookup this "constructor"}}',
  '{{> ../../x}}',
  '{{{line title}}}',
  '__proto__',
  'constructor',
  '</script>',
  'é€😀',
  '',
  '~root',
  '*',
];

/** Texts of all kinds, the same in every run. */
function* many(count: number): Generator<string> {
  let state = 12345;
  const next = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state % limit;
  };
  const alphabet = [
    '\n',
    '\r',
    '\t',
    '\0',
    "'",
    '"',
    '\\',
    '%',
    '$',
    '`',
    ' ',
    '#',
    ';',
    '{{',
    '}}',
    '\u2028',
    'a',
    '-',
    '/',
    'é',
    '\u001b',
    '(',
    '=',
  ];
  for (let made = 0; made < count; made++) {
    yield Array.from({ length: next(8) }, () => alphabet[next(alphabet.length)]).join('');
  }
}

async function render(source: string, value: string): Promise<string | undefined> {
  const template = await compileTemplate('templates/x.hbs', source);
  try {
    return template.render(new Map([['title', scalar(value, where)]]), 'one').text;
  } catch (error) {
    // Refusing is as good as writing it safely, with a message that says where the value is.
    expect(error).toMatchObject({ code: 'input', where });
    return undefined;
  }
}

describe.each(['line', 'sh', 'unit', 'exports', 'perl', 'json'])('{{%s x}}', (format) => {
  test('stays on its line whatever the value is', async () => {
    const template = await compileTemplate('templates/x.hbs', `before\nkey: {{${format} title}}\nafter\n`);
    for (const value of [...nasty, ...many(3000)]) {
      let text: string;
      try {
        text = template.render(new Map([['title', scalar(value, where)]]), 'one').text;
      } catch (error) {
        expect(error).toMatchObject({ code: 'input', where });
        continue;
      }
      const lines = text.split(/[\n\r\v\f\u0085\u2028\u2029]/);
      expect(lines, JSON.stringify(value)).toHaveLength(4);
      expect(lines[0]).toBe('before');
      expect(lines[1]).toMatch(/^key: /);
      expect(lines[2]).toBe('after');
      expect(text).not.toMatch(/[\x00\x1b\x7f]/);
    }
  });
});

test('{{sh x}} is one word of dash, bash and busybox', async () => {
  for (const value of [...nasty, ...many(60)]) {
    const text = await render('{{sh title}}', value);
    if (text === undefined) continue;
    expect(execFileSync('/bin/sh', ['-c', `printf %s ${text}`], { encoding: 'utf8' })).toBe(value);
  }
});

test('{{perl x}} is the same text for perl', async () => {
  for (const value of nasty) {
    const text = await render('{{perl title}}', value);
    if (text === undefined) continue;
    expect(execFileSync('perl', ['-e', `print ${text}`], { encoding: 'utf8' })).toBe(value);
  }
});

test('{{json x}} is read back as the same value', async () => {
  for (const value of [...nasty, ...many(200)]) {
    expect(JSON.parse((await render('{{json title}}', value)) ?? '')).toBe(value);
  }
});

test('{{exports x}} has no blank, quote, comment or parenthesis of its own, and octals give the value back', async () => {
  for (const value of [...nasty, ...many(300)]) {
    const text = await render('{{exports title}}', value);
    if (text === undefined) continue;
    expect(text).toMatch(/^[A-Za-z0-9_./:@*?,[\]=+~%\\-]+$/);
    const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    expect(Buffer.from(bytes, 'latin1').toString('utf8')).toBe(value);
  }
});

test('{{unit x}} doubles % and refuses what systemd would change', async () => {
  expect(await render('{{unit title}}', '50%n')).toBe('50%%n');
  for (const value of ['a\\', ' a', 'a ', 'a\nb'])
    expect(await render('{{unit title}}', value)).toBeUndefined();
});

test('a value that looks like a template is only text', async () => {
  for (const value of ['{{title}}', '{{> ../../x}}', '{{#each this}}x{{/each}}', '{{constructor}}']) {
    expect(await render('{{line title}}', value)).toBe(value);
  }
});
