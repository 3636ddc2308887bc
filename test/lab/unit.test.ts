import { afterAll, beforeAll, expect, test } from 'vitest';
import { unit } from '../../src/resources/unit.ts';
import { have, lookAt, make } from './drive.ts';
import { type LabHost, startHost, stopAll } from './lab.ts';
import { describeLab } from './suite.ts';

const service = (body: string) => `[Unit]
Description=Of the lab
[Service]
${body}
[Install]
WantedBy=multi-user.target
`;
const sleeper = service('ExecStart=/bin/sleep 1000');

describeLab('unit', () => {
  let host: LabHost;
  const look = async (...specs: unknown[]) => lookAt(host, unit, specs);
  const pid = async (name: string) => (await host.sh(`systemctl show -p MainPID ${name}`)).trim();

  beforeAll(async () => {
    host = await startHost({ image: 'debian', name: 'unit1' });
  });
  afterAll(stopAll);

  test('a service is written, enabled, started; a second look finds nothing to do', async () => {
    const spec = { unit: 'first.service', content: sleeper, enabled: true, active: true };
    expect((await look(spec))[0]?.observed).toEqual({ have: null });
    const made = await make(host, unit, spec);
    expect(made).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(made.about).toEqual([
      'check first.service with systemd-analyze verify',
      'write /etc/systemd/system/first.service',
      'daemon-reload',
      'enable first.service',
      'restart first.service',
    ]);
    expect(have(made.after)).toMatchObject({
      enabled: 'enabled',
      wanted_by: 'multi-user.target',
      runs: 'current',
    });
  });

  test('a changed configuration makes it stale until it is restarted', async () => {
    await host.writeFile('/etc/second.conf', 'a\n');
    const spec = { unit: 'second.service', content: sleeper, active: true, config: ['/etc/second.conf'] };
    expect((await make(host, unit, spec)).after.differs).toEqual([]);
    const before = await pid('second.service');
    await host.writeFile('/etc/second.conf', 'b\n');
    const [stale] = await look(spec);
    expect(stale?.differs).toEqual(['runs']);
    expect(have(stale)?.runs).toBe('stale');
    // The same bytes again: what runs is what is on disk, however new the file is.
    await host.writeFile('/etc/second.conf', 'a\n');
    expect((await look(spec))[0]?.differs).toEqual([]);
    await host.writeFile('/etc/second.conf', 'b\n');
    const made = await make(host, unit, spec);
    expect(made.about).toEqual(['restart second.service']);
    expect(made).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(await pid('second.service')).not.toBe(before);
  });

  test('killed at any step, the next look still asks for what is missing', async () => {
    const old = { unit: 'killed.service', content: sleeper, enabled: true, active: true };
    const spec = { ...old, content: service('ExecStart=/bin/sleep 2000') };
    for (const steps of [2, 3, 4]) {
      expect((await make(host, unit, old)).after.differs).toEqual([]);
      const { after } = await make(host, unit, spec, steps);
      expect(after.differs).toContain('runs');
      expect(have(after)?.runs).toBe('stale unit');
      expect(after.differs.includes('reload_needed')).toBe(steps === 2);
      expect((await make(host, unit, spec)).after.differs).toEqual([]);
      expect(await host.sh('systemctl show -p ExecStart killed.service')).toContain('sleep 2000');
    }
  }, 180_000);

  test('without a stamp, or after a restart by hand, the times decide', async () => {
    await host.writeFile('/etc/times.conf', 'a\n');
    const spec = { unit: 'times.service', content: sleeper, active: true, config: ['/etc/times.conf'] };
    await make(host, unit, spec);
    await host.sh('touch /etc/times.conf; rm /run/provision/units/times.service');
    expect((await look(spec))[0]?.differs).toEqual(['runs']);
    await host.sh('sleep 1.1; systemctl restart times.service');
    expect((await look(spec))[0]?.differs).toEqual([]);
    await host.sh('sleep 1.1; echo b >/etc/times.conf');
    expect((await look(spec))[0]?.differs).toEqual(['runs']);
    // A restart by hand makes another invocation: an old stamp says nothing about it.
    await make(host, unit, spec);
    await host.sh('echo c >/etc/times.conf; sleep 1.1; systemctl restart times.service');
    expect((await look(spec))[0]?.differs).toEqual([]);
  });

  test('reload keeps the process; a new unit text needs a restart all the same', async () => {
    await host.writeFile('/etc/reload.conf', 'a\n');
    const text = service('ExecStart=/bin/sleep 3000\nExecReload=/bin/true');
    const spec = {
      unit: 'reload.service',
      content: text,
      active: true,
      on_change: 'reload',
      config: ['/etc/reload.conf'],
    };
    await make(host, unit, spec);
    const before = await pid('reload.service');
    await host.writeFile('/etc/reload.conf', 'b\n');
    const made = await make(host, unit, spec);
    expect(made.about).toEqual(['reload reload.service']);
    expect(made.after.differs).toEqual([]);
    expect(await pid('reload.service')).toBe(before);
    const again = await make(host, unit, { ...spec, content: text.replace('3000', '3001') });
    expect(again.about.at(-1)).toBe('restart reload.service');
    expect(again.after.differs).toEqual([]);
    expect(await pid('reload.service')).not.toBe(before);
  });

  test('drop-ins of a unit that is not ours: written, seen when changed by hand, removed when null', async () => {
    const spec = { unit: 'cron.service', active: true, dropins: { '10-lab.conf': '[Service]\nNice=5\n' } };
    const made = await make(host, unit, spec);
    expect(made).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(await host.sh('systemctl show -p Nice cron.service')).toBe('Nice=5\n');
    await host.sh('echo "Nice=7" >>/etc/systemd/system/cron.service.d/10-lab.conf');
    expect((await look(spec))[0]?.differs).toEqual(['dropin 10-lab.conf', 'reload_needed', 'runs']);
    const gone = await make(host, unit, { ...spec, dropins: { '10-lab.conf': null } });
    expect(gone).toMatchObject({ outcome: 'done', after: { differs: [] } });
    expect(await host.sh('systemctl show -p Nice cron.service')).toBe('Nice=0\n');
  });

  test('enabled and active go both ways, and links removed by hand are seen', async () => {
    const text = service('ExecStart=/bin/sleep 4000');
    const on = { unit: 'switch.service', content: text, enabled: true, active: true };
    const off = { ...on, enabled: false, active: false };
    await make(host, unit, on);
    await host.sh('rm /etc/systemd/system/multi-user.target.wants/switch.service');
    expect((await look(on))[0]?.differs).toEqual(['enabled', 'wanted_by']);
    expect((await make(host, unit, on)).after.differs).toEqual([]);
    expect((await make(host, unit, off)).about).toEqual(['disable switch.service', 'stop switch.service']);
    expect((await look(off))[0]?.differs).toEqual([]);
    const moved = { ...on, content: text.replace('multi-user.target', 'timers.target') };
    await make(host, unit, on);
    expect(have((await make(host, unit, moved)).after)?.wanted_by).toBe('timers.target');
  });

  test('a masked unit is shown and left alone', async () => {
    await host.sh('systemctl mask --quiet masked.service');
    const spec = { unit: 'masked.service', content: sleeper, enabled: true, active: true };
    const [seen] = await look(spec);
    expect(seen?.refused).toContain('masked');
    expect(have(seen)).toMatchObject({ text: 'masked', enabled: 'masked' });
    expect((await look({ unit: 'masked.service', state: 'absent' }))[0]?.refused).toContain('masked');
    await expect(make(host, unit, spec)).rejects.toThrow('refused');
  });

  test('a timer takes its new text without a restart, and its removal leaves nothing', async () => {
    const oneshot = { unit: 'tick.service', content: '[Service]\nType=oneshot\nExecStart=/bin/true\n' };
    const text = '[Timer]\nOnCalendar=2100-01-01\nPersistent=true\n[Install]\nWantedBy=timers.target\n';
    const timer = { unit: 'tick.timer', content: text, enabled: true, active: true };
    expect((await make(host, unit, oneshot)).after.differs).toEqual([]);
    expect((await make(host, unit, timer)).after.differs).toEqual([]);
    const next = { ...timer, content: text.replace('2100', '2090') };
    expect((await make(host, unit, next)).after.differs).toEqual([]);
    expect(await host.sh('systemctl show -p NextElapseUSecRealtime tick.timer')).toContain('2090-01-01');
    const before = await host.sh('ls /var/lib/systemd/timers');
    expect(before).toContain('stamp-tick.timer');
    for (const name of ['tick.timer', 'tick.service']) {
      const made = await make(host, unit, { unit: name, state: 'absent' });
      expect(made.outcome).toBe('done');
      expect(made.after.observed).toEqual({ have: null });
    }
    expect(await host.sh('find /etc/systemd /var/lib/systemd /run/provision -name "*tick.*"')).toBe('');
    expect(await host.sh('systemctl list-units --all "tick.*" --no-legend')).toBe('');
  });

  test('a removed unit that was deleted by hand while it ran is still cleared away', async () => {
    const spec = {
      unit: 'torn.service',
      content: sleeper,
      enabled: true,
      active: true,
      dropins: { 'a.conf': '[Service]\nNice=1\n' },
    };
    await make(host, unit, spec);
    await host.sh('rm /etc/systemd/system/torn.service; systemctl daemon-reload');
    const made = await make(host, unit, { unit: 'torn.service', state: 'absent' });
    expect(made).toMatchObject({ outcome: 'done', after: { observed: { have: null } } });
    expect(await host.sh('find /etc/systemd /run/provision -name "torn.service*"')).toBe('');
  });

  test('a failing start says why', async () => {
    const text = service('ExecStart=/bin/sh -c "echo the reason >&2; exit 3"');
    const made = await make(host, unit, { unit: 'fails.service', content: text, active: true });
    expect(made.outcome).toMatch(/^failed/);
    expect(made.said).toContain('the reason');
    expect(made.after.differs).toContain('active');
  });

  test('a faulty text is not put in place', async () => {
    for (const text of [
      sleeper.replace('ExecStart', 'ExecStrat'),
      service('ExecStart=/nothing/there'),
      service('ExecStart=/bin/true\nTypo=1'),
    ]) {
      const made = await make(host, unit, { unit: 'faulty.service', content: text });
      expect(made.outcome).toMatch(/^failed/);
      expect(made.said).toContain('faulty.service');
      expect(made.after.observed).toEqual({ have: null });
    }
  });

  test('the validator of diff accepts what the same plan may bring, refuses an unknown key, leaves nothing', async () => {
    const verdict = async (text: string) => {
      const validator = unit.validator?.({ unit: 'valid.service', content: text });
      await host.writeFile('/root/staged', text);
      const before = await host.sh('ls /run /tmp');
      const ended = await host.exec(
        validator?.argv.map((word) => (word === '{file}' ? '/root/staged' : word)) ?? [],
      );
      expect(await host.sh('ls /run /tmp')).toBe(before);
      return ended;
    };
    expect(await verdict(sleeper)).toMatchObject({ code: 0, stdout: '' });
    expect(await verdict(service('ExecStart=/not/yet/there'))).toMatchObject({ code: 0 });
    const typo = await verdict(service('ExecStart=/not/yet/there\nTypo=1'));
    expect(typo.code).toBe(1);
    expect(typo.stdout).toMatch(/^valid.service:5: Unknown key/);
  });

  test('looking at several prints for each what looking at it alone prints', async () => {
    const specs = [
      { unit: 'first.service', content: sleeper, enabled: true, active: true },
      { unit: 'second.service', content: sleeper, active: true, config: ['/etc/second.conf'] },
      { unit: 'nothing.service', enabled: false, active: false },
      { unit: 'masked.service', active: false },
      { unit: 'ssh.service', enabled: true, active: true },
      { unit: 'nfs-kernel-server.service', enabled: false },
      { unit: 'notify@.service', content: sleeper },
      { unit: 'mnt-a\\x2db.mount', state: 'absent' },
      { unit: 'tick.timer', state: 'absent' },
      { unit: 'systemd-journald.service', active: true },
    ];
    const together = await look(...specs);
    for (const [index, spec] of specs.entries()) {
      expect((await look(spec))[0]?.text, spec.unit).toBe(together[index]?.text);
      expect(together[index]?.text, spec.unit).not.toBe('');
      expect(together[index]?.observed, spec.unit).not.toHaveProperty('unknown');
    }
    expect(together[2]?.differs).toEqual([]);
  });
});
