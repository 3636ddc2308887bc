import { expect, test } from 'vitest';
import { rulesPage } from '../../../src/report/rule-docs.ts';
import { allRules } from '../../../src/site/judge.ts';

test('the page of the rules says what the rules say; stale: `npm run docs`', async () => {
  await expect(rulesPage(allRules)).toMatchFileSnapshot('../../../docs/rules.md');
});
