import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rules } from '../unit/pbs-health/rules.ts';
import { newWorld } from '../unit/pbs-health/world.ts';
import { describeLab } from './suite.ts';

const hour = 60;
/** Every minute for 60 hours: the value of time() then, when it starts at `from` seconds; or one value all the time. */
const now = (from = 1) => `${from}+60x${60 * hour}`;
const always = (value: number) => `${value}+0x${60 * hour}`;
const age = (group: string, ns = '', store = 'main') =>
  `group_last_backup_timestamp_seconds{store="${store}",ns="${ns}",group="${group}"}`;
const per = (store: string) => ({
  [`store_healthy{store="${store}"}`]: always(1),
  [`stale_handles{store="${store}"}`]: always(0),
  [`groups_known{store="${store}"}`]: always(1),
  [`groups{store="${store}"}`]: always(1),
  [age('vm/109', '', store)]: now(),
});
const server = {
  last_run_timestamp_seconds: now(),
  result: always(0),
  restart_failed: always(0),
  restart_due: always(0),
  'daemon_up{unit="proxmox-backup.service"}': always(1),
  'daemon_up{unit="proxmox-backup-proxy.service"}': always(1),
};
/** All is well. Time starts at 0 here. */
const well: Readonly<Record<string, string>> = { ...per('main'), ...per('other.2'), ...server };

interface Case {
  readonly about: string;
  /** Series that are otherwise; undefined: not there. */
  readonly series: Readonly<Record<string, string | undefined>>;
  /** Minutes from the start, and the alerts that fire then, all of them. */
  readonly at: Readonly<Record<number, readonly string[]>>;
}
const gone = (series: object) => Object.fromEntries(Object.keys(series).map((name) => [name, undefined]));
const stale = (group: string, ns?: string, store = 'main') => alert('PBSBackupStale', store, { group, ns });

/** An alert by its labels in the order of their names, as promtool prints a series. */
function alert(name: string, store?: string, more: Readonly<Record<string, string | undefined>> = {}) {
  const labels = Object.entries({ alertname: name, store, ...more })
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${labels.map(([key, value]) => `${key}="${value}"`).join(', ')}}`;
}

const cases: readonly Case[] = [
  { about: 'all is well', series: {}, at: { 1: [], [60 * hour]: [] } },
  {
    about: 'a group of one store at 47:59, 48:00 and 48:01; the same group of the other store is fresh',
    series: { [age('vm/109')]: always(60) },
    at: { [48 * hour]: [], [48 * hour + 1]: [], [48 * hour + 2]: [stale('vm/109')] },
  },
  {
    about: 'a decommissioned group is left out, in its namespace alone',
    series: {
      [age('vm/330')]: always(60),
      [age('vm/330', 'offsite')]: always(60),
      [age('ct/103')]: always(60),
      [age('ct/103', 'offsite')]: always(60),
      [age('vm/3300')]: always(60),
    },
    at: { [49 * hour]: [stale('vm/330', 'offsite'), stale('ct/103'), stale('vm/3300')] },
  },
  {
    about: 'a time that lies ahead hides nothing',
    series: { [age('vm/109')]: always(90 * 3600) },
    at: { [41 * hour]: [stale('vm/109')], [43 * hour]: [] },
  },
  {
    about: 'a first backup may run as long as one may be old; a decommissioned one for ever',
    series: { [age('vm/111')]: always(0), [age('vm/330')]: always(0) },
    at: {
      [48 * hour - 1]: [],
      [48 * hour + 1]: [alert('PBSBackupNeverFinished', 'main', { group: 'vm/111' })],
    },
  },
  {
    about: 'only one store is unhealthy',
    series: { 'store_healthy{store="other.2"}': `1+0x9 ${always(0)}` },
    at: { 14: [], 16: [alert('PBSMountUnhealthy', 'other.2')] },
  },
  {
    about: 'stale handles that stay; not known is no number of them',
    series: { 'stale_handles{store="main"}': always(2), 'stale_handles{store="other.2"}': always(-1) },
    at: { 9: [], 11: [alert('PBSStaleHandles', 'main')] },
  },
  {
    about: 'backups that could not be listed',
    series: {
      'groups_known{store="main"}': always(0),
      'groups{store="main"}': undefined,
      [age('vm/109')]: undefined,
    },
    at: { 59: [], 61: [alert('PBSBackupsUnknown', 'main')] },
  },
  {
    about: 'a store without a group',
    series: { 'groups{store="main"}': always(0), [age('vm/109')]: undefined },
    at: { 59: [], 61: [alert('PBSBackupsGone', 'main')] },
  },
  {
    about: 'one store that nothing arrives of',
    series: gone(per('other.2')),
    at: { 14: [], 16: [alert('PBSHealthAbsent', 'other.2')] },
  },
  {
    about: 'nothing arrives at all',
    series: gone(well),
    at: { 14: [], 16: [alert('PBSHealthAbsent', 'main'), alert('PBSHealthAbsent', 'other.2')] },
  },
  {
    about: 'pushed once and never again: the figures stay as they were',
    series: { last_run_timestamp_seconds: always(60) },
    at: { 21: [], 28: [alert('PBSHealthStopped')] },
  },
  {
    about: 'could not look',
    series: { result: always(8) },
    at: { 14: [], 16: [alert('PBSHealthUnknown')] },
  },
  {
    about: 'one daemon does not run, of the other it is not known',
    series: {
      'daemon_up{unit="proxmox-backup.service"}': always(0),
      'daemon_up{unit="proxmox-backup-proxy.service"}': always(-1),
    },
    at: { 9: [], 11: [alert('PBSDaemonDown', undefined, { unit: 'proxmox-backup.service' })] },
  },
  {
    about: 'a restart that did not help, and one that waits',
    series: { restart_failed: always(1), restart_due: always(1) },
    at: { 4: [], 6: [alert('PBSRestartFailed')], 61: [alert('PBSRestartFailed'), alert('PBSRestartWaits')] },
  },
];

describeLab('alerts come just after their limit, not before it, and also when nothing arrives', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pbs-health-promtool-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const promtool = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: dir, encoding: 'utf8' });
    return { code: status, said: stdout + stderr };
  };

  beforeAll(async () => {
    writeFileSync(join(dir, 'rules.yml'), await rules());
  });

  test('are rules without a fault', () => {
    expect(promtool('check', 'rules', '--lint-fatal', 'rules.yml')).toMatchObject({ code: 0 });
  });

  test('the metrics that they ask for can be read, escaped labels too', async () => {
    const world = await newWorld();
    world.write(
      'snapshots.json',
      String.raw`[{"backup-type":"vm","backup-id":"a\"b\\c\u00e9","backup-time":5}]`,
    );
    world.run('watch');
    const input = readFileSync(join(world.dir, 'metrics/pbs-health.prom'));
    expect(input.toString()).toContain(String.raw`group="vm/a\"b\\c\\u00e9"} 0`);
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test.each(cases.map((one) => [one.about, one] as const))('%s', (_, { series, at }) => {
    const values = Object.entries({ ...well, ...series }).filter(([, value]) => value !== undefined);
    const tests = {
      rule_files: ['rules.yml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: values.map(([name, value]) => ({ series: `pbs_health_${name}`, values: value })),
          promql_expr_test: Object.entries(at).map(([minute, firing]) => ({
            expr: 'group by (alertname, store, ns, group, unit) (ALERTS{alertstate="firing"})',
            eval_time: `${minute}m`,
            exp_samples: firing.map((labels) => ({ labels, value: 1 })),
          })),
        },
      ],
    };
    writeFileSync(join(dir, 'tests.yml'), JSON.stringify(tests));
    expect(promtool('test', 'rules', 'tests.yml')).toEqual({
      code: 0,
      said: expect.stringContaining('SUCCESS'),
    });
  });

  test('what is said names the group and its age', () => {
    const tests = {
      rule_files: ['rules.yml'],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: [{ series: `pbs_health_${age('vm/109', 'site')}`, values: always(60) }],
          alert_rule_test: [
            {
              eval_time: '50h1m',
              alertname: 'PBSBackupStale',
              exp_alerts: [
                {
                  exp_labels: { severity: 'warning', store: 'main', ns: 'site', group: 'vm/109' },
                  exp_annotations: {
                    summary: 'The newest backup of vm/109 in main is not of the last 48 hours',
                    description:
                      'site vm/109: 2d 2h 0m 0s from now. Is its guest gone, declare it in decommissioned_groups.',
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    writeFileSync(join(dir, 'tests.yml'), JSON.stringify(tests));
    expect(promtool('test', 'rules', 'tests.yml')).toMatchObject({ code: 0 });
  });
});
