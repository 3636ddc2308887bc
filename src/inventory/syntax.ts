import type { YAMLParseError } from 'yaml';

type Words = readonly [message: string, hint?: string];

/** What the parser's codes mean to a person who has the file open. */
const byCode: Readonly<Record<string, Words>> = {
  TAB_AS_INDENT: ['a tab is used for indentation', 'indent with spaces'],
  BAD_INDENT: [
    'this line is indented differently from its neighbours',
    'line it up with the keys it belongs to',
  ],
  MULTILINE_IMPLICIT_KEY: ['a key goes over several lines', 'check the quotes and brackets just above'],
  MISSING_CHAR: [
    'a quote, bracket or brace opened before this is not closed',
    'close it, or put the text in quotes',
  ],
  MULTIPLE_DOCS: ['a second document starts here', 'one file holds one document: remove the "---"'],
  BAD_ALIAS: ['this is read as an alias', 'put text that starts with * or & in quotes'],
  BAD_SCALAR_START: ['text cannot start with this character', 'put the text in quotes'],
};

/** Message and hint for the parser's complaint. Its codes name what it stumbled over, which is not always what was mistyped. */
export function syntaxWords({ code, message, pos }: YAMLParseError, content: string): Words {
  const [rest = ''] = content.slice(pos[0]).split('\n', 1);
  const hasKey = /:(\s|$)/.test(rest);
  if (code === 'BLOCK_AS_IMPLICIT_KEY') {
    return hasKey
      ? ['a second "key:" on one line', 'put text that holds ": " in quotes']
      : [
          'the next line is indented as if it belonged to this value',
          'line the next line up with the key of this one',
        ];
  }
  const forgotten = code === 'MULTILINE_IMPLICIT_KEY' && !hasKey && !/^["'[{]/.test(rest);
  if (forgotten || /^Implicit map keys/.test(message))
    return ['this is not "key: value"', 'write a colon and a blank behind the key'];
  // Inside brackets it nearly always means that one is not closed, whatever the code.
  return byCode[/^Flow/.test(message) ? 'MISSING_CHAR' : code] ?? [sentence(message)];
}

function sentence(message: string): string {
  const line = message.split('\n')[0] ?? message;
  return `this is not YAML: ${line.charAt(0).toLowerCase()}${line.slice(1)}`;
}
