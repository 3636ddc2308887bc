import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { rules } from './rules.ts';
import { newWorld } from './world.ts';

/** What is there to be looked at when an alert has come; a new metric needs an alert or a place here. */
const withoutAlert = [
  'disrupted',
  'disruptions_total',
  'last_restart_timestamp_seconds',
  'nfs_reconnects',
  'restarts_total',
  'store_hangs',
  'store_mounted',
  'tasks_running',
];

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string; readonly store?: string };
}
const alerts = (text: string) => {
  const { groups } = parse(text) as { groups: { name: string; rules: Rule[] }[] };
  return groups.flatMap((group) => group.rules);
};
const metrics = (text: string) => [...new Set(text.match(/\bpbs_health_[a-z_]+/g))].sort();

test('every alert asks for metrics that the program writes, and every metric has an alert or a reason', async () => {
  const world = await newWorld();
  world.write('snapshots.json', '[{"backup-type":"vm","backup-id":"109","backup-time":5,"size":1}]');
  world.run('watch');
  const samples = readFileSync(join(world.dir, 'metrics/pbs-health.prom'), 'utf8').replace(/^#.*$/gm, '');
  const asked = metrics(
    alerts(await rules())
      .map((rule) => rule.expr)
      .join('\n'),
  );
  expect([...asked, ...withoutAlert.map((name) => `pbs_health_${name}`)].sort()).toEqual(metrics(samples));
});

test('each store has alerts of its own, with its name', async () => {
  const found = alerts(await rules());
  const of = (store: string | undefined) =>
    found.filter((rule) => rule.labels.store === store).map((rule) => rule.alert);
  expect(of('main')).toEqual(of('other.2'));
  expect(of('main')).toContain('PBSHealthAbsent');
  expect(of(undefined)).toContain('PBSHealthStopped');
  for (const rule of found)
    if (rule.labels.store !== undefined)
      for (const name of rule.expr.match(/pbs_health_[a-z_]+\S*/g) ?? [])
        expect(name).toContain(`store="${rule.labels.store}"`);
});

test('an old backup is a warning', async () => {
  const [stale] = alerts(await rules({ backup_max_age_hours: 24 })).filter(
    (rule) => rule.alert === 'PBSBackupStale',
  );
  expect(stale?.labels.severity).toBe('warning');
  expect(stale?.expr).toContain('> 24 * 3600');
});

test('without a path there are no rules', async () => {
  expect(await rules({ rules_file: null })).toBe('');
});
