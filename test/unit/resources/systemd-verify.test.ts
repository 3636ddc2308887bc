import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { unitValidator } from '../../../src/resources/systemd-verify.ts';

it('writes nothing where there is no place for a copy of the unit', () => {
  const directory = mkdtempSync(join(tmpdir(), 'verify-'));
  writeFileSync(join(directory, 'new'), '[Service]\n');
  // As it would be with UNIT_DIR empty: "/" and this name.
  const name = `${directory.slice(1)}/thing.service`;
  const [, , script = ''] = unitValidator(name, '').argv;
  const stubs = 'mktemp() { return 1; }';
  const { status, stdout } = spawnSync(
    'dash',
    ['-c', `${stubs}\n${script}`, 'sh', name, join(directory, 'new')],
    {
      encoding: 'utf8',
    },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: 'no place for a copy of the unit\n' });
  expect(readdirSync(directory)).toEqual(['new']);
});
