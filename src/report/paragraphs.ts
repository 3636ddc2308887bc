import type { Palette } from './palette.ts';

/** How the report for people is written. */
export interface TextOptions {
  readonly palette: Palette;
  /** Also what is as wanted, whole text diffs, steps, roles and lines of the files things come from. */
  readonly verbose: boolean;
}

/** Every line moved to the right; empty lines stay empty. */
export function indent(lines: readonly string[], by = 2): string[] {
  return lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line));
}
