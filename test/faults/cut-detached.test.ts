import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import { gatedFile, idle, journal, open, provision, shut, siteWith, told, until } from './fixture.ts';

const names = ['a', 'b', 'c'];

describeLab('F02 F03 the connection goes away while the host makes changes', () => {
  let hosts: LabHost[];
  const site = (host: LabHost, version: number) =>
    siteWith(
      [host],
      names.map((name) => gatedFile(`/etc/faults-${name}`, `version ${version}\n`, name)),
    );

  beforeAll(async () => {
    hosts = await Promise.all([
      startHost({ image: 'debian', name: 'reset' }),
      startHost({ image: 'debian', name: 'drop' }),
      startHost({ image: 'nas-flock', name: 'frozen' }),
    ]);
    await Promise.all(
      hosts.map(async (host) =>
        expect(told(await provision(site(host, 0), ['apply', '--yes']))).toContain('exit 0'),
      ),
    );
  });
  afterAll(stopAll);

  test('exit 3 names host and run within 30 s; the host ends the run alone; the next apply has nothing left to do', async () => {
    await Promise.all(
      hosts.map(async (host) => {
        const cwd = site(host, 1);
        await shut(host, 'b');
        const applying = startProvision(['apply', '--yes'], { cwd });
        await until(host, journal('change 1 start'));
        if (host.name === 'frozen') await host.freeze();
        else await host.cut(host.name === 'reset' ? 'reset' : 'drop');
        const from = performance.now();
        const cut = await applying.finished;
        expect(performance.now() - from).toBeLessThan(30_000);
        expect(told(cut)).toContain('exit 3');
        expect(told(cut)).toContain(host.name);
        expect(told(cut)).not.toMatch(/nothing (on this host )?was changed/i);
        expect(told(cut)).toMatch(/The run \S+ goes on by itself on the host/);
        const sums = await Promise.all(names.map((name) => host.readFile(`/etc/faults-${name}`)));
        expect(sums).toEqual(['version 1\n', 'version 0\n', 'version 0\n']);
        await open(host, 'b');
        await until(host, idle);
        await host.uncut();
        await host.thaw();
        const diff = await provision(cwd, ['diff']);
        expect(told(diff)).toContain('exit 0');
        expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
        const before = await host.snapshot(['/etc', '/var/lib/provision']);
        expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
        expect(changes(before, await host.snapshot(['/etc', '/var/lib/provision']))).toEqual([]);
        for (const name of names) expect(await host.readFile(`/etc/faults-${name}`)).toBe('version 1\n');
      }),
    );
  });

  test('the host itself loses its power: it comes back with whole files, and the next apply converges', async () => {
    const host = hosts[1] as LabHost;
    const cwd = site(host, 2);
    await shut(host, 'b');
    const applying = startProvision(['apply', '--yes'], { cwd });
    await until(host, journal('change 1 start'));
    await host.crash();
    expect(told(await applying.finished)).toContain('exit 3');
    await host.start();
    expect(await Promise.all(names.map((name) => host.readFile(`/etc/faults-${name}`)))).toEqual([
      'version 2\n',
      'version 1\n',
      'version 1\n',
    ]);
    const again = await provision(cwd, ['apply', '--yes']);
    expect(told(again)).toContain('exit 0');
    expect(told(again)).toContain('interrupted');
    expect(await host.sh('ls -d /var/lib/provision/runs/*/stage || :')).toBe('');
    for (const name of names) expect(await host.readFile(`/etc/faults-${name}`)).toBe('version 2\n');
  });
});
