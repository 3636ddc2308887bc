import { expect, test } from 'vitest';
import { start } from '../../../src/cli/start.ts';
import { screen } from '../cli/screen.ts';

test('what the rules find in the example inventory, as it is kept', async () => {
  const terminal = screen();
  const exit = await start(['rules'], terminal);
  expect(terminal.printed.err).toBe('');
  await expect(`${terminal.printed.out}exit ${exit}\n`).toMatchFileSnapshot('../../golden/rules/example.txt');
});
