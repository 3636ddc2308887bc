import { isSecret } from '../inventory/secret.ts';
import { shown } from '../inventory/wording.ts';
import { quote } from '../shell/quote.ts';

/** Line breaks of any kind, and what terminals and parsers act on. */
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;

/** One way of writing a value into a file. Throws a plain Error when the format cannot hold it. */
export type Format = (value: string) => string;

/** The formats by the name of their template helper. A value reaches a file through one of these or not at all. */
export const formats: Readonly<Record<string, Format>> = {
  line,
  sh: shellWord,
  unit,
  exports: exportsWord,
  perl,
};

/** Text for one line of a file. */
function line(value: string): string {
  refuse(value, control, 'a control character or line break, which one line cannot hold');
  return value;
}

/** One word of a shell script. Line breaks are refused although quotes could hold them: a comment or a `key: value` could not. */
function shellWord(value: string): string {
  refuse(value, /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]/, 'a control character or line break');
  return quote(value);
}

/** A value in a systemd unit: `%` starts a specifier there, a backslash at the end joins the next line, outer blanks are cut. */
function unit(value: string): string {
  refuse(value, control, 'a control character or line break, which a unit cannot hold');
  refuse(value, /\\$/, 'a backslash at the end, which would join the next line to it');
  refuse(value, /^\s|\s$/, 'a blank at its start or end, which systemd would cut off');
  return value.replaceAll('%', '%%');
}

/** A path or client of /etc/exports: anything but plain characters as \ooo. */
function exportsWord(value: string): string {
  refuse(value, control, 'a control character or line break, which /etc/exports cannot hold');
  refuse(value, /^-/, 'a hyphen at its start, which would be read as options');
  refuse(value, /^$/, 'nothing at all');
  return Array.from(Buffer.from(value, 'utf8'), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_./:@*?,[\]=+~%-]/.test(character)
      ? character
      : `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

/** A Perl string in single quotes: nothing in it is interpolated. */
function perl(value: string): string {
  refuse(value, control, 'a control character or line break');
  return `'${value.replace(/[\\']/g, '\\$&')}'`;
}

/** JSON on one line. Secrets are revealed through `reveal`, so that the caller learns of them. */
export function json(value: unknown, reveal: (secret: unknown) => string): string {
  const text = JSON.stringify(open(value, reveal)) ?? 'null';
  return text.replace(
    /[\x7f-\x9f\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Secrets refuse JSON, so they are replaced before; maps become bare ones. */
function open(value: unknown, reveal: (secret: unknown) => string): unknown {
  if (isSecret(value)) return reveal(value);
  if (Array.isArray(value)) return value.map((item) => open(item, reveal));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, open(item, reveal)]));
}

function refuse(value: string, pattern: RegExp, problem: string): void {
  if (!pattern.test(value)) return;
  throw new Unfit(`%s holds ${problem}`, shown(value));
}

/** A value that a format cannot hold. `%s` in the message stands for the value, which may be a secret. */
export class Unfit extends Error {
  readonly value: string;

  constructor(message: string, value: string) {
    super(message);
    this.name = 'Unfit';
    this.value = value;
  }
}
