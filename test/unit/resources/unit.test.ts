import { spawnSync } from 'node:child_process';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../../src/model/host.ts';
import type { ResourceType } from '../../../src/model/resource.ts';
import type { Sh } from '../../../src/model/sh.ts';
import type { State } from '../../../src/model/state.ts';
import { differences } from '../../../src/model/state.ts';
import { escapePath, installTargets } from '../../../src/resources/systemd-names.ts';
import { unit } from '../../../src/resources/unit.ts';
import { hasBusybox, newTree, shells, type Tree } from './tree.ts';

const context: Context = { host: 'pve9', platform: 'pve', live: true };
const text = '[Service]\nExecStart=/usr/sbin/thing --flag\n[Install]\nWantedBy=multi-user.target\n';
const service = {
  unit: 'thing.service',
  content: text,
  enabled: true,
  active: true,
  config: ['/etc/thing.conf'],
};

function about(spec: object, have: State | null, where = context): string[] {
  const want = unit.want(spec, where);
  return unit
    .steps({ spec, have, want, differs: differences(want, have), context: where })
    .map((step) => step.about);
}

describe('names of units', () => {
  it.each([
    ['/mnt/pbs-datastore', 'mnt-pbs\\x2ddatastore'],
    ['/', '-'],
    ['/.hidden/.x', '\\x2ehidden-.x'],
    ['//a//b/', 'a-b'],
    ['/mnt/a b_c:d.e', 'mnt-a\\x20b_c:d.e'],
    ['/é\\', '\\xc3\\xa9\\x5c'],
  ])('%s is %s', (path, name) => {
    expect(escapePath(path)).toBe(name);
  });

  it('refuses to climb', () => {
    expect(() => escapePath('/a/../b')).toThrow('..');
  });

  const there = spawnSync('systemd-escape', ['--version']).status === 0;
  it.skipIf(!there)('agrees with systemd-escape on paths of any letters', () => {
    // A fixed sequence: a failure must be the same tomorrow.
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor(seed / 65536) % below;
    };
    const letters = [...'ab09-_.:@\\ %#+~/é日"\'$*'];
    const paths = Array.from({ length: 300 }, () => {
      const length = 1 + next(12);
      return `/x${Array.from({ length }, () => letters[next(letters.length)]).join('')}`;
    }).filter((path) => !/\/\.{1,2}(\/|$)/.test(path));
    const said = spawnSync('systemd-escape', ['-p', '--', ...paths], { encoding: 'utf8' }).stdout.trim();
    expect(paths.map(escapePath).join(' ')).toBe(said);
  });

  it('reads [Install], and gives up on specifiers', () => {
    expect(installTargets(text)).toBe('multi-user.target');
    expect(installTargets('[Install]\nWantedBy=b.target \\\n a.target\nRequiredBy=c.target\n')).toBe(
      'a.target, b.target, requires c.target',
    );
    expect(installTargets('[Unit]\nWantedBy=x\n')).toBe('');
    expect(installTargets('[Install]\nWantedBy=%i.target\n')).toBeNull();
  });
});

describe('unit', () => {
  it('wants only what is asked for, and in a tree only what is on disk', () => {
    expect(unit.want({ unit: 'x.timer', enabled: true }, context)).toEqual({ enabled: 'enabled' });
    expect(unit.want({ unit: 'x.service', active: true }, context)).toEqual({ active: 'active' });
    expect(Object.keys(unit.want(service, context) ?? {})).toEqual([
      ...['text', 'mode', 'owner', 'enabled', 'wanted_by', 'active', 'reload_needed', 'runs'],
    ]);
    expect(Object.keys(unit.want(service, { ...context, live: false }) ?? {})).toEqual([
      ...['text', 'mode', 'owner', 'enabled', 'wanted_by'],
    ]);
    expect(unit.want({ ...service, on_change: 'none' }, context)).not.toHaveProperty('runs');
    expect(unit.want({ ...service, unit: 'thing.timer' }, context)).not.toHaveProperty('runs');
  });

  it('a planned change of a followed file makes it stale in the same plan', () => {
    const have = unit.want(service, context);
    expect(unit.follows?.(service)).toEqual(['content:/etc/thing.conf']);
    const after = unit.after?.(have, service) ?? null;
    expect(after?.runs).toBe('stale');
    expect(about(service, after)).toEqual(['restart thing.service']);
    expect(about({ ...service, on_change: 'reload' }, after)).toEqual(['reload thing.service']);
    expect(unit.after?.(null, service)).toBeNull();
  });

  it('makes changes in the order systemd needs', () => {
    const spec = { ...service, dropins: { 'a.conf': '[Service]\nNice=1\n', 'b.conf': null } };
    const have = {
      active: 'active',
      enabled: 'disabled',
      wanted_by: '',
      runs: 'current',
      'dropin b.conf': 'x',
    };
    expect(about(spec, have)).toEqual([
      'check thing.service with systemd-analyze verify',
      'write /etc/systemd/system/thing.service',
      'write /etc/systemd/system/thing.service.d/a.conf',
      'remove /etc/systemd/system/thing.service.d/b.conf (a copy is kept)',
      'daemon-reload',
      'enable thing.service',
      'restart thing.service',
    ]);
  });

  it('a reload does not do for a new unit file, now or after an interrupted run', () => {
    const spec = { ...service, on_change: 'reload' };
    const want = unit.want(spec, context);
    expect(about(spec, { ...want, runs: 'stale' })).toEqual(['reload thing.service']);
    expect(about(spec, { ...want, runs: 'stale unit' })).toEqual(['restart thing.service']);
    expect(about(spec, { ...want, text: 'x' }).at(-1)).toBe('restart thing.service');
    expect(about(spec, { ...want, active: 'failed', runs: null })).toEqual(['restart thing.service']);
  });

  it('a timer needs its service, a service its program and the units it cannot do without', () => {
    expect(unit.needs?.({ unit: 'a.timer', content: '[Timer]\nOnCalendar=daily\n' })).toEqual([
      'unit:a.service',
    ]);
    expect(unit.needs?.({ unit: 'a.timer', content: '[Timer]\nUnit=b.service\n' })).toEqual([
      'unit:b.service',
    ]);
    const needs = unit.needs?.({
      unit: 'a.service',
      content:
        '[Unit]\nRequires=x.socket y.mount\n[Service]\nExecStartPre=-/bin/a b\nExecStart=/bin/c\nUser=root\n',
    });
    expect(needs).toEqual(['path:/bin/a', 'path:/bin/c', 'unit:x.socket', 'unit:y.mount']);
  });

  it('refuses what cannot come true', () => {
    const refused = (spec: object, have: State | null) => {
      const want = unit.want(spec, context);
      return unit.refuse?.({ spec, have, want, differs: differences(want, have), context });
    };
    expect(refused({ unit: 'x.service', enabled: true }, { enabled: 'static' })).toContain('[Install]');
    expect(refused({ unit: 'x.service', enabled: true }, { enabled: 'alias' })).toContain('another name');
    expect(refused({ unit: 'x.service', enabled: false }, { enabled: 'masked' })).toContain('masked');
    expect(refused({ ...service, content: '[Service]\nExecStart=/x\n' }, null)).toContain('[Install]');
    expect(refused(service, { text: 'link to /opt/x.service' })).toContain('link to /opt/x.service');
    expect(refused(service, { text: 'a directory' })).toContain('a directory');
    const once = text.replace('[Service]', '[Service]\nType=oneshot');
    expect(refused({ ...service, content: once }, null)).toContain('ends by itself');
    expect(refused({ ...service, content: `${once}[Service]\nRemainAfterExit=yes\n` }, null)).toBeNull();
    expect(refused({ unit: 'x.service', state: 'absent' }, { links: 'a.wants', from: '/lib/x' })).toContain(
      '/lib/x',
    );
    expect(refused(service, null)).toBeNull();
  });

  it('the schema takes no state of a template, no short names, no foreign drop-in names', () => {
    const valid = new Ajv({ strict: false }).compile(unit.schema);
    expect(valid(service)).toBe(true);
    expect(valid({ unit: 'notify@.service', content: text })).toBe(true);
    expect(valid({ unit: 'notify@.service', content: text, enabled: true })).toBe(false);
    expect(valid({ unit: 'notify@x.service', enabled: true })).toBe(true);
    expect(valid({ unit: 'thing', active: true })).toBe(false);
    expect(valid({ unit: 'thing.service' })).toBe(false);
    expect(valid({ unit: 'thing.service', dropins: { 'a/../b.conf': '' } })).toBe(false);
  });
});

/** The unit type as it is where no systemctl is found. */
function blind(tree: Tree) {
  const without = (shell: Sh): Sh => ({
    ...shell,
    text: shell.text.replaceAll('command -v systemctl', 'false'),
  });
  const type: ResourceType = {
    ...unit,
    observe: (specs) => without(unit.observe(specs)),
    steps: (change) => unit.steps(change).map((step) => ({ ...step, run: without(step.run) })),
  };
  return {
    differs: (spec: object) => tree.differs(type, spec),
    apply: (spec: object) => tree.apply(type, spec).ok,
  };
}

const systemctl = spawnSync('systemctl', ['--version']).status === 0;
describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))(
  'a unit in a tree, on %s',
  (shell) => {
    it.skipIf(!systemctl)('is written, enabled, disabled and removed without a trace', () => {
      const tree = newTree(shell);
      tree.sh('mkdir -p etc/systemd/system');
      const spec = { ...service, dropins: { 'a b.conf': '' } };
      const named = { ...service, dropins: { 'a.conf': '[Service]\nNice=1\n' } };
      expect(unit.provides?.(spec)).toContain('path:/etc/systemd/system/thing.service.d/a b.conf');
      expect(tree.have(unit, named)).toBeNull();
      expect(tree.apply(unit, named).ok).toBe(true);
      expect(tree.differs(unit, named)).toEqual([]);
      expect(tree.have(unit, named)).toMatchObject({ enabled: 'enabled', wanted_by: 'multi-user.target' });
      expect(tree.apply(unit, { ...named, enabled: false }).ok).toBe(true);
      expect(tree.differs(unit, { ...named, enabled: false })).toEqual([]);
      tree.sh('chmod 666 etc/systemd/system/thing.service.d/a.conf');
      expect(tree.differs(unit, named)).toContain('dropin a.conf');
      expect(tree.apply(unit, named).ok).toBe(true);
      expect(tree.differs(unit, named)).toEqual([]);
      const gone = { unit: 'thing.service', state: 'absent' };
      expect(tree.apply(unit, gone).ok).toBe(true);
      expect(tree.have(unit, gone)).toBeNull();
      expect(tree.sh('find etc/systemd -name "*thing*"')).toBe('');
    });

    it('on a machine without systemctl the links are made and read here', () => {
      const tree = newTree(shell);
      tree.sh('mkdir -p etc/systemd/system lib/systemd/system');
      tree.sh(`printf '%s' '${text}' >lib/systemd/system/packaged.service`);
      const named = (spec: object) => blind(tree).differs(spec);
      for (const on of [
        service,
        { ...service, content: text.replace('WantedBy=', 'RequiredBy=a.target\nWantedBy=b.target ') },
        { unit: 'packaged.service', enabled: true },
      ]) {
        expect(blind(tree).apply(on)).toBe(true);
        expect(named(on)).toEqual([]);
        const off = { ...on, enabled: false };
        expect(named(off)).toEqual(['enabled']);
        expect(blind(tree).apply(off)).toBe(true);
        expect(named(off)).toEqual([]);
      }
      expect(tree.sh('find etc/systemd -type l')).toBe('');
    });

    it('shows a mask and a link for what they are, and writes through neither', () => {
      const tree = newTree(shell);
      tree.sh('mkdir -p etc/systemd/system; ln -s /dev/null etc/systemd/system/thing.service');
      tree.sh('ln -s /opt/other.service etc/systemd/system/other.service');
      expect(tree.have(unit, service)).toMatchObject({ text: 'masked' });
      expect(tree.refuse(unit, service)).toContain('masked');
      expect(tree.have(unit, { unit: 'other.service', content: text })).toMatchObject({
        text: 'link to /opt/other.service',
      });
    });

    it('prints for each of several what it prints for one', () => {
      const tree = newTree(shell);
      tree.sh('mkdir -p etc/systemd/system/timers.target.wants; echo a >etc/systemd/system/a.timer');
      tree.sh(
        'ln -s ../a.timer etc/systemd/system/timers.target.wants; echo b >"etc/systemd/system/mnt-a\\\\x2db.mount"',
      );
      const specs = ['a.timer', 'mnt-a\\x2db.mount', 'no.service'].map((name) => ({
        unit: name,
        content: 'x',
      }));
      const together = tree.look(unit, [...specs, { unit: 'gone.timer', state: 'absent' }]);
      for (const spec of specs) {
        const alone = tree.look(unit, [spec]).get(spec.unit);
        expect(alone?.text).not.toBe('');
        expect(together.get(spec.unit)?.text).toBe(alone?.text);
      }
      expect(together.get('mnt-a\\x2db.mount')?.facts.get('text sha256')).toMatch(/^[0-9a-f]{64}$/);
    });
  },
);
