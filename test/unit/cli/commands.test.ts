import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../../src/cli/start.ts';
import { type Screen, screen } from './screen.ts';

const files = {
  'inventory/site.yaml': 'site: small\ngroups: [all, boxes]\n',
  'inventory/hosts/box1.yaml': host('box1'),
  'inventory/hosts/box2.yaml': host('box2'),
  'roles/motd/role.yaml': `role: motd
about: A greeting.
platforms: [linux]
variables:
  text: {type: string, default: hello, description: What it says.}
resources:
  - directory: /etc/motd.d
    owner: "${process.getuid?.() ?? 0}"
    group: "${process.getgid?.() ?? 0}"
  - file: /etc/motd.d/greeting
    content: "\${text}\\n"
    owner: "${process.getuid?.() ?? 0}"
    group: "${process.getgid?.() ?? 0}"
checks:
  - id: greets
    about: The greeting is there.
    path: /etc/motd.d/greeting
    kind: file
procedures:
  - id: hush
    about: Takes the greeting away.
    steps:
      - about: Remove the file
        guard: []
        run: [rm, etc/motd.d/greeting]
        verify: []
        limit: 10
`,
};

function host(name: string): string {
  return `host: ${name}
platform: linux
connection: {session: root, root: ../trees/${name}}
groups: [boxes]
roles: [motd]
vars: {motd: {text: hello from ${name}}}
`;
}

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'provision-test-'));
  for (const [name, text] of Object.entries(files)) write(name, text);
  for (const name of ['box1', 'box2']) mkdirSync(join(dir, 'trees', name, 'etc'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(name: string, text: string): void {
  mkdirSync(dirname(join(dir, name)), { recursive: true });
  writeFileSync(join(dir, name), text);
}

const schema = JSON.parse(readFileSync(new URL('../../../docs/report.schema.json', import.meta.url), 'utf8'));
const asPublished = new Ajv({ strictTypes: false, strictRequired: false }).compile(schema);

function document(text: string): ReturnType<typeof JSON.parse> {
  const parsed = JSON.parse(text);
  asPublished(parsed);
  expect(asPublished.errors ?? []).toEqual([]);
  return parsed;
}

const greeting = (name: string) => join(dir, 'trees', name, 'etc/motd.d/greeting');

async function provision(
  argv: readonly string[],
  over: Parameters<typeof screen>[0] = {},
): Promise<Screen & { readonly exit: number }> {
  const terminal = screen({ env: process.env, now: Date.now, ...over });
  const exit = await start(['--inventory', join(dir, 'inventory'), ...argv], terminal);
  return { ...terminal, exit };
}

describe('from diff to check, on directory trees', () => {
  test('differences, apply, as wanted, drift, repair', async () => {
    const first = await provision(['diff']);
    expect(first.printed.err).toBe('');
    expect(first.exit).toBe(2);
    expect(first.printed.out).toContain('+ file:/etc/motd.d/greeting  new');
    expect(existsSync(greeting('box1'))).toBe(false);

    const applied = await provision(['apply', '--yes', '--format', 'json']);
    expect(document(applied.printed.out)).toMatchObject({
      command: 'apply',
      exit: 0,
      hosts: [
        { host: 'box1', changes: [{ outcome: 'done' }, { outcome: 'done' }], checks: [{ outcome: 'pass' }] },
        {},
      ],
    });
    expect(applied.exit).toBe(0);
    expect(readFileSync(greeting('box2'), 'utf8')).toBe('hello from box2\n');

    const again = await provision(['diff']);
    expect(again.exit).toBe(0);
    expect(again.printed.out).toContain('total  2 hosts; 4 resources as wanted');

    writeFileSync(greeting('box1'), 'by hand\n');
    const drift = await provision(['diff', '--only', 'file:/etc/motd.d']);
    expect(drift.exit).toBe(2);
    expect(drift.printed.out).toContain('~ file:/etc/motd.d/greeting  drift');
    expect(drift.printed.out).toContain('-by hand');

    const repaired = await provision(['apply', '--host', 'box1'], { interactive: true, answers: ['yes'] });
    expect(repaired.asked).toEqual(['Make 1 change on box1? Only "yes" goes on: ']);
    expect(repaired.exit).toBe(0);
    expect((await provision(['check'])).exit).toBe(0);
  }, 60_000);

  test('a no changes nothing, and neither does a missing terminal', async () => {
    const no = await provision(['apply'], { interactive: true, answers: ['no'] });
    expect(no.printed.err).toContain('Nothing was changed.');
    expect((await provision(['apply'])).exit).toBe(1);
    expect(existsSync(greeting('box1'))).toBe(false);
  }, 60_000);

  test('a failed check is exit 4, and --only takes its id', async () => {
    const failed = await provision(['check', '--only', 'motd/greets', '--host', 'box1', '--format', 'tap']);
    expect(failed.printed.out).toContain('1..1\nnot ok 1 - box1 motd/greets');
    expect(failed.exit).toBe(4);
  }, 60_000);

  test('a saved plan is applied exactly, or refused with exit 6 when a host has moved', async () => {
    const plan = join(dir, 'plan.json');
    expect((await provision(['diff', '--host', 'box1', '--out', plan])).exit).toBe(2);
    expect(statSync(plan).mode & 0o777).toBe(0o600);
    mkdirSync(join(dir, 'trees/box1/etc/motd.d'));
    const moved = await provision(['apply', '--plan', plan, '--yes']);
    expect(moved.exit).toBe(6);
    expect(existsSync(greeting('box1'))).toBe(false);
    rmSync(join(dir, 'trees/box1/etc/motd.d'), { recursive: true });
    const applied = await provision(['apply', '--plan', plan, '--yes']);
    expect(applied.exit).toBe(0);
    expect(existsSync(greeting('box1'))).toBe(true);
    expect(existsSync(greeting('box2'))).toBe(false);
    // A plan about a part is applied to that part, however much else differs; the command line cannot widen it.
    rmSync(greeting('box1'));
    expect((await provision(['diff', '--only', 'file:/nowhere-else', '--out', plan])).exit).toBe(1);
    const id = `file:${greeting('box1').slice(join(dir, 'trees/box1').length)}`;
    expect((await provision(['diff', '--host', 'box1', '--only', id, '--out', plan])).exit).toBe(2);
    const wider = await provision(['apply', '--plan', plan, '--host', 'box2', '--yes']);
    expect(wider.exit).toBe(1);
    expect(wider.printed.err).toContain('says itself which hosts');
    expect((await provision(['apply', '--plan', plan, '--yes'])).exit).toBe(0);
    expect(existsSync(greeting('box1'))).toBe(true);
    write('plan.json', '{}');
    expect((await provision(['apply', '--plan', plan, '--yes'])).exit).toBe(1);
  }, 60_000);
});

describe('run', () => {
  test('one host at a time, dry first, and only after a yes', async () => {
    await provision(['apply', '--yes']);
    const both = await provision(['run', 'motd/hush', '--yes']);
    expect(both.exit).toBe(1);
    expect(both.printed.err).toContain('choose with --host: box1, box2');
    const dry = await provision(['run', 'motd/hush', '--host', 'box1', '--dry-run']);
    expect(dry.printed.out).toContain('1 planned  Remove the file');
    expect((await provision(['run', 'motd/hush', '--host', 'box1'])).exit).toBe(1);
    expect(existsSync(greeting('box1'))).toBe(true);
    // A tree has no system in which a step could run; what a yes does on a host is shown in the lab.
    const tree = await provision(['run', 'motd/hush', '--host', 'box1', '--yes']);
    expect(tree.printed.out).toContain('this is a directory tree');
    expect(tree.exit).toBe(5);
    expect(existsSync(greeting('box1'))).toBe(true);
  }, 60_000);

  test('an unknown procedure names the nearest', async () => {
    const unknown = await provision(['run', 'motd/hash', '--host', 'box1', '--yes']);
    expect(unknown.exit).toBe(1);
    expect(unknown.printed.err).toContain('did you mean "motd/hush"?');
    expect((await provision(['run', 'hush'])).printed.err).toContain('did you mean "motd/hush"?');
  });

  test('a host that does not have the procedure: which ones do', async () => {
    write(
      'inventory/hosts/box1.yaml',
      host('box1').replace('roles: [motd]\nvars: {motd: {text: hello from box1}}', ''),
    );
    const other = await provision(['run', 'motd/hush', '--host', 'box1', '--yes']);
    expect(other.exit).toBe(1);
    expect(other.printed.err).toContain('box1 has no procedure motd/hush\n    it is on: box2');
    const value = await provision(['explain', 'motd.text', '--host', 'box1']);
    expect(value.printed.err).toContain('none of them has the role motd; these have: box2');
  });
});

describe('without contacting anybody', () => {
  test('list', async () => {
    expect((await provision(['list'])).printed.out).toMatch(/^box1 +linux +- +all boxes +motd$/m);
    expect((await provision(['list', 'groups'])).printed.out).toMatch(/^boxes +box1 box2$/m);
    expect((await provision(['list', 'resources', '--host', 'box1'])).printed.out).toContain(
      'file:/etc/motd.d/greeting',
    );
    expect((await provision(['list', 'checks'])).printed.out).toContain('motd/greets');
    expect((await provision(['list', 'procedures'])).printed.out).toContain('motd/hush');
    const json = await provision(['list', 'roles', '--format', 'json']);
    expect(document(json.printed.out)).toMatchObject({
      command: 'list',
      items: [{ role: 'motd', hosts: ['box1', 'box2'] }],
    });
    expect((await provision(['list', 'host'])).printed.err).toContain('did you mean "hosts"?');
  });

  test('explain', async () => {
    const value = await provision(['explain', 'motd.text', '--host', 'box1']);
    expect(value.printed.out).toMatch(
      /^motd\.text on box1: "hello from box1"\n {2}from host box1, .*hosts\/box1\.yaml:6:21\n {2}over default, .*: "hello"\n$/,
    );
    const resource = await provision(['explain', 'file:/etc/motd.d/greeting', '--host', 'box1']);
    expect(resource.printed.out).toContain('file:/etc/motd.d/greeting on box1: type "file", mode "0644"');
    expect(resource.printed.out).toMatch(/from role motd, .*roles\/motd\/role\.yaml:10:5/);
    const both = await provision(['explain', 'motd', '--format', 'json']);
    expect(document(both.printed.out).items).toHaveLength(2);
    expect((await provision(['explain', 'motd.txt'])).printed.err).toContain('did you mean "text"?');
    expect((await provision(['explain', 'file:/etc/motd.d/greting'])).printed.err).toContain(
      'did you mean "file:',
    );
  });

  test('mistakes in the input and in names: exit 1 with what to do', async () => {
    const unknown = await provision(['diff', '--host', 'box3']);
    expect(unknown.exit).toBe(1);
    expect(unknown.printed.err).toContain('there is no host "box3"\n    did you mean "box');
    const id = await provision(['diff', '--only', 'file:/etc/motd.d/greting']);
    expect(id.printed.err).toContain('did you mean "file:/etc/motd.d/greeting"?');
    write('inventory/hosts/box1.yaml', host('box1').replace('platform', 'platfrom'));
    const typo = await provision(['diff']);
    expect(typo.exit).toBe(1);
    expect(typo.printed.err).toMatch(/hosts\/box1\.yaml:2:1: error: /);
    expect(typo.printed.out).toBe('');
  });

  test('resources that wait for each other are told before any host is contacted', async () => {
    const ring =
      '  - file: /a\n    content: a\n    after: ["file:/b"]\n  - file: /b\n    content: b\n    after: ["file:/a"]\n';
    write('roles/motd/role.yaml', files['roles/motd/role.yaml'].replace('checks:', `${ring}checks:`));
    // Were the trees entered, that would be the error.
    rmSync(join(dir, 'trees'), { recursive: true });
    const ringed = await provision(['diff']);
    expect(ringed.exit).toBe(1);
    expect(ringed.printed.err).toMatch(
      /roles\/motd\/role\.yaml:\d+:5: error: these resources wait for each other:/,
    );
    expect(ringed.printed.out).toBe('');
  });

  test('a plan that cannot be saved is told before any host is contacted', async () => {
    const nowhere = await provision(['diff', '--out', join(dir, 'not-there/plan.json')]);
    expect(nowhere.exit).toBe(1);
    expect(nowhere.printed.err).toContain('not-there: it does not exist');
    expect(nowhere.printed.out).toBe('');
    const folder = await provision(['diff', '--out', dir]);
    expect(folder.printed.err).toContain('it is a directory');
    expect(folder.printed.out).toBe('');
    const gone = await provision(['apply', '--yes', '--plan', join(dir, 'gone.json')]);
    expect(gone.printed.err).toContain('cannot be read: it does not exist');
  });

  test('no inventory, and one without hosts', async () => {
    rmSync(join(dir, 'inventory/hosts'), { recursive: true });
    expect((await provision(['list'])).printed.err).toContain('each is a file hosts/NAME.yaml');
    rmSync(join(dir, 'inventory'), { recursive: true });
    const none = await provision(['list']);
    expect(none.exit).toBe(1);
    expect(none.printed.err).toMatch(/site\.yaml:1:1: error: the file is missing\n.*--inventory DIR/);
  });

  test('trust needs a person or a fingerprint, and a host with a key', async () => {
    const pipe = await provision(['trust', 'box1']);
    expect(pipe.exit).toBe(1);
    expect(pipe.printed.err).toContain('--fingerprint SHA256:...');
    const short = await provision(['trust', 'box1', '--fingerprint', 'SHA256:x']);
    expect(short.printed.err).toContain('is not a fingerprint');
    const person = await provision(['trust', 'box1'], { interactive: true });
    expect(person.printed.err).toContain('it has no key to trust');
  });
});
