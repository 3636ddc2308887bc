import { expect, test } from 'vitest';
import { unmet } from '../../../src/engine/unmet.ts';

test.each([
  ['nothing differs', { exit: 0 }, { exit: 0, stdout: 'chatter' }, []],
  [
    'what a failing command printed is told',
    { exit: 0 },
    { exit: 1, stderr: 'away', stdout: 'guest 111 is down' },
    ['exit: want 0, have 1', 'it said: away', 'it said: guest 111 is down'],
  ],
  [
    'output that was compared is not told twice',
    { exit: 0, stdout: 'yes' },
    { exit: 1, stdout: 'no' },
    ['exit: want 0, have 1', 'stdout: want "yes", have "no"'],
  ],
  [
    'what could not be seen because of another reason is left out',
    { mounted: true, source: 'nas:/bu', answers: 'yes' },
    { mounted: false },
    ['mounted: want true, have false'],
  ],
  ['a property that nothing was seen of', { mounted: true }, {}, ['mounted: want true, have nothing']],
  ['absence', { type: 'file', mode: '0644' }, null, ['/etc/x is not there']],
  ['presence of what must not be', null, { type: 'file' }, ['type: want nothing, have "file"']],
] as const)('%s', (_name, want, have, reasons) => {
  expect(unmet('/etc/x', want, have, false)).toEqual(reasons);
});

test('long texts are cut', () => {
  const [reason = ''] = unmet('x', { stdout: '' }, { stdout: 'x'.repeat(60_000) }, false);
  expect(reason.length).toBeLessThan(2000);
  expect(reason).toContain('more characters');
});

test('nothing of a secret is told', () => {
  const reasons = unmet(
    'x',
    { exit: 0, stdout: 'secret one' },
    { exit: 1, stdout: 'secret two', stderr: 'secret three' },
    true,
  );
  expect(reasons.length).toBe(2);
  expect(reasons.join()).not.toContain('secret');
});
