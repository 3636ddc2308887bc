import { expect, test } from 'vitest';
import { printable } from '../../../src/remote/printable.ts';

test('what a host says cannot drive the terminal', () => {
  expect(printable('a\x1b]52;c;AAAA\x07b\r\nc\x9b2J ')).toBe('a ]52;c;AAAA b c 2J');
  expect(printable('ü ✓')).toBe('ü ✓');
  expect(printable('x'.repeat(9000))).toHaveLength(500);
});
