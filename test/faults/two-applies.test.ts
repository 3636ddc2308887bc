import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { gatedFile, hostsOf, journal, open, provision, shut, siteWith, told, until } from './fixture.ts';

const names = ['a', 'b', 'c', 'd'];
const rounds = 20;

describeLab('F04 two applies at once', () => {
  let host: LabHost;
  const site = (text: string) =>
    siteWith(
      [host],
      names.map((name) => ({ file: `/etc/faults-${name}`, content: `${text}\n` })),
    );
  const gated = (text: string) => siteWith([host], [gatedFile('/etc/faults-gated', `${text}\n`, 'one')]);

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
  });
  afterAll(stopAll);

  test(`${rounds} rounds of two with other contents: never a mixed result; who comes too late says so`, async () => {
    const seen = new Map<string, number>();
    const both = [site('one'), site('two')] as const;
    for (let round = 0; round < rounds; round += 1) {
      // Both must have something to do: each time neither text is there.
      await host.sh(`for name in ${names.join(' ')}; do echo ${round} >/etc/faults-$name; done`);
      const ended = await Promise.all(both.map((cwd) => provision(cwd, ['apply', '--yes'])));
      const found = await Promise.all(names.map((name) => host.readFile(`/etc/faults-${name}`)));
      expect(new Set(found).size, `round ${round}: ${found}\n${ended.map(told).join()}`).toBe(1);
      expect(['one\n', 'two\n']).toContain(found[0]);
      const codes = ended.map(({ code }) => code).sort();
      // Serial, locked out, or the loser found that it had changed under it.
      expect(['0,0', '0,7', '0,6'], ended.map(told).join()).toContain(codes.join());
      seen.set(codes.join(), (seen.get(codes.join()) ?? 0) + 1);
      const locked = ended.find(({ code }) => code === 7);
      if (locked) expect(told(locked)).toMatch(/another apply is running on this host, started by \S+@/);
    }
    expect(seen.get('0,7') ?? 0).toBeGreaterThan(0);
  });

  test('the second ends with 7 at once and names who holds the lock since when; diff works and says that an apply runs', async () => {
    await shut(host, 'one');
    const first = startProvision(['apply', '--yes'], { cwd: gated('first') });
    await until(host, journal('change 0 start'));
    const second = await provision(gated('second'), ['apply', '--yes']);
    expect(told(second)).toContain('exit 7');
    expect(told(second)).toMatch(/another apply is running on this host, started by \S+@\S+ since \d{4}-/);
    const diff = await provision(gated('first'), ['diff', '--format', 'json']);
    expect(diff.code).toBe(2);
    expect(hostsOf(diff.stdout)[0]?.notices.join()).toMatch(/an apply is running on this host now .*@/);
    await open(host, 'one');
    expect(told(await first.finished)).toContain('exit 0');
    expect(await host.readFile('/etc/faults-gated')).toBe('first\n');
  });

  test('--wait waits for its turn, and then looks again: what it waited with is not applied', async () => {
    await shut(host, 'one');
    const first = startProvision(['apply', '--yes'], { cwd: gated('third') });
    await until(host, journal('change 0 start'));
    const other = siteWith([host], [{ file: '/etc/faults-other', content: 'other\n' }]);
    const waiting = startProvision(['apply', '--yes', '--wait', '30'], { cwd: other });
    const third = startProvision(['apply', '--yes', '--wait', '30'], { cwd: gated('fourth') });
    await until(host, '[ "$(ps -eo args | grep -c "^flock -w")" -eq 2 ]');
    expect(await host.sh('ls /etc/faults-other || :')).toBe('');
    await open(host, 'one');
    expect(told(await first.finished)).toContain('exit 0');
    expect(told(await waiting.finished)).toContain('exit 0');
    expect(await host.readFile('/etc/faults-other')).toBe('other\n');
    expect(told(await third.finished)).toContain('exit 0');
    expect(await host.readFile('/etc/faults-gated')).toBe('fourth\n');
  });

  test('--wait has an end', async () => {
    await shut(host, 'one');
    const first = startProvision(['apply', '--yes'], { cwd: gated('fifth') });
    await until(host, journal('change 0 start'));
    const second = await provision(gated('sixth'), ['apply', '--yes', '--wait', '1']);
    expect(told(second)).toContain('exit 7');
    await open(host, 'one');
    expect(told(await first.finished)).toContain('exit 0');
  });
});
