import type { CheckResult } from '../../../src/model/check.ts';
import type { HostRun, ShownChange } from '../../../src/model/run.ts';

const vzdump = 'roles/vzdump/role.yaml';

/** A run in which nothing happened, with what the test says on top. */
export function run(host: string, over: Partial<HostRun> = {}): HostRun {
  return {
    host,
    seconds: 0.4213,
    total: 42,
    changes: [],
    unknown: [],
    checks: [],
    steps: [],
    orphans: [],
    notices: [],
    ...over,
  };
}

export function change(id: string, over: Partial<ShownChange> = {}): ShownChange {
  return {
    id,
    role: 'vzdump',
    from: { file: vzdump, line: 12, column: 5 },
    cause: 'drift',
    action: 'change',
    properties: [{ name: 'mode', have: '0600', want: '0644' }],
    steps: [`set mode of ${id}`],
    outcome: 'planned',
    ...over,
  };
}

export function checked(id: string, outcome: CheckResult['outcome'], message = ''): CheckResult {
  return {
    host: 'pve2',
    id,
    about: 'The hook answers every phase',
    outcome,
    message,
    from: { file: 'roles/vzdump-hook/role.yaml', line: 40, column: 5 },
  };
}

const diffText = [
  '--- have /etc/vzdump.conf',
  '+++ want /etc/vzdump.conf',
  '@@ -1,3 +1,3 @@',
  ' mode: snapshot',
  '-tmpdir: /tmp/\x1b[31m',
  '+tmpdir: /var/lib/vz/vzdump-tmp',
  ' remove: 0',
  '',
].join('\n');

/** One of everything that a diff can show. */
export const diffRuns: readonly HostRun[] = [
  run('nas1', { total: 12 }),
  run('pve2', {
    changes: [
      change('directory:/var/lib/vz/vzdump-tmp', {
        action: 'create',
        cause: 'new',
        properties: [
          { name: 'type', have: null, want: 'directory' },
          { name: 'mode', have: null, want: '0755' },
        ],
        steps: ['make /var/lib/vz/vzdump-tmp'],
      }),
      change('file:/etc/vzdump.conf', {
        properties: [
          { name: 'mode', have: '0600', want: '0644' },
          { name: 'sha256', have: 'a'.repeat(64), want: 'b'.repeat(64) },
        ],
        text: diffText,
        steps: ['write /etc/vzdump.conf'],
      }),
      change('line:/etc/hosts#nas1', {
        cause: 'pending',
        properties: [{ name: 'value', have: '10.0.0.1 nas1', want: '10.0.0.2 nas1.lan nas1' }],
      }),
      change('file:/etc/old.conf', {
        action: 'remove',
        cause: 'conflict',
        properties: [
          { name: 'type', have: 'file', want: null },
          { name: 'sha256', have: 'c'.repeat(64), want: null },
        ],
      }),
      change('file:/etc/exports.d/backup.exports', {
        outcome: 'refused',
        message: '/etc/exports.d/backup.exports is a directory; it is never removed to make room for a file',
        properties: [{ name: 'type', have: 'directory', want: 'file' }],
      }),
    ],
    unknown: [
      {
        id: 'mount:/mnt/pbs',
        from: { file: 'roles/nfs-client/role.yaml', line: 9, column: 5 },
        reason: 'no answer in 5 s',
      },
    ],
    orphans: ['file:/etc/cron.d/left'],
    notices: ["the host's clock is 3 h ahead"],
  }),
  run('pve3', {
    total: 0,
    seconds: 10.2,
    error: {
      code: 'unreachable',
      message: 'pve3 did not answer at 10.10.0.31:22 in 10 s',
      hint: 'Is it switched on?',
    },
  }),
];

export const applyRuns: readonly HostRun[] = [
  run('pve2', {
    seconds: 3.1,
    changes: [
      change('file:/etc/vzdump.conf', { outcome: 'done', text: diffText }),
      change('package:nfs-common', {
        outcome: 'failed',
        message: 'apt-get ended with 100\nE: Unable to locate package nfs-common\n',
        properties: [{ name: 'installed', have: false, want: true }],
      }),
      change('unit:nfs.mount', { outcome: 'skipped', message: 'package:nfs-common failed' }),
      change('file:/etc/hostname', { outcome: 'changed-since-plan', message: 'mode was 0644, now 0600' }),
    ],
    checks: [
      checked('vzdump-hook/hook-runs', 'fail', 'stdout: want "ok", have "no"'),
      checked('vzdump-hook/agent', 'unknown', 'no answer in 10 s'),
      checked('vzdump-hook/tmpdir', 'pass'),
    ],
  }),
  run('pve3', { error: { code: 'locked', message: 'root@laptop.lan is at work on pve3 since 07:31' } }),
];

export const checkRuns: readonly HostRun[] = [
  run('pve2', {
    checks: [
      checked('vzdump-hook/tmpdir', 'pass'),
      checked('vzdump-hook/agent', 'unknown', 'no answer in 10 s'),
      checked('vzdump-hook/hook-runs', 'fail', 'stdout: want "ok", have "# no \\ <&\x07>"'),
    ],
  }),
  run('pve4', { checks: [checked('base/time', 'pass')] }),
];

export const procedureRuns: readonly HostRun[] = [
  run('pve2', {
    total: 0,
    steps: [
      { about: 'Stop the service', command: 'qm guest exec 111 -- systemctl stop db', outcome: 'done' },
      { about: 'Make the quarantine', command: 'mkdir /q', outcome: 'already' },
      {
        about: 'Move the file',
        command: 'mv a b',
        outcome: 'failed',
        message: 'ended with 1\nmv: no such file',
      },
      { about: 'Start the service', command: 'systemctl start db', outcome: 'skipped' },
    ],
  }),
];

export const wantedRuns: readonly HostRun[] = [run('pve2')];
