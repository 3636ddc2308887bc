import type { ProvisionError } from '../model/errors.ts';

/** By file, line and column; the same mistake of several hosts (a line of a group) once. */
export function sortMistakes(mistakes: readonly ProvisionError[]): ProvisionError[] {
  const place = (error: ProvisionError) => error.where ?? { file: '', line: 0, column: 0 };
  const sorted = [...mistakes].sort((a, b) => {
    const [x, y] = [place(a), place(b)];
    if (x.file !== y.file) return x.file < y.file ? -1 : 1;
    return x.line - y.line || x.column - y.column;
  });
  const seen = new Set<string>();
  return sorted.filter((error) => {
    const { file, line, column } = place(error);
    const key = `${file}:${line}:${column} ${error.message}`;
    return !seen.has(key) && seen.add(key);
  });
}
