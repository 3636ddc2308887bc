import { InputErrors, ProvisionError, showWhere } from '../model/errors.ts';
import type { Palette } from './palette.ts';
import { indent } from './paragraphs.ts';
import { plural } from './summary.ts';
import { visible, visibleLine } from './visible.ts';

/** The mistakes behind an error, or null when it is none that a user can put right (a bug of the program). */
export function knownErrors(error: unknown): readonly ProvisionError[] | null {
  if (error instanceof InputErrors) return error.errors;
  return error instanceof ProvisionError ? [error] : null;
}

/** Mistakes as `file:line:column: what`, each with what to do below it. Ends with a line break. */
export function errorText(errors: readonly ProvisionError[], palette: Palette): string {
  const lines = errors.flatMap((error) => oneError(error, palette));
  if (errors.length > 1 && errors.every((error) => error.code === 'input')) {
    lines.push(`${plural(errors.length, 'mistake')}; no host was contacted.`);
  }
  return `${lines.join('\n')}\n`;
}

function oneError({ message, where, host, hint }: ProvisionError, palette: Palette): string[] {
  const place = where ? `${visibleLine(showWhere(where))}: ` : '';
  // The position starts the line: editors and terminals make a link of it.
  const named = host && !message.includes(host) ? `${visibleLine(host)}: ` : '';
  const [first = '', ...more] = visible(message).trimEnd().split('\n');
  return [
    `${palette.strong(place)}${palette.bad('error:')} ${named}${first}`,
    ...indent(more, 4),
    ...(hint ? indent(visible(hint).split('\n'), 4) : []),
  ];
}
