import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { start } from '../../../src/cli/start.ts';
import { screen } from '../cli/screen.ts';
import { type Step, steps, unsaid } from './blocks.ts';

const page = steps(readFileSync('docs/fleet.md', 'utf8'));
const site = mkdtempSync(join(tmpdir(), 'provision-fleet-'));
afterAll(() => rmSync(site, { recursive: true, force: true }));
for (const part of ['roles', 'templates']) cpSync(part, join(site, part), { recursive: true });
for (const step of page) if (step.kind === 'file') write(step.path, step.text);

function write(path: string, text: string): void {
  mkdirSync(dirname(join(site, path)), { recursive: true });
  writeFileSync(join(site, path), text);
}

async function typed(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = screen();
  const code = await start(['--inventory', join(site, 'inventory'), ...argv], terminal);
  return { code, ...terminal.printed };
}

test('the site of the page can be read, and has the one warning that the page tells of', async () => {
  const { code, out, err } = await typed('rules', '--format', 'json');
  expect(err).toBe('');
  expect(code).toBe(0);
  const { rules } = JSON.parse(out);
  const found = rules.flatMap((one: { rule: string; findings: readonly unknown[] }) =>
    one.findings.map(() => one.rule),
  );
  expect(found).toEqual(['three-two-one']);
});

test('the mistake of the page is told as it is shown there', async () => {
  const shown = page.find(
    (step): step is Step & { kind: 'command' } => step.kind === 'command' && step.output.length > 0,
  );
  const nas = page.find((step) => step.kind === 'file' && step.path.endsWith('nas1.yaml'));
  if (shown === undefined || nas?.kind !== 'file') throw new Error('the page shows none');
  write(nas.path, nas.text.replace('hosts: [192.0.2.20]', 'hosts: [192.0.2.21]'));
  const { code, out } = await typed('rules', '--rule', 'export-admits-client');
  write(nas.path, nas.text);
  expect(code).toBe(shown.exit);
  expect(unsaid(shown.output, out.replaceAll(/\S*inventory\//g, 'inventory/'))).toEqual([]);
});

test('its role for old jobs takes one away', async () => {
  const node = page.find((step) => step.kind === 'file' && step.path.endsWith('node1.yaml'));
  if (node?.kind !== 'file') throw new Error('there is no node');
  write(node.path, node.text.replace('roles: [', 'roles: [old-jobs, '));
  const { code, out } = await typed('list', 'resources', '--role', 'old-jobs');
  write(node.path, node.text);
  expect(code).toBe(0);
  expect(out).toContain('pve_backup_job:backup-1a2b3c4d-5e6f');
});
