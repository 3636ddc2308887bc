import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { InputErrors, type ProvisionError } from '../../../src/model/errors.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { shipped } from './fleet.ts';

const inventory = mkdtempSync(join(tmpdir(), 'pve-storage-'));
afterAll(() => rmSync(inventory, { recursive: true }));

/** What is told of one storage, as written in a host file on a line of its own for each key. */
async function told(storage: object): Promise<string[]> {
  mkdirSync(join(inventory, 'hosts'), { recursive: true });
  writeFileSync(join(inventory, 'site.yaml'), stringify({ site: 'lab', groups: ['all'] }));
  const vars = { 'pve-storage': { storages: [storage] } };
  const connection = { session: 'ssh', address: '10.10.0.9' };
  const text = stringify({ host: 'pve1', platform: 'pve', connection, roles: ['pve-storage'], vars });
  writeFileSync(join(inventory, 'hosts/pve1.yaml'), text);
  try {
    await expandHost(await shipped(inventory), 'pve1');
    return [];
  } catch (error) {
    if (!(error instanceof InputErrors)) throw error;
    return error.errors.map((one) => show(one, text));
  }
}

/** The line that is blamed, the message, the hint. */
function show({ where, message, hint }: ProvisionError, text: string): string {
  const line = where?.file.endsWith('pve1.yaml') ? text.split('\n')[where.line - 1]?.trim() : where?.file;
  return `${line} | ${message} | ${hint}`;
}

const nas = { id: 'nas', type: 'nfs', content: ['backup'], server: 'nas.lan', export: '/bu' };
const { content: _, ...without } = nas;

test('a whole one is accepted', async () => {
  expect(await told(nas)).toEqual([]);
  expect(await told({ id: 'nas', state: 'absent' })).toEqual([]);
});

test.each([
  [{ ...nas, id: 'a' }, /^- id: a \|.*skips a section with another id/],
  [without, /^- id: nas \| "content" is missing.*images only for nfs/],
  [{ ...nas, content: ['backups'] }, /^- backups \|.*did you mean "backup".*drops a list with a word/],
  [{ ...nas, disable: 'yes' }, /^disable: yes \|.*only 0 and 1 are understood.*stays enabled/],
  [{ ...nas, options: 'vers=4.2, soft' }, /^options: vers=4.2, soft \|.*mounts without options/],
  [{ ...nas, maxfiles: 3 }, /^maxfiles: 3 \|.*Proxmox VE 9 ignores it and keeps everything/],
  [
    { ...nas, prune_backups: { 'keep-lst': 3 } },
    /^keep-lst: 3 \|.*did you mean "keep-last".*keeps everything/,
  ],
  [{ ...nas, prune_backups: { 'keep-last': 0 } }, /keep-last: 0 \|.*zeros only.*"keep everything"/],
  [{ ...nas, fingerprint: 'AB' }, /^fingerprint: AB \|.*only certificates of known authorities/],
  [{ ...nas, type: 'pbs' }, /^type: pbs \|.*requires "datastore".*every later change of storage.cfg fails/],
  [{ ...nas, pool: 'rpool' }, /^pool: rpool \|.*is no key of the type nfs/],
  [{ ...nas, id: 'local' }, /^type: nfs \|.*"local" is always a dir/],
])('%j is refused with its line and what Proxmox would make of it', async (storage, message) => {
  const found = await told(storage);
  expect(
    found.some((one) => message.test(one)),
    found.join('\n'),
  ).toBe(true);
});
