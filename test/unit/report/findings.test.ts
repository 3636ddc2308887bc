import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/model/finding.ts';
import { jsonReport } from '../../../src/report/json.ts';
import { junitReport } from '../../../src/report/junit.ts';
import { palette } from '../../../src/report/palette.ts';
import { tapReport } from '../../../src/report/tap.ts';
import { textReport } from '../../../src/report/text.ts';
import { checked, run } from './runs.ts';

const plain = { palette: palette(false), verbose: false };
const golden = (name: string) => `../../golden/report/${name}`;

const runs = [
  run('ruapehu', {
    checks: [
      checked(
        'pve-storage/active',
        'fail',
        'status: want "active", have "inactive"\nit says: no route to host',
      ),
    ],
  }),
  run('pbs', { checks: [checked('pbs/handles', 'pass')] }),
];

const findings: readonly Finding[] = [
  {
    rule: 'stale-nfs-handles',
    level: 'warning',
    hosts: ['pbs', 'ruapehu', 'pihanga'],
    suspect: 'pbs:pbs',
    message:
      'the datastore pbs-datastore of pbs is there and answers, but the daemons hold handles of another one',
    hint: 'restart the backup server: its mount is proven healthy first, and no task is cut off',
    procedure: 'provision run pbs/restart-stale --host pbs',
  },
  {
    rule: 'own-trouble',
    level: 'warning',
    hosts: ['nas1'],
    message: 'dataset:tank/x: odd',
    hint: 'see the checks of nas1',
  },
];

describe('what hosts show together', () => {
  test('stands in every format as kept', async () => {
    await expect(textReport('check', runs, plain, findings)).toMatchFileSnapshot(golden('findings.txt'));
    await expect(jsonReport('check', 4, runs, findings)).toMatchFileSnapshot(golden('findings.json'));
    await expect(junitReport('check', runs, findings)).toMatchFileSnapshot(golden('findings.junit.xml'));
    await expect(tapReport('check', runs, findings)).toMatchFileSnapshot(golden('findings.tap'));
  });

  test('is as the published schema says', () => {
    const text = readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8');
    const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
    const valid = ajv.compile(JSON.parse(text));
    const report = JSON.parse(jsonReport('check', 4, runs, findings));
    valid(report);
    expect(valid.errors ?? []).toEqual([]);
    delete report.findings[0].suspect;
    expect(valid(report)).toBe(false);
  });

  test('is red only beside a host that is: the exit code does not come from it', () => {
    const tap = tapReport('check', runs, findings);
    expect(tap).toContain('not ok 3 - across hosts stale-nfs-handles pbs:pbs');
    expect(tap).toContain('ok 4 - across hosts own-trouble nas1 \\# SKIP'.replace('\\#', '#'));
  });

  test('obeys nothing that a host says', () => {
    const evil = 'a\x1b]0;x\x07\x1b[2J\u009b31m\x08\rb\u202e\u2028c\u0000\u007f';
    const bad: Finding = {
      rule: 'own-trouble',
      level: 'warning',
      hosts: [evil],
      suspect: evil,
      message: evil,
      hint: evil,
      procedure: evil,
    };
    const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/u;
    for (const text of [
      textReport('check', runs, plain, [bad]),
      jsonReport('check', 4, runs, [bad]),
      junitReport('check', runs, [bad]),
      tapReport('check', runs, [bad]),
    ])
      expect(text).not.toMatch(obeyed);
  });
});
