import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { paletteFor } from '../../../src/cli/colours.ts';
import { table } from '../../../src/cli/list.ts';
import { packageRoot, packageVersion } from '../../../src/cli/package.ts';
import { identityFile, placesOf } from '../../../src/cli/places.ts';
import { trustText } from '../../../src/cli/trust.ts';
import { screen } from './screen.ts';

describe('colours', () => {
  const coloured = (...args: Parameters<typeof paletteFor>) => paletteFor(...args).bad('x') !== 'x';
  test('auto follows the stream, NO_COLOR and TERM', () => {
    const tty = screen({ outIsTerminal: true });
    expect(coloured('out', 'auto', tty)).toBe(true);
    expect(coloured('err', 'auto', tty)).toBe(false);
    expect(coloured('out', 'auto', screen({ outIsTerminal: true, env: { NO_COLOR: '1' } }))).toBe(false);
    expect(coloured('out', 'auto', screen({ outIsTerminal: true, env: { NO_COLOR: '' } }))).toBe(true);
    expect(coloured('out', 'auto', screen({ outIsTerminal: true, env: { TERM: 'dumb' } }))).toBe(false);
  });
  test('always and never are that', () => {
    expect(coloured('out', 'always', screen({ env: { NO_COLOR: '1' } }))).toBe(true);
    expect(coloured('out', 'never', screen({ outIsTerminal: true }))).toBe(false);
  });
});

describe('places', () => {
  test('roles lie beside the inventory, or come with the package', () => {
    const dir = mkdtempSync(join(tmpdir(), 'provision-test-'));
    try {
      const inventory = join(dir, 'inventory');
      expect(placesOf(inventory)).toEqual({
        inventory,
        roles: join(packageRoot(), 'roles'),
        templates: join(packageRoot(), 'templates'),
      });
      mkdirSync(join(dir, 'roles'));
      expect(placesOf(inventory)).toEqual({
        inventory,
        roles: join(dir, 'roles'),
        templates: join(dir, 'templates'),
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  test('the key of the user', () => {
    expect(identityFile({ PROVISION_AGE_KEY_FILE: '/k', HOME: '/root' })).toBe('/k');
    expect(identityFile({ XDG_CONFIG_HOME: '/c', HOME: '/root' })).toBe('/c/provision/age.key');
    expect(identityFile({ HOME: '/root' })).toBe('/root/.config/provision/age.key');
    expect(identityFile({})).toBeUndefined();
  });

  test('the version is that of the package', () => {
    expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('list', () => {
  test('columns line up, lists are joined, what is empty is a dash', () => {
    const items = [
      { host: 'pve2', roles: ['base', 'vzdump'], from: 'x' },
      { host: 'truenas1', roles: [], from: 'y\x1b' },
    ];
    expect(table(items, ['from'])).toBe('host      roles\npve2      base vzdump\ntruenas1  -\n');
    expect(table(items)).toContain('y\\x1b');
  });
});

describe('trust', () => {
  const key = { type: 'ssh-ed25519', fingerprint: 'SHA256:new', line: '' };
  test('a changed key is a warning with both fingerprints and the line of the pin', () => {
    const pin = { type: 'ssh-ed25519', fingerprint: 'SHA256:old', from: 'inventory/known_hosts:3' };
    const text = trustText('pve2', [key], [pin]);
    expect(text).toContain('ssh-ed25519  SHA256:new\n');
    expect(text).toContain('WARNING');
    expect(text).toContain('SHA256:old  (inventory/known_hosts:3)');
    expect(trustText('pve2', [key], [])).not.toContain('WARNING');
  });
});
