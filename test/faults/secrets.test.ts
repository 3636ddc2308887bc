import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, startProvision } from '../lab/cli.ts';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { scratch } from '../lab/machine.ts';
import { describeLab } from '../lab/suite.ts';
import { gatedFile, journal, open, provision, shut, siteWith, told, until } from './fixture.ts';

const canaries = ['canary-old-9f2d71c3', 'canary-new-51b8e0aa', 'canary-template-c44d10fe'] as const;
const [old, fresh, other] = canaries;
const target = '/etc/faults-secret';
const second = '/etc/faults-second';

/** Every way a canary could be written down: plain, in base64 at each of its three offsets, in hex. */
function traces(canary: string): string[] {
  const shifted = [0, 1, 2].map((by) => {
    const text = Buffer.from(`${'x'.repeat(by)}${canary}`).toString('base64');
    return text.slice(by === 0 ? 0 : 4, -4);
  });
  return [canary, ...shifted, Buffer.from(canary).toString('hex')];
}

const all = canaries.flatMap(traces);
/** A short password can be found from a plain hash of the file that holds it. */
const hashes = canaries.map((canary) => createHash('sha256').update(`password=${canary}\n`).digest('hex'));

describeLab('F31 a secret', () => {
  let host: LabHost;
  let cwd: string;
  let env: { PROVISION_AGE_KEY_FILE: string };
  const outputs: string[] = [];
  let arguments_ = '';

  const site = (dir?: string) =>
    siteWith(
      [host],
      [
        { ...gatedFile(target, 'password=${secrets.canary}\n', 'secret'), mode: '0600' },
        { file: second, template: 'secret.hbs', mode: '0600' },
        { file: '/etc/faults-plain', content: 'plain\n' },
      ],
      {
        files: { 'templates/secret.hbs': 'password={{line other}}\n' },
        vars: { faults: { other: '${secrets.other}' } },
        role: {
          variables: { other: { type: 'string', description: 'A password.' } },
          checks: [
            {
              id: 'file',
              about: 'The secret is in place.',
              file: target,
              content: 'password=${secrets.canary}\n',
              mode: '0600',
            },
          ],
        },
      },
      dir,
    );
  const keep = (ended: Finished): Finished => {
    outputs.push(told(ended));
    return ended;
  };
  const run = async (...args: string[]) => keep(await provision(cwd, args, { env }));

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    await host.sh(
      "mkdir -p /etc/ssh/sshd_config.d; echo 'LogLevel DEBUG3' >/etc/ssh/sshd_config.d/debug.conf; systemctl reload ssh",
    );
    env = { PROVISION_AGE_KEY_FILE: join(scratch('age'), 'age.key') };
    cwd = site();
    expect((await run('secret', 'keygen', '--out', env.PROVISION_AGE_KEY_FILE)).code).toBe(0);
    for (const [name, value] of [
      ['canary', old],
      ['other', other],
    ] as const)
      expect((await provision(cwd, ['secret', 'set', name], { env, input: value })).code).toBe(0);
    expect(told(await run('apply', '--yes'))).toContain('exit 0');
    expect((await provision(cwd, ['secret', 'set', 'canary'], { env, input: fresh })).code).toBe(0);
  });
  afterAll(stopAll);

  test('every command, every format, while arguments of all processes are sampled', async () => {
    await host.sh(`rm -f ${second}`);
    const plan = join(cwd, 'plan.json');
    for (const format of ['text', 'json', 'junit', 'tap']) {
      expect((await run('diff', '-v', '--format', format)).code).toBe(2);
      await run('check', '-v', '--format', format);
    }
    await run('diff', '--out', plan);
    outputs.push(readFileSync(plan, 'utf8'));
    await run('explain', `file:${target}`);
    await run('explain', 'faults');
    await run('list', 'resources', '--format', 'json');

    // Two applies: one that is interrupted by a change of the file, one that goes through.
    const sampling = host.exec([
      'sh',
      '-c',
      'while [ ! -e /run/stop ]; do for dir in /proc/[0-9]*; do tr "\\0" " " <"$dir/cmdline"; tr "\\0" " " <"$dir/environ"; echo; done; done 2>/dev/null >/run/seen',
    ]);
    await shut(host, 'secret');
    const applying = startProvision(['apply', '--plan', plan, '--yes', '-v'], { cwd, env });
    await until(host, journal('change 0 start'));
    arguments_ =
      readFileSync(`/proc/${applying.pid}/cmdline`, 'latin1') +
      readFileSync(`/proc/${applying.pid}/environ`, 'latin1');
    await open(host, 'secret');
    expect(told(keep(await applying.finished))).toContain('exit 0');
    await host.sh(': >/run/stop');
    await sampling;
    expect(await host.readFile(target)).toBe(`password=${fresh}\n`);
    expect(await host.readFile(second)).toBe(`password=${other}\n`);
  });

  test('a failing run says nothing of it either', async () => {
    expect((await provision(cwd, ['secret', 'set', 'canary'], { env, input: old })).code).toBe(0);
    await host.sh(`rm ${target}; mkdir ${target}`);
    expect((await run('apply', '--yes', '-v')).code).toBe(5);
    await host.sh(`rmdir ${target}`);
    const quoting = (when: string) =>
      siteWith(
        [host],
        [
          {
            file: target,
            content: '${secrets.canary}\n',
            verify: ['sh', '-c', `${when} { cat "$1"; exit 1; }`, 'sh', '{file}'],
          },
        ],
        { files: { 'inventory/secrets.yaml': readFileSync(join(cwd, 'inventory/secrets.yaml'), 'utf8') } },
      );
    const inApply = quoting('case $1 in */lib/provision/runs/*) ;; *) exit 0 ;; esac;');
    for (const format of ['text', 'json'])
      keep(await provision(inApply, ['apply', '--yes', '-v', '--format', format], { env }));
    expect(outputs.at(-1)).toContain('"outcome": "failed"');
    for (const format of ['text', 'json'])
      keep(await provision(quoting(''), ['diff', '-v', '--format', format], { env }));
    expect(outputs.at(-1)).toContain('rejects the new content');
    expect((await provision(cwd, ['secret', 'set', 'canary'], { env, input: fresh })).code).toBe(0);
    expect(told(await run('apply', '--yes'))).toContain('exit 0');
  });

  test('where it would be seen in an argument or a report, it is refused before any contact', async () => {
    const seen = siteWith(
      [host],
      [{ line: second, key: 'password', value: '${secrets.canary}', create: true }],
      {
        files: { 'inventory/secrets.yaml': readFileSync(join(cwd, 'inventory/secrets.yaml'), 'utf8') },
      },
    );
    const refused = keep(await provision(seen, ['diff'], { env }));
    expect(told(refused)).toContain('exit 1');
    expect(told(refused)).toContain('the secret canary would be seen');
  });

  describe('is not in', () => {
    test('anything that was printed, nor in the plan', () => {
      const text = outputs.join('\n');
      expect(text.length).toBeGreaterThan(2000);
      expect([...all, ...hashes].filter((trace) => text.includes(trace))).toEqual([]);
    });

    test('arguments or environment of any process, here and there', async () => {
      const seen = `${arguments_}\n${await host.readFile('/run/seen')}`;
      expect(seen).toContain('run.sh');
      expect(all.filter((trace) => seen.includes(trace))).toEqual([]);
    });

    test('any file of the host except its own, and what only root can read in the runs: copies of old ones, output of its validator', async () => {
      const found = await grep();
      const ofRuns = /^\/var\/lib\/provision\/runs\/[^/]+\/(kept\/|log$)/;
      const places = found.filter((path) => !ofRuns.test(path));
      expect(places.sort()).toEqual([second, target].sort());
      expect(await host.sh(`stat -c %a ${target} /var/lib/provision`)).toBe('600\n700\n');
      expect(await host.sh('stat -c %a /var/lib/provision/runs/*/kept | sort -u')).toBe('700\n');
    });

    test('the log of sshd or of the system', async () => {
      const log = await host.sh('journalctl --no-pager -q -o cat');
      expect(log).toContain('debug');
      expect(all.filter((trace) => log.includes(trace))).toEqual([]);
    });
  });

  test('this search finds a leak that is planted', async () => {
    await host.writeFile('/var/lib/provision/leak', Buffer.from(fresh).toString('base64'));
    await host.writeFile('/opt/leak', `x${Buffer.from(`xx${other}`).toString('base64')}`);
    await host.writeFile('/opt/hex', Buffer.from(old).toString('hex'));
    const found = await grep();
    expect(found).toEqual(expect.arrayContaining(['/var/lib/provision/leak', '/opt/leak', '/opt/hex']));
  });

  /** Paths of the files on the host that hold a trace of a canary. */
  async function grep(): Promise<string[]> {
    const patterns = [...all, ...hashes].map((trace) => `${trace}\n`).join('');
    const search = await host.exec(
      [
        'sh',
        '-c',
        'cd /; grep -rlaF -f - --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev --exclude=seen / 2>/dev/null',
      ],
      { input: patterns },
    );
    return search.stdout.split('\n').filter((path) => path !== '');
  }
});
