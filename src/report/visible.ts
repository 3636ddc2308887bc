/**
 * What a terminal would obey instead of print: C0 except tab and line break, DEL, C1 (one-byte CSI), zero-width and
 * direction marks (text that reads differently from what it is), Unicode line breaks. A host can put any of these in a
 * file name, an error text or a file's content, and the report is read in a root terminal.
 */
const obeyed =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** Text of several lines from a host, safe to print: control characters as `\x1b`, `\u202e`. Tabs and line breaks stay. */
export function visible(text: string): string {
  return text.replace(obeyed, shown);
}

/** The same for text that must stay on one line: tabs and line breaks are shown too. */
export function visibleLine(text: string): string {
  return visible(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}

/** JSON text that is safe to print as well: JSON itself escapes only C0. Still the same JSON value. */
export function visibleJson(json: string): string {
  return json.replace(obeyed, unicodeEscape);
}

function shown(character: string): string {
  if (character === '\r') return '\\r';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : unicodeEscape(character);
}

function unicodeEscape(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
