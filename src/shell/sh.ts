import { createHash } from 'node:crypto';
import type { Blob, Sh } from '../model/sh.ts';
import { quote } from './quote.ts';

type ShValue = string | number | Sh | Blob | readonly string[];

/**
 * The only maker of shell text. `${}` takes a string (quoted), a number, a list of strings (each quoted),
 * other shell text (inserted), or a blob (the quoted path of its staged file on the host).
 */
export function sh(strings: TemplateStringsArray, ...values: ShValue[]): Sh {
  let text = strings[0] ?? '';
  const blobs: Blob[] = [];
  values.forEach((value, index) => {
    const piece = render(value);
    text += piece.text + (strings[index + 1] ?? '');
    blobs.push(...piece.blobs);
  });
  return { text, blobs };
}

/** Joins pieces with line breaks. */
export function lines(pieces: readonly Sh[]): Sh {
  return {
    text: pieces.map((piece) => piece.text).join('\n'),
    blobs: pieces.flatMap((piece) => piece.blobs),
  };
}

/** An absolute path of the host, relative to the working directory: the same text serves / and a tree of a `root` session. */
export function at(path: string): Sh {
  return { text: quote(`.${path}`), blobs: [] };
}

/** Several paths, see `at`. */
export function atAll(paths: readonly string[]): Sh {
  return { text: paths.map((path) => at(path).text).join(' '), blobs: [] };
}

export function blob(content: string | Buffer): Blob {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  return { bytes, hash: sha256(bytes) };
}

/** sha256 as lower-case hex, of the UTF-8 bytes of a string. */
export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function render(value: ShValue): Sh {
  if (typeof value === 'string') return { text: quote(value), blobs: [] };
  if (typeof value === 'number') return { text: numeral(value), blobs: [] };
  if ('hash' in value) return { text: `"$STAGE/${value.hash}"`, blobs: [value] };
  if ('text' in value) return value;
  return { text: value.map(quote).join(' '), blobs: [] };
}

function numeral(value: number): string {
  if (!Number.isSafeInteger(value)) throw new TypeError(`not a whole number for a shell: ${value}`);
  return String(value);
}
