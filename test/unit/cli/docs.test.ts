import { expect, test } from 'vitest';
import { cliDocs } from '../../../src/cli/docs.ts';
import { program } from '../../../src/cli/program.ts';

test('docs/cli.md says what the program understands; stale: run this test with -u', async () => {
  const root = program('0.0.0', () => async () => {});
  await expect(cliDocs(root)).toMatchFileSnapshot('../../../docs/cli.md');
});
