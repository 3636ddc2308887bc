import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/model/finding.ts';
import { rules } from '../../../src/site/rules/index.ts';
import { cases, fleet } from './cases.ts';
import { pictureOf, type World } from './world.ts';

function foundBy(code: string, world: World): readonly Finding[] {
  return rules.find((rule) => rule.code === code)?.judge(pictureOf(world)) ?? [];
}

/** What is compared with the absence of something, or with a line of the same entry, has one place only. */
const alone =
  /is for the token|no enabled backup job|lacks 3 copies|holds a database|2 known copies|which is not on its mount|holds a p/;

test('every rule has cases, and none that is no rule', () => {
  expect(Object.keys(cases).sort()).toEqual(rules.map(({ code }) => code).sort());
});

test('where everything fits, no rule finds anything', () => {
  expect(rules.flatMap(({ code }) => foundBy(code, fleet))).toEqual([]);
});

describe.each(Object.entries(cases))('%s', (code, { world, breaks, fits = {} }) => {
  test('fits', () => {
    expect(foundBy(code, world)).toEqual([]);
  });

  test.each(Object.entries(fits))('fits: %s', (_, changed) => {
    expect(foundBy(code, changed).map(({ message }) => message)).toEqual([]);
  });

  test.each(Object.entries(breaks))('does not fit: %s', (_, [changed, expected]) => {
    const found = foundBy(code, changed);
    expect(found.map(({ about, message }) => [about, message])).toEqual(
      expected.map(([about, message]) => [about, expect.stringMatching(message)]),
    );
    for (const { rule, hosts, where, against, hint, message } of found) {
      expect(rule).toBe(code);
      expect(hosts.every((name) => Object.hasOwn(changed.hosts, name))).toBe(true);
      expect(where, 'the first place').toBeDefined();
      if (!alone.test(message)) expect(against, `the second place of: ${message}`).toBeDefined();
      expect(hint).not.toBe('');
    }
  });
});

test('a rule is one level, says what it is about and what it compares', () => {
  for (const { code, about, why, compares } of rules) {
    expect(code).toMatch(/^[a-z][a-z0-9-]*$/);
    expect([about, why].every((text) => /^\S.*\.$/.test(text))).toBe(true);
    expect(new Set(compares).size).toBe(2);
  }
});
