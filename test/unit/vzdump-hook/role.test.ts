import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { InputErrors, ProvisionError } from '../../../src/model/errors.ts';
import { content, expand, removeInventories } from './expand.ts';
import { renderHook } from './render.ts';

vi.setConfig({ testTimeout: 30_000 });

afterAll(removeInventories);

async function complaint(vars: object): Promise<string> {
  try {
    await expand(vars);
  } catch (error) {
    if (error instanceof InputErrors) return error.errors.map((one) => one.message).join('\n');
    if (error instanceof ProvisionError) return error.message;
    throw error;
  }
  return 'accepted';
}

const guest = {
  vmid: 111,
  name: 'InfluxDB',
  services: ['influxdb3-core'],
  data_dir: '/var/lib/influxdb3/data/node0',
};

test('it expands: the files, the units, a set of checks for each guest, two procedures', async () => {
  const { resources, checks, procedures } = await expand({
    guests: [guest, { vmid: 113, name: 'Mail', services: ['m@1'] }],
  });
  expect(resources.map(({ id }) => id)).toEqual([
    'directory:/var/lib/vzdump-hook',
    'file:/usr/local/bin/vzdump-hook.pl',
    'directory:/usr/local/share/runbooks',
    'file:/usr/local/share/runbooks/vzdump-hook.md',
    'unit:vzdump-hook-repair.service',
    'unit:vzdump-hook-repair.timer',
  ]);
  const ids = checks.map(({ id }) => id.replace('vzdump-hook/', ''));
  expect(ids).toEqual(
    expect.arrayContaining(['agent-111', 'agent-113', 'services-111', 'services-113', 'wal-111']),
  );
  expect(ids).not.toContain('wal-113');
  expect(ids).not.toContain('storage');
  expect(procedures.map(({ id }) => id)).toEqual(['vzdump-hook/rollback']);
});

describe('refused before any connection', () => {
  test.each([
    ['a container', { guests: [{ ...guest, type: 'ct' }] }, /type/],
    ['no guest', { guests: [] }, /guests/],
    ['the same VMID twice', { guests: [guest, { ...guest, name: 'B' }] }, /agent-111/],
    ['a unit that is an option', { guests: [{ ...guest, services: ['--now'] }] }, /services/],
    ['a unit with a path', { guests: [{ ...guest, services: ['../x'] }] }, /services/],
    ['a name outside ASCII', { guests: [{ ...guest, name: 'Infl\u00fcx' }] }, /name/],
    ['a name with a line break', { guests: [{ ...guest, name: 'a\nb' }] }, /name/],
    ['an unknown mode', { guests: [{ ...guest, modes: ['Snapshot'] }] }, /modes/],
    ['a data directory that climbs', { guests: [{ ...guest, data_dir: '/var/../etc' }] }, /data_dir/],
    ['an unknown key', { guests: [{ ...guest, service: 'x' }] }, /service/],
    ['an interval with a blank', { guests: [guest], repair_interval: '5 m' }, /repair_interval/],
  ])('%s', async (_name, vars, names) => {
    expect(await complaint(vars)).toMatch(names);
  });
});

describe('what is rendered', () => {
  test('the hook is ASCII, Perl understands it, and it needs nothing but core modules', async () => {
    const hook = content(await expand({ guests: [guest] }), 'file:/usr/local/bin/vzdump-hook.pl');
    expect(hook).not.toMatch(/[^\n -~]/);
    const parsed = spawnSync('perl', ['-c', '-'], { input: hook, env: {}, encoding: 'utf8' });
    expect([parsed.status, parsed.stderr]).toEqual([0, '- syntax OK\n']);
    expect(hook.match(/^use \S+/gm)).toEqual(
      [
        'strict',
        'warnings',
        'Errno',
        'Fcntl',
        'IO::Handle',
        'IO::Select',
        'JSON::PP',
        'POSIX',
        'Time::HiRes',
      ].map((name) => expect.stringContaining(`use ${name}`)),
    );
  });

  test('the same VMID twice does not pass perl -c, should it ever get that far', async () => {
    const values = {
      hook: '/h',
      qm: '/q',
      state_dir: '/s',
      vzdump_lock: '/l',
      vzdump_conf: '/c',
      settle: 1,
      stays_up: 1,
    };
    const one = { ...guest, modes: [], stop_limit: 9, start_limit: 9, on_failure: 'fail' };
    const text = await renderHook({ ...values, guests: [one, one] });
    const parsed = spawnSync('perl', ['-c', '-'], { input: text, encoding: 'utf8' });
    expect(parsed.status).not.toBe(0);
    expect(parsed.stderr).toContain('guest 111 is configured twice');
  });

  test('values stay values, whatever is in them', async () => {
    const nasty = `'; system('touch /tmp/never'); $x @y \\`;
    const values = {
      hook: '/h',
      qm: nasty,
      state_dir: '/s',
      vzdump_lock: '/l',
      vzdump_conf: '/c',
      settle: 1,
      stays_up: 1,
    };
    const text = await renderHook({ ...values, guests: [] });
    const program = `${text.split('# end of configuration')[0] ?? ''}print $QM;`;
    expect(execFileSync('perl', ['-'], { input: program, encoding: 'utf8' })).toBe(nasty);
  });

  test('systemd understands the units', async () => {
    const expanded = await expand({ guests: [guest], hook: '/bin/true' });
    const dir = mkdtempSync(join(tmpdir(), 'vzdump-hook-units-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const units = ['vzdump-hook-repair.service', 'vzdump-hook-repair.timer'];
    for (const unit of units) writeFileSync(join(dir, unit), content(expanded, `unit:${unit}`));
    const found = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', ...units.map((unit) => join(dir, unit))],
      { encoding: 'utf8' },
    );
    if (found.error !== undefined) return;
    expect(found.stderr.split('\n').filter((line) => line.includes('vzdump-hook'))).toEqual([]);
  });
});
