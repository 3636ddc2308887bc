import type { Node } from './node.ts';

/** What was found, for a message: kinds for lists and maps, the text itself for the rest, dots for secrets. */
export function found(node: Node): string {
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return node.entries.size === 0 ? 'an empty map' : 'a map';
  if (node.secrets !== undefined) return 'a secret';
  if (node.value === null) return 'nothing';
  if (typeof node.value === 'string') return shown(node.value);
  return `the ${typeof node.value === 'number' ? 'number' : 'value'} ${node.value}`;
}

/** A string in quotes with control characters made visible, cut to a length that fits a message. */
export function shown(value: string): string {
  const cut = value.length > 60 ? `${value.slice(0, 60)}...` : value;
  return JSON.stringify(cut).replace(
    /[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `did you mean "x"?` for a word that is close to one of the choices, else undefined. */
export function didYouMean(word: string, choices: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.min(3, Math.floor(word.length / 3))) + 1;
  for (const choice of choices) {
    const steps = distance(word.slice(0, 64).toLowerCase(), choice.toLowerCase());
    if (steps >= least) continue;
    best = choice;
    least = steps;
  }
  return best === undefined ? undefined : `did you mean "${best}"?`;
}

/** `a, b, c` or, for long lists, the first of them and how many more. */
export function listed(words: readonly string[]): string {
  if (words.length === 0) return 'none';
  if (words.length <= 24) return words.join(', ');
  return `${words.slice(0, 24).join(', ')} and ${words.length - 24} more`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
