import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { mustRun } from '../lab/machine.ts';
import { describeLab } from '../lab/suite.ts';
import { pidOf, provision, siteWith, told } from './fixture.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const size = 3.5 * 1024 * 1024;
const text = (version: number, name: string): string =>
  `${name} of version ${version}\n`.padEnd(size, '0123456789abcde\n');

describeLab('F02 F03 the connection goes away during an upload of 24 MB', () => {
  let hosts: LabHost[];
  /** Version 0 is small: the upload that is cut comes with version 1. */
  const site = (host: LabHost, version: number) =>
    siteWith(
      [host],
      names.map((name) => ({ file: `/etc/faults-${name}`, template: `big/${name}.hbs` })),
      {
        files: Object.fromEntries(
          names.map((name) => [
            `templates/big/${name}.hbs`,
            version === 0 ? `old ${name}\n` : text(version, name),
          ]),
        ),
      },
    );

  beforeAll(async () => {
    hosts = await Promise.all(
      ['reset', 'drop', 'frozen'].map((name) => startHost({ image: 'debian', name })),
    );
    for (const host of hosts)
      expect(told(await provision(site(host, 0), ['apply', '--yes']))).toContain('exit 0');
  });
  afterAll(stopAll);

  test('exit 3 names the host within 30 s, nothing is touched, the next apply converges', async () => {
    const faults: Record<string, (host: LabHost) => Promise<void>> = {
      reset: (host) => after(host, 9_000_000, ['REJECT', '--reject-with', 'tcp-reset']),
      drop: (host) => after(host, 14_000_000, ['DROP']),
      frozen: (host) => freezeAfter(host, 5_000_000),
    };
    await Promise.all(
      hosts.map(async (host) => {
        const before = await host.snapshot(['/etc', '/var/lib/provision']);
        const happened = faults[host.name]?.(host);
        if (host.name !== 'frozen') await happened;
        const cut = await provision(site(host, 1), ['apply', '--yes']);
        expect(told(cut)).toContain('exit 3');
        expect(told(cut)).toContain(host.name);
        expect(told(cut)).toContain('lost while the new contents were sent');
        expect(cut.milliseconds).toBeLessThan(30_000);
        await happened;
        const left = await host.snapshot(['/etc', '/var/lib/provision']);
        expect([...left.keys()]).toEqual([...before.keys()]);
        expect(left).toEqual(before);
        await host.uncut();
        await host.thaw();
      }),
    );
    for (const host of hosts) {
      // What hung in an old connection may not come to life after the new one.
      await sleep(200);
      expect(told(await provision(site(host, 1), ['apply', '--yes']))).toContain('exit 0');
      for (const name of names) {
        const [sum] = (await host.sh(`sha256sum /etc/faults-${name}; wc -c </etc/faults-${name}`))
          .split('\n')
          .slice(1);
        expect(Number(sum)).toBe(size);
      }
      expect(told(await provision(site(host, 1), ['diff']))).toContain('exit 0');
      expect(await host.sh('ls -d /var/lib/provision/runs/*/stage || :')).toBe('');
    }
    // A dozen times 24 MB through a cipher, on a machine that runs other tests as well.
  }, 240_000);
});

/** Lets this many bytes in to port 22, then meets every packet with `fate`. */
async function after(host: LabHost, bytes: number, fate: readonly string[]): Promise<void> {
  const pid = await pidOf(host);
  const inside = [
    'nsenter',
    '--target',
    pid,
    '--net',
    'iptables',
    '-w',
    '-A',
    'INPUT',
    '-p',
    'tcp',
    '--dport',
    '22',
  ];
  await mustRun([...inside, '-m', 'quota', '--quota', String(bytes), '-j', 'ACCEPT']);
  await mustRun([...inside, '-j', ...fate]);
}

/** Stops the sessions on the host once one of them has read this much. */
async function freezeAfter(host: LabHost, bytes: number): Promise<void> {
  await host.sh(`until
  for dir in /proc/[0-9]*; do
    [ "$(cat "$dir/comm" 2>/dev/null)" = sshd ] || continue
    read=$(sed -n 's/^rchar: //p' "$dir/io" 2>/dev/null)
    [ "\${read:-0}" -lt ${bytes} ] || { kill -STOP "\${dir#/proc/}"; break; }
  done
  [ "\${read:-0}" -ge ${bytes} ]
do :; done`);
  await host.freeze();
}
