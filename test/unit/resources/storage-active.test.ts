import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Observed } from '../../../src/model/state.ts';
import { storage_active } from '../../../src/resources/storage-active.ts';
import { parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { hasBusybox, runScript, type ShellName, shells } from './tree.ts';

const context = { host: 'ruapehu', platform: 'pve', live: true } as const;
const folder = mkdtempSync(join(tmpdir(), 'pvesm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is seen of storages when `pvesm` is this program. */
function asked(shell: ShellName, program: string, ...ids: string[]): Observed[] {
  const path = join(folder, 'pvesm');
  writeFileSync(path, `#!/bin/sh\n${program}\n`);
  chmodSync(path, 0o755);
  const specs = ids.map((id) => ({ storage_active: id }));
  const script = observeScript([{ type: storage_active, specs }], { nonce: 'n0nce', root: '/' })
    .replace('PATH=', `PATH=${folder}:`)
    .replace('ask pvesm 30', 'ask pvesm 1');
  const frames = parseFrames(Buffer.from(runScript(shell, script)), 'n0nce');
  const seen = parseFacts(frames.find(({ name }) => name === 'look storage_active')?.bytes ?? Buffer.of());
  return ids.map((id) => {
    const facts = seen.get(id)?.facts;
    const unknown = facts?.get('unknown');
    if (facts === undefined || unknown !== undefined) return { unknown: unknown ?? 'nothing was printed' };
    return storage_active.read(facts, { storage_active: id }, context);
  });
}

const table = `cat <<'END'
Name               Type     Status           Total            Used       Available        %
local               dir     active        98497780        15437512        78010720   15.67%
nas-a               nfs   inactive               0               0               0    0.00%
nas-b               nfs   inactive               0               0               0    0.00%
old                 pbs   disabled               0               0               0      N/A
END`;

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('pvesm status on %s', (shell) => {
  it('gives each storage its status, and its own complaint, whatever the exit code', () => {
    const program = `echo "storage 'nas-a' is not online" >&2; echo "nas-b: mount error" >&2; echo 'something else' >&2\n${table}`;
    expect(asked(shell, program, 'local', 'nas-a', 'nas-b', 'old', 'gone')).toMatchObject([
      { have: { status: 'active' } },
      { have: { status: 'inactive', says: "storage 'nas-a' is not online\nsomething else" } },
      { have: { status: 'inactive', says: 'nas-b: mount error\nsomething else' } },
      { have: { status: 'disabled' } },
      { have: { status: 'absent' } },
    ]);
  });

  it('says of one what it says of it among others', () => {
    const program = `echo "storage 'nas-a' is not online" >&2\n${table}`;
    expect(asked(shell, program, 'nas-b')).toEqual(asked(shell, program, 'nas-a', 'nas-b').slice(1));
  });

  it.each([
    ['exec sleep 60', 'no answer in 30 s: a storage of this node hangs'],
    ["echo 'file /etc/pve/storage.cfg line 3 (skip section)' >&2; exit 255", 'storage.cfg line 3'],
    [':', 'pvesm status ended with 0'],
  ])('%s is no answer', (program, reason) => {
    expect(asked(shell, program, 'nas-a')).toMatchObject([{ unknown: expect.stringContaining(reason) }]);
  });
});

describe('storage_active', () => {
  const told = (have: Record<string, string>) =>
    (storage_active.symptoms?.({ have }, { storage_active: 'nas-a' } as never) ?? []).map(
      ({ code, of }) => `${code} ${of}`,
    );

  it('is a symptom of the storage while it is inactive, by what it complains of', () => {
    expect(told({ status: 'inactive' })).toEqual(['storage-inactive storage:nas-a']);
    expect(told({ status: 'inactive', says: "fingerprint '8F:6D' not verified, abort!" })).toEqual([
      'fingerprint storage:nas-a',
    ]);
    expect([...told({ status: 'disabled' }), ...told({ status: 'active' })]).toEqual([]);
  });
});
