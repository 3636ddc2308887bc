import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProvision } from '../lab/cli.ts';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { mustRun, runHere, scratch } from '../lab/machine.ts';
import { describeLab } from '../lab/suite.ts';
import { pidOf, provision, siteWith, told, until } from './fixture.ts';

const point = '/mnt/disk';

/** A disk of the host that this machine can stop: whoever writes to it then waits in the kernel, where no signal reaches him. */
describeLab('F17 a disk that takes no writes', () => {
  let host: LabHost;
  let loop = '';
  let inside: string[] = [];
  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'pve1' });
    const image = join(scratch('disk'), 'image');
    await mustRun(['truncate', '-s', '32M', image]);
    await mustRun(['mkfs.ext4', '-q', image]);
    inside = ['nsenter', '--target', await pidOf(host), '--mount', '--'];
    const found = await runHere(['losetup', '--find', '--show', image]);
    loop = found.code === 0 ? found.stdout.trim() : '';
    if (loop === '') return;
    const number = (await mustRun(['stat', '-c', '%Hr %Lr', loop])).trim().split(' ');
    await mustRun([...inside, 'mknod', '/srv/disk-node', 'b', ...number]);
    await mustRun([
      ...inside,
      'sh',
      '-c',
      `set -e; mkdir -p ${point}; mount /srv/disk-node ${point}; chmod 755 ${point}`,
    ]);
    await host.writeFile(`${point}/file`, 'old\n');
  });
  afterAll(async () => {
    if (loop !== '') {
      await thaw();
      await runHere([...inside, 'umount', '--lazy', point]);
      await runHere(['losetup', '--detach', loop]);
    }
    await stopAll();
  });

  const freeze = () => mustRun([...inside, 'fsfreeze', '--freeze', point]);
  const thaw = () => runHere([...inside, 'fsfreeze', '--unfreeze', point]);
  const resources = [{ file: `${point}/file`, content: 'new\n' }];

  test('diff reads as always; a check that writes is unknown within its limit', async (context) => {
    context.skip(loop === '', 'this machine has no loop device to give');
    const role = {
      checks: [{ id: 'disk', about: 'It takes writes.', mount_health: point, write_test: true, limit: 3 }],
    };
    const cwd = siteWith([host], resources, { role });
    expect(told(await provision(cwd, ['check']))).toContain('exit 0');
    await freeze();
    expect(told(await provision(cwd, ['diff']))).toContain('exit 2');
    const checked = await provision(cwd, ['check']);
    expect(told(checked)).toContain('exit 8');
    expect(told(checked)).toContain('no answer in 3 s');
    expect(checked.milliseconds).toBeLessThan(9000);
    await thaw();
    // What the probe had asked for when it was killed is made after all; its name says what it is.
    expect(await host.sh(`ls -A ${point} | grep -v -e '^\\.provision-probe' -e lost+found`)).toBe('file\n');
    expect(told(await provision(cwd, ['check']))).toContain('exit 0');
  });

  test('an apply that meets it can be left: it ends on the host when the disk goes on, with whole files', async (context) => {
    context.skip(loop === '', 'this machine has no loop device to give');
    const cwd = siteWith([host], resources);
    await freeze();
    const applying = startProvision(['apply', '--yes'], { cwd });
    await until(host, `ls /var/lib/provision/runs/*/temps >/dev/null 2>&1`);
    applying.kill('SIGINT');
    applying.kill('SIGINT');
    const left = await applying.finished;
    expect(told(left)).toContain('exit 130');
    const second = await provision(cwd, ['apply', '--yes']);
    expect(told(second)).toContain('exit 7');
    expect(await host.readFile(`${point}/file`)).toBe('old\n');
    await thaw();
    await until(host, `[ "$(cat ${point}/file)" = new ] && ! ls -A ${point} | grep -q '^\\.provision\\.'`);
    await until(host, 'flock -n /var/lib/provision/lock true');
    expect(told(await provision(cwd, ['diff']))).toContain('exit 0');
  });
});
