import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { gatedFile, hostsOf, journal, open, provision, shut, siteWith, told, until } from './fixture.ts';

const places = ['/etc', '/var/lib/provision', '/root'];

describeLab('what changes in the middle', () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
  });
  afterAll(stopAll);

  const outcomes = (report: string) =>
    Object.fromEntries(
      hostsOf(report).flatMap(({ changes: made }) =>
        made.map(({ id, outcome }) => [id.replace(/^\w+:\/etc\//, ''), outcome]),
      ),
    );

  describe('F23 somebody edits a file', () => {
    const resources = [
      { file: '/etc/faults-a', content: 'mine\n' },
      { file: '/etc/faults-b', content: 'mine\n' },
    ];
    beforeEach(async () => {
      await host.sh('rm -f /etc/faults-a /etc/faults-b; echo old >/etc/faults-a');
    });

    test('between diff --out and apply --plan: exit 6 names it, nothing is written; a new plan is applied', async () => {
      const cwd = siteWith([host], resources);
      const plan = join(cwd, 'plan.json');
      expect((await provision(cwd, ['diff', '--out', plan])).code).toBe(2);
      await host.sh('echo edited >/etc/faults-a');
      const before = await host.snapshot(places);
      const stale = await provision(cwd, ['apply', '--plan', plan, '--yes']);
      expect(told(stale)).toContain('exit 6');
      expect(told(stale)).toContain('file:/etc/faults-a');
      expect(told(stale)).not.toContain('file:/etc/faults-b');
      expect(changes(before, await host.snapshot(places))).toEqual([]);
      expect((await provision(cwd, ['diff', '--out', plan])).code).toBe(2);
      expect(told(await provision(cwd, ['apply', '--plan', plan, '--yes']))).toContain('exit 0');
      expect(await host.sh('cat /etc/faults-a /etc/faults-b')).toBe('mine\nmine\n');
    });

    test.each([
      ['mode', 'chmod 600 /etc/faults-a'],
      ['type', 'rm /etc/faults-a; ln -s /etc/passwd /etc/faults-a'],
      ['being there', 'rm /etc/faults-a'],
    ])('the %s counts as well', async (_, edit) => {
      const cwd = siteWith([host], resources);
      const plan = join(cwd, 'plan.json');
      await provision(cwd, ['diff', '--out', plan]);
      await host.sh(edit);
      expect(told(await provision(cwd, ['apply', '--plan', plan, '--yes']))).toContain('exit 6');
      expect((await host.exec(['test', '-e', '/etc/faults-b'])).code).toBe(1);
    });

    test('the repository moved since the plan: exit 6', async () => {
      const cwd = siteWith([host], resources);
      const plan = join(cwd, 'plan.json');
      await provision(cwd, ['diff', '--out', plan]);
      siteWith([host], [...resources, { file: '/etc/faults-c', content: 'mine\n' }], {}, cwd);
      const stale = await provision(cwd, ['apply', '--plan', plan, '--yes']);
      expect(told(stale)).toContain('exit 6');
      expect(told(stale)).toContain('file:/etc/faults-c');
      expect((await host.exec(['test', '-e', '/etc/faults-b'])).code).toBe(1);
    });

    test('a plan that was tampered with or cut is no plan', async () => {
      const cwd = siteWith([host], resources);
      const plan = join(cwd, 'plan.json');
      await provision(cwd, ['diff', '--out', plan]);
      const text = readFileSync(plan, 'utf8');
      writeFileSync(plan, text.slice(0, text.length / 2));
      expect(told(await provision(cwd, ['apply', '--plan', plan, '--yes']))).toContain('exit 1');
      writeFileSync(plan, text.replace(/"state": "./, '"state": "0'));
      expect([5, 6]).toContain((await provision(cwd, ['apply', '--plan', plan, '--yes'])).code);
      expect(await host.readFile('/etc/faults-a')).toBe('old\n');
    });

    test('while apply runs: it is left alone with its dependants, the rest is done, exit 6', async () => {
      const cwd = siteWith(
        [host],
        [
          gatedFile('/etc/faults-gate', `${Date.now()}\n`, 'gate'),
          { file: '/etc/faults-a', content: 'mine\n' },
          { file: '/etc/faults-b', content: 'mine\n', after: ['file:/etc/faults-a'] },
          { file: '/etc/faults-d', content: 'mine\n' },
        ],
      );
      await shut(host, 'gate');
      const applying = startProvision(['apply', '--yes', '--format', 'json'], { cwd });
      await until(host, journal('change 0 start'));
      await host.sh('echo "in the window" >/etc/faults-a');
      await open(host, 'gate');
      const ended = await applying.finished;
      expect(ended.code).toBe(6);
      expect(outcomes(ended.stdout)).toEqual({
        'faults-gate': 'done',
        'faults-a': 'changed-since-plan',
        'faults-b': 'skipped',
        'faults-d': 'done',
      });
      expect(await host.readFile('/etc/faults-a')).toBe('in the window\n');
      expect((await host.exec(['test', '-e', '/etc/faults-b'])).code).toBe(1);
      expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
      expect(await host.sh('cat /etc/faults-a /etc/faults-b')).toBe('mine\nmine\n');
    });
  });

  test('F34 a step fails: its dependants are skipped by name, the others are done, the next apply goes on', async () => {
    await host.sh('rm -rf /etc/faults*; mkdir -p /etc/faults; : >/etc/faults/in-the-way');
    // Fine when it is looked at, no longer when it is applied.
    const fails = [
      'sh',
      '-c',
      'case $1 in */lib/provision/runs/*) [ ! -e /etc/faults/in-the-way ] || { echo boom >&2; exit 9; } ;; esac',
      'sh',
      '{file}',
    ];
    const cwd = siteWith(
      [host],
      [
        { file: '/etc/faults/first', content: 'x\n' },
        { file: '/etc/faults/second', content: 'x\n', verify: fails },
        { file: '/etc/faults/third', content: 'x\n', after: ['file:/etc/faults/second'] },
        { file: '/etc/faults/fourth', content: 'x\n', after: ['file:/etc/faults/third'] },
        { file: '/etc/faults/fifth', content: 'x\n' },
      ],
    );
    const failed = await provision(cwd, ['apply', '--yes', '--format', 'json']);
    expect(failed.code).toBe(4);
    expect(outcomes(failed.stdout)).toEqual({
      'faults/first': 'done',
      'faults/second': 'failed',
      'faults/third': 'skipped',
      'faults/fourth': 'skipped',
      'faults/fifth': 'done',
    });
    expect(failed.stdout).toContain('exit 9: boom');
    expect(failed.stdout).toContain('file:/etc/faults/second did not succeed');
    expect(await host.sh('ls -A /etc/faults')).toBe('fifth\nfirst\nin-the-way\n');
    expect(await host.sh('ls -d /var/lib/provision/runs/*/stage || :')).toBe('');
    await host.sh('rm /etc/faults/in-the-way');
    const before = await host.snapshot(['/etc/faults/first', '/etc/faults/fifth']);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(await host.sh('ls -A /etc/faults')).toBe('fifth\nfirst\nfourth\nsecond\nthird\n');
    expect(changes(before, await host.snapshot(['/etc/faults/first', '/etc/faults/fifth']))).toEqual([]);
  });

  test('F35 what a dead run left is swept by its exact names, and nothing else', async () => {
    await host.sh(`run=/var/lib/provision/runs/20200101T000000000-dead
mkdir -p "$run/stage" /etc/faults
echo left >/etc/faults/.provision.20200101T000000000-dead.0.1
echo foreign >/etc/faults/.provision.mine
echo ./etc/faults/.provision.20200101T000000000-dead.0.1 >"$run/temps"
echo secret >"$run/stage/blob"`);
    const cwd = siteWith([host], [{ file: '/etc/faults/sweep', content: `${Date.now()}\n` }]);
    expect(told(await provision(cwd, ['diff']))).toContain('exit 2');
    expect(await host.sh('ls -A /etc/faults | grep provision')).toBe(
      '.provision.20200101T000000000-dead.0.1\n.provision.mine\n',
    );
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(await host.sh('ls -A /etc/faults | grep provision')).toBe('.provision.mine\n');
    expect(
      (await host.exec(['test', '-e', '/var/lib/provision/runs/20200101T000000000-dead/stage'])).code,
    ).toBe(1);
    await host.sh('rm /etc/faults/.provision.mine');
  });

  test('F35 old runs are forgotten, twenty are kept, nothing grows', async () => {
    await host.sh(
      `for n in $(seq 10 45); do mkdir -p /var/lib/provision/runs/20200101T0000000$n-old; : >/var/lib/provision/runs/20200101T0000000$n-old/ended; done`,
    );
    const cwd = siteWith([host], [{ file: '/etc/faults/count', content: `${Date.now()}\n` }]);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(Number(await host.sh('ls /var/lib/provision/runs | wc -l'))).toBe(20);
    expect(await host.sh('find /run /tmp /var/tmp -name "*provision*"')).toBe('');
  });

  describe('F42 the record on the host', () => {
    const record = '/var/lib/provision/record';
    const cwd = () => siteWith([host], [{ file: '/etc/faults/recorded', content: 'x\n' }]);
    beforeEach(async () => {
      await host.sh('rm -f /etc/faults/recorded');
    });

    test('of a newer version: apply refuses and leaves it, diff works and says so', async () => {
      const newer = 'provision-record 999\nfile:/etc/x\t{"of":"a later time"}\n';
      await host.writeFile(record, newer, '0600');
      const diff = await provision(cwd(), ['diff']);
      expect(told(diff)).toContain('exit 2');
      expect(told(diff)).toContain('written by a newer version of provision (record 999');
      const refused = await provision(cwd(), ['apply', '--yes']);
      expect(told(refused)).toContain('exit 5');
      expect(await host.readFile(record)).toBe(newer);
      expect((await host.exec(['test', '-e', '/etc/faults/recorded'])).code).toBe(1);
    });

    test.each([
      ['garbage', Buffer.from([0, 255, 27, 93, 53, 50, 7, 10, 200])],
      ['a foreign text', Buffer.from('hello\n')],
      ['truncated', Buffer.from('provision-record 1\nfile:/etc/faults/recorded\t{"type":"fi')],
      ['empty', Buffer.alloc(0)],
      [
        'with wrong types',
        Buffer.from('provision-record 1\nfile:/etc/faults/recorded\t[1]\nx\t7\n__proto__\t{"a":1}\n'),
      ],
    ])(
      '%s: counts as none, with a warning where it cannot be read; apply writes it anew',
      async (_, bytes) => {
        await host.writeFile(record, bytes, '0600');
        const diff = await provision(cwd(), ['diff']);
        expect(told(diff)).toContain('exit 2');
        expect(diff.stdout).not.toMatch(/[\x00-\x08\x1b]/);
        if (bytes.length > 0 && !bytes.toString('latin1').startsWith('provision-record'))
          expect(told(diff)).toContain('the record on this host cannot be read');
        expect(told(await provision(cwd(), ['apply', '--yes']))).toContain('exit 0');
        expect(await host.readFile(record)).toMatch(
          /^provision-record 1\n[\s\S]*file:\/etc\/faults\/recorded\t\{/,
        );
        expect(told(await provision(cwd(), ['diff']))).toContain('exit 0');
      },
    );

    test('a record that is a link to something else is not written through', async () => {
      await host.sh(
        `rm -f ${record}; echo precious >/etc/faults/precious; ln -s /etc/faults/precious ${record}`,
      );
      expect(told(await provision(cwd(), ['apply', '--yes']))).toContain('exit 0');
      expect(await host.readFile('/etc/faults/precious')).toBe('precious\n');
      expect(await host.sh(`[ ! -L ${record} ] && stat -c %F ${record}`)).toBe('regular file\n');
    });
  });
});
