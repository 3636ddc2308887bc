import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { ProvisionError } from '../../../src/model/errors.ts';
import { jsonErrors, jsonReport } from '../../../src/report/json.ts';
import { applyRuns, checkRuns, diffRuns, procedureRuns } from './runs.ts';

const schema = JSON.parse(readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'));
const valid = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(
  schema,
);

describe('the JSON report', () => {
  const documents = {
    diff: jsonReport('diff', 3, diffRuns),
    apply: jsonReport('apply', 4, applyRuns),
    check: jsonReport('check', 4, checkRuns),
    run: jsonReport('run', 4, procedureRuns),
    errors: jsonErrors('diff', 1, [
      new ProvisionError('input', 'unknown key "mod"', { where: { file: 'a.yaml', line: 2, column: 3 } }),
      new ProvisionError('input', 'no such host', { host: 'pve9', hint: 'did you mean pve2?' }),
    ]),
  };
  for (const [name, text] of Object.entries(documents)) {
    test(`${name} is one document, as kept, and as the published schema says`, async () => {
      valid(JSON.parse(text));
      expect(valid.errors ?? []).toEqual([]);
      expect(text).not.toContain('\x1b');
      await expect(text).toMatchFileSnapshot(`../../golden/report/${name}.json`);
    });
  }

  test('the schema refuses what is not there to be relied on', () => {
    const report = JSON.parse(documents.diff);
    expect(valid({ ...report, schema: 2 })).toBe(false);
    expect(valid({ ...report, exit: '3' })).toBe(false);
    expect(valid({ ...report, extra: 1 })).toBe(false);
    delete report.hosts[0].error;
    expect(valid(report)).toBe(false);
  });

  test('numbers are numbers', () => {
    const [host] = JSON.parse(documents.diff).hosts;
    expect(host).toMatchObject({ seconds: 0.421, total: 12, summary: { unknown: 0 } });
  });
});
