import { ProvisionError } from '../model/errors.ts';

/**
 * Quotes a string for POSIX sh: dash, bash, busybox ash. Single quotes only, because `$'...'` (what zx emits) is a
 * bash word that dash runs as text. NUL cannot be held by any shell variable or argument, so it is refused, never dropped.
 */
export function quote(value: string): string {
  if (value.includes('\0'))
    throw new ProvisionError('input', 'a value holds a NUL byte, which no shell can carry');
  if (/^[A-Za-z0-9_./:@%+,-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
