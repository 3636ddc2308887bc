import { defineRule } from '../rule.ts';

/** What a secret looks like where it should not stand. The text itself is never told. */
const forms: readonly (readonly [RegExp, string, (file: string) => boolean])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'a private key', () => true],
  [/\bsshpass\s+(-p|--password)\b/, 'a password given to sshpass', () => true],
  [
    /^\s*(?:- *)?["']?[\w-]*(?:password|passwd|passphrase|api[_-]?key|secret[_-]?key)["']?\s*[:=]\s*["']?(?!["']?(?:\$\{|\{|\[|null\b|true\b|false\b|#|$))\S/i,
    'a password in clear text',
    (file) => /(^|\/)inventory\//.test(file) || !/\.(hbs|md)$/.test(file),
  ],
];

export const noPlainSecret = defineRule(
  {
    code: 'no-plain-secret',
    level: 'warning',
    about: 'No password and no private key stands in the repository.',
    why: 'Whoever may read the repository, or one copy of it, has it; taking it out later leaves it in the history.',
    compares: ['the lines of inventory, roles and templates', 'what a password or private key looks like'],
  },
  ({ texts }) =>
    (texts ?? []).flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, index) => {
        const found = forms.find(([form, , of]) => of(file) && form.test(line));
        if (found === undefined) return [];
        const [, what] = found;
        return [
          {
            hosts: [],
            about: `file:${file}`,
            message: `${file} holds ${what}`,
            hint: 'change it where it is used, keep the new one with `provision secret set NAME`, and write ${secrets.NAME} here',
            where: { file, line: index + 1, column: 1 },
          },
        ];
      }),
    ),
);
