import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resourceTypes } from '../../../src/resources/index.ts';
import { expandHost } from '../../../src/roles/expand.ts';
import { loadSite } from '../../../src/roles/site.ts';
import { content } from '../vzdump-hook/expand.ts';
import { render } from '../vzdump-hook/render.ts';

const project = new URL('../../../', import.meta.url).pathname;
const stores = [{ name: 'main', path: '/mnt/pbs/store', mount: '/mnt/pbs', source: 'nas.lan:/mnt/pool/pbs' }];

async function expand(vars: object) {
  const inventory = mkdtempSync(join(tmpdir(), 'pbs-health-role-'));
  onTestFinished(() => rmSync(inventory, { recursive: true }));
  for (const name of ['hosts', 'groups']) mkdirSync(join(inventory, name));
  writeFileSync(join(inventory, 'site.yaml'), 'site: example\ngroups: []\n');
  const host = {
    host: 'pbs',
    platform: 'pbs',
    connection: { session: 'local' },
    roles: ['pbs-health'],
    vars: { 'pbs-health': { stores, ...vars } },
  };
  writeFileSync(join(inventory, 'hosts/pbs.yaml'), JSON.stringify(host));
  const paths = { inventory, roles: join(project, 'roles'), templates: join(project, 'templates') };
  return expandHost(await loadSite(paths, { types: resourceTypes }), 'pbs');
}

const program = async (vars: object = {}) => content(await expand(vars), 'file:/usr/local/sbin/pbs-health');

test('shellcheck has nothing to say of the program', async ({ skip }) => {
  const found = spawnSync('shellcheck', ['--shell=sh', '-'], { input: await program(), encoding: 'utf8' });
  if (found.error !== undefined) skip('shellcheck is not installed');
  expect(found.stdout).toBe('');
});

test.each(['dash', 'bash', 'busybox sh'])('%s can read it', async (shell) => {
  const [name = '', ...words] = shell.split(' ');
  const found = spawnSync(name, [...words, '-n'], { input: await program(), encoding: 'utf8' });
  expect(found.stderr).toBe('');
});

test('systemd understands the units', async () => {
  const expanded = await expand({ program: '/bin/true', weekly: 'Sun *-*-* 05:00:00' });
  const dir = mkdtempSync(join(tmpdir(), 'pbs-health-units-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const units = [
    'pbs-health.service',
    'pbs-health.timer',
    'pbs-health-weekly.service',
    'pbs-health-weekly.timer',
  ];
  for (const unit of units) writeFileSync(join(dir, unit), content(expanded, `unit:${unit}`));
  const found = spawnSync(
    'systemd-analyze',
    ['verify', '--man=no', ...units.map((unit) => join(dir, unit))],
    {
      encoding: 'utf8',
    },
  );
  if (found.error !== undefined) return;
  expect(found.stderr.split('\n').filter((line) => line.includes('pbs-health'))).toEqual([]);
});

test('no unit of it has mounts of its own: their ids would be other ones at every look', async () => {
  const expanded = await expand({ weekly: 'Sun *-*-* 05:00:00' });
  for (const unit of ['pbs-health.service', 'pbs-health-weekly.service'])
    expect(content(expanded, `unit:${unit}`)).not.toMatch(
      /^(Protect|Private|ReadWrite|ReadOnly|Inaccessible|Bind|Temporary|Root|Mount|Dynamic|StateDir)/m,
    );
});

test('without a day for it, nothing restarts every week', async () => {
  const { resources } = await expand({});
  const weekly = resources
    .filter(({ id }) => id.startsWith('unit:pbs-health-weekly'))
    .map(({ spec }) => spec);
  expect(weekly).toHaveLength(2);
  for (const spec of weekly) expect(spec).toMatchObject({ state: 'absent' });
});

test('values stay values, whatever is in them', async () => {
  const nasty = `'; touch /tmp/never; $(id) "\\`;
  const text = await render('pbs-health/pbs-health.sh.hbs', {
    stores: [{ name: nasty, path: nasty, datastore: null, mount: null, source: nasty, type: nasty }],
    textfile_dir: nasty,
    push_url: nasty,
    program: '/p',
    state_dir: '/s',
    host: { name: nasty },
    probe_limit: 1,
    api_limit: 1,
    restart_limit: 30,
    restart_gap: 60,
    groups_every: 10,
    groups_limit: 60,
  });
  const head = text.split('# end of configuration')[0] ?? '';
  const shown = execFileSync(
    'dash',
    [
      '-c',
      `${head}\nshow() { printf '%s\\n' "$@"; }\neach_store show\nshow "$TEXTFILE_DIR" "$PUSH_URL" "$INSTANCE"`,
    ],
    {
      encoding: 'utf8',
    },
  );
  expect(shown).toBe(`${nasty}\n`.repeat(9));
});
