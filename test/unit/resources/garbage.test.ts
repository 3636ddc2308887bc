import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { differences } from '../../../src/model/state.ts';
import { resourceTypes } from '../../../src/resources/index.ts';
import { facts } from '../../../src/shell/facts.ts';

const context = { host: 'box', platform: 'linux', live: true } as const;

/** Small, fixed generator: a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** Lines as a confused host might print them: error texts, half words, numbers, nothing, other programs' output. */
function garbage(next: () => number, identity: string): string[] {
  const words = [
    'Segmentation',
    'fault',
    '403',
    '{"error":1}',
    '',
    '-1',
    'NaN',
    'null',
    'timeout',
    'EOF',
    '\u0000',
    '<html>',
    '%s',
    'root',
  ];
  const word = (): string => words[Math.floor(next() * words.length)] ?? '';
  return Array.from(
    { length: Math.floor(next() * 6) },
    () => `${identity}\tzz-${word()}\t${word()} ${word()}`,
  );
}

describe.each(resourceTypes.map((type) => [type.name, type] as const))('%s', (_, type) => {
  const given: unknown = parse(type.example);
  const spec = (given as { template?: string }).template ? { ...(given as object), content: 'x\n' } : given;
  const want = type.want(spec, context);

  it('takes no garbage for an answer: not for "as wanted", and not for "not there"', () => {
    const next = random(7);
    for (let round = 0; round < 500; round += 1) {
      const lines = garbage(next, type.identity(spec));
      const seen = type.read(facts(lines), spec, context);
      if ('unknown' in seen) continue;
      expect({ lines, have: seen.have }).not.toEqual({ lines, have: null });
      expect(differences(want, seen.have), JSON.stringify({ lines, have: seen.have })).not.toEqual([]);
    }
  });
});
