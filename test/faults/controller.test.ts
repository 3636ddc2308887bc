import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { changes, type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { describeLab } from '../lab/suite.ts';
import {
  busy,
  gatedFile,
  idle,
  journal,
  newestRun,
  open,
  provision,
  shut,
  siteWith,
  told,
  until,
} from './fixture.ts';

const names = ['a', 'b', 'c'];
const text = (version: number, name: string): string => `${name} of version ${version}\n`.repeat(2000);
/** The version that a text is exactly and wholly of, else what it is. */
const versionOf = (found: string, name: string): number | string => {
  const version = Number(/ (\d+)\n/.exec(found)?.[1]);
  return found === text(version, name) ? version : `torn: ${found.slice(0, 100)}`;
};

describeLab('F01 kill -9 of the controller', () => {
  let host: LabHost;
  const site = (version: number) =>
    siteWith(
      [host],
      names.map((name) => gatedFile(`/etc/faults-${name}`, text(version, name), name)),
    );

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    expect(told(await provision(site(0), ['apply', '--yes']))).toContain('exit 0');
  });
  afterAll(stopAll);

  const versions = () =>
    Promise.all(names.map(async (name) => versionOf(await host.readFile(`/etc/faults-${name}`), name)));

  test.each([0, 1, 2])('while change %i is being made: the host ends the run alone', async (k) => {
    const version = k + 1;
    const cwd = site(version);
    const gate = names[k] ?? '';
    await shut(host, gate);
    const controller = startProvision(['apply', '--yes'], { cwd });
    await until(host, journal(`change ${k} start`));
    controller.kill('SIGKILL');
    expect((await controller.finished).signal).toBe('SIGKILL');
    expect(await versions()).toEqual(names.map((_, at) => (at < k ? version : version - 1)));

    const during = await provision(cwd, ['diff']);
    expect(told(during)).toContain('an apply is running on this host now');
    await open(host, gate);
    await until(host, idle);
    expect(await versions()).toEqual(names.map(() => version));
    await host.sh('flock -n /var/lib/provision/lock true');

    const second = await provision(cwd, ['apply', '--yes']);
    expect(told(second)).toContain('exit 0');
    expect(second.stdout).toContain('finished without its controller');
    const before = await host.snapshot(['/etc', '/var/lib/provision']);
    const third = await provision(cwd, ['apply', '--yes']);
    expect(told(third)).toContain('exit 0');
    expect(third.stdout).not.toContain('without its controller');
    expect(changes(before, await host.snapshot(['/etc', '/var/lib/provision']))).toEqual([]);
    expect(await host.sh('find / -xdev -name ".provision.*"')).toBe('');
  });

  test('before the run is started: nothing happens, nothing is left', async () => {
    const cwd = site(7);
    const before = await host.snapshot(['/etc', '/var/lib/provision']);
    const controller = startProvision(['apply', '--yes'], { cwd });
    await until(host, busy);
    controller.kill('SIGKILL');
    await controller.finished;
    await until(host, `! ${busy}`);
    await until(host, idle);
    const after = await host.snapshot(['/etc', '/var/lib/provision']);
    // Killed a moment later it has started: then it went to its end.
    const [first] = await versions();
    if (first === 3) expect(changes(before, after)).toEqual([]);
    else expect(await versions()).toEqual([7, 7, 7]);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(await versions()).toEqual([7, 7, 7]);
  });

  test('F04 the program on the host dies in the middle of a change: the lock is held until that change is over', async () => {
    const cwd = site(8);
    await shut(host, 'b');
    const controller = startProvision(['apply', '--yes'], { cwd });
    await until(host, journal('change 1 start'));
    await host.sh('read -r run pid rest </var/lib/provision/holder; kill -KILL "$pid"');
    expect(told(await controller.finished)).toContain('exit 4');
    const second = await provision(cwd, ['apply', '--yes']);
    expect(told(second)).toContain('exit 7');
    await open(host, 'b');
    await until(host, 'flock -n /var/lib/provision/lock true');
    expect(await versions()).toEqual([8, 8, 7]);
    expect(told(await provision(cwd, ['apply', '--yes']))).toContain('exit 0');
    expect(told(await provision(site(7), ['apply', '--yes']))).toContain('exit 0');
  });

  test('the program on the host dies as well: what it left is swept up by the next apply, even if that has nothing to change', async () => {
    const cwd = site(9);
    await shut(host, 'b');
    const controller = startProvision(['apply', '--yes'], { cwd });
    await until(host, journal('change 1 start'));
    controller.kill('SIGKILL');
    await controller.finished;
    await host.sh('read -r run pid rest </var/lib/provision/holder; pkill -KILL -s "$pid"');
    await open(host, 'b');
    expect(await versions()).toEqual([9, 7, 7]);
    expect(await host.sh(`ls -d ${newestRun}/stage`)).toContain('stage');
    const back = site(7);
    await host.writeFile('/etc/faults-a', text(7, 'a'));
    const again = await provision(back, ['apply', '--yes']);
    expect(told(again)).toContain('exit 0');
    expect(again.stdout).toContain('was interrupted before its end');
    expect(await host.sh('ls -d /var/lib/provision/runs/*/stage || :')).toBe('');
    expect((await provision(back, ['diff'])).stdout).not.toContain('interrupted');
  });
});
