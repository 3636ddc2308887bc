import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backup_log } from '../../../src/resources/backup-log.ts';
import { judgeLog } from '../../../src/resources/task-log-read.ts';
import { facts } from '../../../src/shell/facts.ts';
import { hasBusybox, newTree, shells, type Tree } from './tree.ts';

const context = { host: 'ruapehu', platform: 'pve', live: true } as const;

/** What a log says, in short. */
function judged(lines: string[], tolerate: string[] = []) {
  const { ended, problems } = judgeLog(lines, tolerate);
  return [ended, ...problems.map(({ code }) => code)];
}

const begin = 'INFO: Starting Backup of CT 1031 (lxc)';
const done = 'INFO: Finished Backup of CT 1031 (00:12:41)';

describe('a log of vzdump', () => {
  const failures: [string, string][] = [
    ["ERROR: can't acquire lock '/var/run/vzdump.lock' - got timeout", 'lock-timeout'],
    ['TASK ERROR: got unexpected control message: ', 'lock-timeout'],
    [
      'ERROR: Backup of VM 200 failed - unable to open chunk store at "/mnt/pbs-datastore/.chunks" - No such file or directory (os error 2)',
      'chunk-store',
    ],
    [
      "ERROR: VM 101 qmp command 'backup' failed - backup connect failed: command error: certificate validation failed - Certificate fingerprint was not confirmed.",
      'fingerprint',
    ],
    ['ERROR: Backup of CT 1034 failed - CT is locked (backup)', 'guest-locked'],
    ['ERROR: Backup of VM 111 failed - VM is locked (snapshot)', 'guest-locked'],
    [
      "ERROR: could not activate storage 'pbs-pihanga': pbs-pihanga: error fetching datastores",
      'storage-offline',
    ],
    ["TASK ERROR: storage 'truenas-bu' is not online", 'storage-offline'],
    ['ERROR: vma_queue_write: write error - No space left on device', 'no-space'],
    ['ERROR: Backup of VM 5 failed - something that nobody has seen before', 'other'],
  ];
  it.each(failures)('%s', (line, code) => {
    expect(judged([begin, line])).toEqual(['failed', code]);
  });

  it('says why it failed, not that it did, when another line tells', () => {
    expect(
      judged([
        begin,
        'INFO: rsync: [receiver] chown "/mnt/pve/truenas-bu/dump/x/etc" failed: Operation not permitted (1)',
        "ERROR: Backup of CT 1031 failed - command 'rsync --stats -h -X -A' failed: exit code 23",
      ]),
    ).toEqual(['failed', 'not-permitted']);
  });

  it('warns of what was made all the same, and can be told to accept it', () => {
    const fallback = [
      begin,
      'INFO: mode failure - some volumes do not support snapshots',
      "INFO: trying 'suspend' mode instead",
      'INFO: file has vanished: "/proc/1/root/config/sentry/1.envelope"',
      'INFO: rsync warning: some files vanished before they could be transferred (code 24)',
      done,
    ];
    expect(judged(fallback)).toEqual(['warnings', 'mode-fallback', 'file-vanished']);
    expect(judged(fallback, ['file-vanished', 'mode-fallback'])).toEqual(['ok']);
    expect(judged([begin, 'WARN: a thing nobody knows', done])).toEqual(['warnings', 'warning']);
  });

  it('accepts no failure, whatever is tolerated', () => {
    const vanished = [begin, 'INFO: file has vanished: "/x"', 'ERROR: Backup of CT 1031 failed - odd'];
    expect(judged(vanished, ['file-vanished', 'other'])).toEqual(['failed', 'other']);
  });

  it('notes what is left out, and takes it for what was asked for', () => {
    const noted =
      "2026-11-20 02:00:04 INFO: excluding bind mount point mp0 ('/mnt/Main') from backup (not a volume)";
    expect(judged([`2026-11-20 02:00:03 ${begin}`, noted, `2026-11-20 02:12:44 ${done}`])).toEqual(['ok']);
  });

  it('that just ends has not ended well', () => {
    expect(judged([begin, 'INFO: status = running'])).toEqual(['unfinished']);
    expect(judged([])).toEqual(['unfinished']);
  });

  it('names the storage where it can', () => {
    const job = 'INFO: starting new backup job: vzdump 200 --mode snapshot --storage pbs-pihanga --quiet 1';
    expect(judgeLog([job]).storage).toBe('pbs-pihanga');
    const archive =
      "INFO: creating vzdump archive '/mnt/pve/truenas-bu/dump/vzdump-lxc-1031-2026_11_20-02_00_03.tar.zst'";
    expect(judgeLog([archive]).storage).toBe('truenas-bu');
  });
});

describe('backup_log', () => {
  const spec = { backup_log: 1031, kind: 'ct', max_age_hours: 48, storage: 'truenas-bu' };
  const seen = (...lines: string[]) =>
    backup_log.read(facts(lines.map((line) => `ct/1031\t${line}`)), spec, context);
  const tell = (...lines: string[]) => backup_log.symptoms?.(seen(...lines), spec as never) ?? [];
  const now = 1_795_000_000;

  it('blames the storage for what lies there, and the guest for the rest', () => {
    const failed = (line: string) =>
      tell(`now\t${now}`, `log\t${now - 60}`, `line\t${begin}`, `line\t${line}`).map(
        ({ code, of }) => `${code} of ${of}`,
      );
    expect(failed('ERROR: unable to open chunk store at "/x/.chunks"')).toEqual([
      'chunk-store of storage:truenas-bu',
    ]);
    expect(failed('ERROR: Backup of CT 1031 failed - CT is locked (backup)')).toEqual([
      'guest-locked of guest:1031',
    ]);
    expect(failed('ERROR: never heard of')).toEqual(['other of guest:1031']);
  });

  it('is exact about its age', () => {
    const good = (age: number) => seen(`now\t${now}`, `log\t${now - age}`, `line\t${begin}`, `line\t${done}`);
    expect(good(48 * 3600 + 3599)).toMatchObject({ have: { ended: 'ok', fresh: 'yes' } });
    expect(good(49 * 3600)).toMatchObject({
      have: { fresh: 'the newest log is 49 h old, at most 48 h are allowed' },
    });
  });

  it('does not take a backup that runs for one that failed, nor for a good one', () => {
    const running = (hours: number, ...more: string[]) =>
      seen(
        `now\t${now}`,
        `task\tUPID:x`,
        `started\t${now - hours * 3600}`,
        'runs\tS',
        `taskline\t${begin}`,
        ...more,
      );
    expect(running(2)).toHaveProperty('unknown');
    expect(running(49)).toMatchObject({ have: { ended: 'unfinished', problem: 'worker-hanging' } });
    const stuck = seen(
      ...[`now\t${now}`, 'task\tUPID:x', `started\t${now - 3600}`, 'runs\tD', `wrote\t${now - 1200}`],
    );
    expect(stuck).toMatchObject({ have: { problem: 'worker-hanging' } });
    expect(running(2, `taskline\t${done}`)).toMatchObject({ have: { ended: 'ok' } });
  });
});

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('on %s', (shell) => {
  const put = (tree: Tree, path: string, lines: string[], mtime: number): void => {
    mkdirSync(dirname(tree.path(path)), { recursive: true });
    writeFileSync(tree.path(path), `${lines.join('\n')}\n`);
    utimesSync(tree.path(path), mtime, mtime);
  };
  const guest = (vmid: number, kind = 'vm') => ({ backup_log: vmid, kind, max_age_hours: 48 });
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0');
  const upid = (started: number, id: string | number) =>
    `UPID:ruapehu:0001E240:00ABCDEF:${hex(started)}:vzdump:${id}:root@pam:`;
  const task = (tree: Tree, started: number, id: string | number, lines: string[]): string => {
    const name = upid(started, id);
    put(tree, `var/log/pve/tasks/${hex(started).slice(-1)}/${name}`, lines, started + 60);
    return name;
  };
  const now = Math.floor(Date.now() / 1000);

  it('finds what is said of each guest, and says it alone as in company', () => {
    const tree = newTree(shell);
    put(
      tree,
      'var/log/vzdump/qemu-200.log',
      [
        'INFO: Starting Backup of VM 200 (qemu)',
        'ERROR: Backup of VM 200 failed - unable to open chunk store at "/mnt/pbs-datastore/.chunks" - No such file or directory (os error 2)',
      ],
      now - 3600,
    );
    put(tree, 'var/log/vzdump/lxc-1031.log', [begin, done], now - 3600);
    const several = task(tree, now - 4000, '', [
      'INFO: starting new backup job: vzdump --all 1 --storage pbs-pihanga --mode snapshot',
      'INFO: Starting Backup of VM 200 (qemu)',
      'ERROR: Backup of VM 200 failed - odd',
      'INFO: Starting Backup of VM 2001 (qemu)',
      'INFO: Finished Backup of VM 2001 (00:00:10)',
      'TASK ERROR: job errors',
    ]);
    put(tree, 'var/log/pve/tasks/index', [`${several} ${hex(now - 3500)} job errors`, 'junk'], now);
    const specs = [guest(200), guest(1031, 'ct'), guest(2001), guest(7)];
    const all = tree.look(backup_log, specs);
    for (const spec of specs) {
      const id = backup_log.identity(spec);
      const without = (text: string | undefined) => text?.replace(/\tnow\t\d+/, '');
      expect(without(tree.look(backup_log, [spec]).get(id)?.text)).toBe(without(all.get(id)?.text));
    }
    expect(tree.have(backup_log, guest(200))).toMatchObject({
      ended: 'failed',
      problem: 'chunk-store',
      storage: 'pbs-pihanga',
    });
    expect(tree.differs(backup_log, guest(1031, 'ct'))).toEqual([]);
    expect(tree.have(backup_log, guest(2001))).toMatchObject({ ended: 'ok' });
    expect(tree.have(backup_log, guest(7))).toMatchObject({ ended: 'never' });
  });

  it('knows a worker that runs by its number and start time', () => {
    const tree = newTree(shell, { live: true });
    const worker = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      const start = Number(
        readFileSync(`/proc/${worker.pid}/stat`, 'utf8')
          .replace(/^.*\) /, '')
          .split(' ')[19],
      );
      const named = (begun: number, pstart: number) =>
        `UPID:ruapehu:${hex(worker.pid ?? 0)}:${hex(pstart)}:${hex(begun)}:vzdump:200:root@pam:`;
      const play = (begun: number, pstart: number) => {
        const name = named(begun, pstart);
        put(
          tree,
          `var/log/pve/tasks/${hex(begun).slice(-1)}/${name}`,
          ['INFO: Starting Backup of VM 200 (qemu)'],
          begun,
        );
        put(tree, 'var/log/pve/tasks/active', [`${name} 0`], now);
        return tree.read(backup_log, guest(200));
      };
      expect(play(now - 7200, start)).toEqual({ unknown: expect.stringContaining('running now') });
      expect(play(now - 3600, start + 1)).toMatchObject({ have: { ended: 'unfinished', problem: 'none' } });
      expect(play(now - 60 * 3600, start)).toMatchObject({ have: { ended: 'unfinished' } });
      put(tree, 'var/log/pve/tasks/active', [`${named(now - 60 * 3600, start)} 0`], now);
      expect(tree.have(backup_log, guest(200))).toMatchObject({ problem: 'worker-hanging' });
    } finally {
      worker.kill();
    }
  });

  it('does not take the guest with a longer number for this one', () => {
    const tree = newTree(shell);
    const name = task(tree, now - 600, '', [
      'INFO: Starting Backup of VM 2001 (qemu)',
      'ERROR: Backup of VM 2001 failed - odd',
      'TASK ERROR: job errors',
    ]);
    put(tree, 'var/log/pve/tasks/index', [`${name} ${hex(now)} job errors`], now);
    expect(tree.have(backup_log, guest(2001))).toMatchObject({ ended: 'failed' });
    expect(tree.have(backup_log, guest(200))).toMatchObject({ ended: 'never' });
  });

  it('a task that died before its first guest is about those its job names', () => {
    const tree = newTree(shell);
    for (const vmid of [200, 201])
      put(
        tree,
        `var/log/vzdump/qemu-${vmid}.log`,
        [`INFO: Starting Backup of VM ${vmid} (qemu)`, `INFO: Finished Backup of VM ${vmid} (00:00:10)`],
        now - 90000,
      );
    const died = task(tree, now - 600, '', [
      'INFO: starting new backup job: vzdump 200 --storage pbs-pihanga --mode snapshot',
      "TASK ERROR: could not activate storage 'pbs-pihanga': pbs-pihanga: error fetching datastores",
    ]);
    put(tree, 'var/log/pve/tasks/active', [`${died} 1 ${hex(now)} error`], now);
    expect(tree.have(backup_log, guest(200))).toMatchObject({ ended: 'failed', problem: 'storage-offline' });
    expect(tree.differs(backup_log, guest(201))).toEqual([]);
    const locked = task(tree, now - 300, '', [
      'INFO: trying to get global lock - waiting...',
      "ERROR: can't acquire lock '/var/run/vzdump.lock' - got timeout",
    ]);
    put(tree, 'var/log/pve/tasks/index', [`${locked} ${hex(now)} unexpected status`], now);
    expect(tree.have(backup_log, guest(201))).toMatchObject({ problem: 'lock-timeout' });
  });
});
