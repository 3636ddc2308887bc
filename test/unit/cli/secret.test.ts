import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { start } from '../../../src/cli/start.ts';
import { decryptTexts } from '../../../src/inventory/age.ts';
import { screen } from './screen.ts';

let dir = '';
let key = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'provision-test-'));
  mkdirSync(join(dir, 'inventory'));
  key = join(dir, 'keys', 'age.key');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const file = () => join(dir, 'inventory', 'secrets.yaml');
const at = (...argv: string[]) => ['--inventory', join(dir, 'inventory'), ...argv];
const env = () => ({ PROVISION_AGE_KEY_FILE: key, PATH: process.env.PATH, EDITOR: '' });

async function clear(name: string): Promise<string | undefined> {
  const { secrets } = parse(readFileSync(file(), 'utf8')) as { secrets: Record<string, string> };
  return (await decryptTexts([secrets[name] ?? ''], key))[0];
}

describe('secret', () => {
  test('keygen keeps the key to its owner, prints the public half, and never replaces a key', async () => {
    const terminal = screen({ env: env() });
    expect(await start(['secret', 'keygen'], terminal)).toBe(0);
    expect(terminal.printed.out).toMatch(/^age1[a-z0-9]+\n$/);
    expect(terminal.printed.err).not.toContain('AGE-SECRET-KEY');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    const before = readFileSync(key, 'utf8');
    const again = screen({ env: env() });
    expect(await start(['secret', 'keygen'], again)).toBe(1);
    expect(again.printed.err).toContain('it is left as it is');
    expect(readFileSync(key, 'utf8')).toBe(before);
  });

  test('set encrypts standard input or what is typed, and leaves the rest of the file alone', async () => {
    await start(['secret', 'keygen'], screen({ env: env() }));
    expect(await start(at('secret', 'set', 'nas'), screen({ env: env(), typed: 'pass word\n' }))).toBe(0);
    writeFileSync(file(), `# ours\n${readFileSync(file(), 'utf8')}`);
    const person = screen({ env: env(), interactive: true, answers: ['typed'] });
    expect(await start(at('secret', 'set', 'pbs'), person)).toBe(0);
    const text = readFileSync(file(), 'utf8');
    expect(text).toContain('# ours');
    expect(text).not.toMatch(/pass word|typed/);
    expect(person.printed.out + person.printed.err).not.toContain('typed');
    expect(await clear('nas')).toBe('pass word');
    expect(await clear('pbs')).toBe('typed');
  });

  test('edit shows the value to the editor only, and writes nothing when nothing changed', async () => {
    await start(['secret', 'keygen'], screen({ env: env() }));
    await start(at('secret', 'set', 'nas'), screen({ env: env(), typed: 'old' }));
    const before = readFileSync(file(), 'utf8');
    const same = screen({ env: { ...env(), EDITOR: 'true' }, interactive: true });
    expect(await start(at('secret', 'edit', 'nas'), same)).toBe(0);
    expect(readFileSync(file(), 'utf8')).toBe(before);
    const changed = screen({ env: { ...env(), EDITOR: 'sed -i s/old/new/' }, interactive: true });
    expect(await start(at('secret', 'edit', 'nas'), changed)).toBe(0);
    expect(await clear('nas')).toBe('new');
    const failing = screen({ env: { ...env(), EDITOR: 'false' }, interactive: true });
    expect(await start(at('secret', 'edit', 'nas'), failing)).toBe(1);
    expect(await clear('nas')).toBe('new');
  });

  test('refuses bad names, empty values and a place that is no inventory', async () => {
    await start(['secret', 'keygen'], screen({ env: env() }));
    expect(await start(at('secret', 'set', 'Bad-Name'), screen({ env: env(), typed: 'x' }))).toBe(1);
    expect(await start(at('secret', 'set', 'nas'), screen({ env: env(), typed: '\n' }))).toBe(1);
    const nowhere = screen({ env: env(), typed: 'x' });
    expect(await start(['--inventory', join(dir, 'no'), 'secret', 'set', 'nas'], nowhere)).toBe(1);
    expect(nowhere.printed.err).toContain('there is no inventory');
  });
});
