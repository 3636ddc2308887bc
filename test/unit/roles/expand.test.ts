import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/roles/explain.ts';
import { base, expand, load, type Tree, told, write } from '../bad-input/tree.ts';

const head = 'role: web\nabout: A page.\nplatforms: [pve]\n';
const variables = `variables:
  title: {type: string, default: none}
  pages:
    type: array
    default: []
    items:
      type: object
      additionalProperties: false
      required: [name]
      properties: {name: {type: string}, mode: {type: string}, size: {type: integer, default: 5}}
  options: {type: object, default: {a: 1, b: {c: 2}}}
`;

function role(rest: string, vars = '  web: {}\n'): Tree {
  return {
    'roles/web/role.yaml': `${head}${variables}${rest}`,
    'inventory/hosts/one.yaml': `host: one\nplatform: pve\nconnection: {address: 10.0.0.1}\ngroups: [web]\nvars:\n${vars}`,
  };
}

async function specs(tree: Tree): Promise<unknown[]> {
  return (await expand(tree)).resources.map((resource) => resource.spec);
}

describe('values', () => {
  test('a whole ${} keeps its type, one inside a text becomes text, nothing is evaluated twice', async () => {
    const tree = role(
      'resources:\n  - file: /a\n    content: "${title}-${options.a}-$${title}"\n    verify: [x, "${title}"]\n',
      '  web: {title: "$${options.a} {{title}}"}\n',
    );
    expect(await specs(tree)).toMatchObject([
      { content: '${options.a} {{title}}-1-${title}', verify: ['x', '${options.a} {{title}}'] },
    ]);
  });

  test('defaults < groups in the order of the site < host; maps merge, lists replace', async () => {
    const tree: Tree = {
      ...role(
        'resources:\n  - each: ${pages}\n    file: /${item.name}\n    content: "${item.size}${options.a}${options.b.c}${options.b.d}"\n',
        '  web: {pages: [{name: h}], options: {b: {d: 4}}}\n',
      ),
      'inventory/groups/all.yaml':
        'group: all\nvars: {web: {options: {a: 7}, pages: [{name: x}, {name: y}]}}\n',
      'inventory/groups/web.yaml': 'group: web\nroles: [web]\nvars: {web: {options: {a: 8}}}\n',
    };
    expect(await specs(tree)).toEqual([{ file: '/h', content: '5824' }]);
  });

  test('values under freely chosen keys have the defaults of their schema, and keys that can be read as nothing', async () => {
    const policy =
      '  policy:\n    type: object\n    additionalProperties:\n      type: object\n      properties: {mode: {type: string, default: snap}, note: {type: string}}\n    default: {a: {mode: stop}}\nresources:\n';
    const tree = role(
      `${policy}  - {file: /a, content: "\${policy.a.mode}", mode: "\${policy.a.note}"}\n  - {file: /b, content: "\${policy.b.mode}", mode: "\${policy.b.note}"}\n`,
      '  web: {policy: {b: {note: "0600"}}}\n',
    );
    expect(await specs(tree)).toEqual([
      { file: '/a', content: 'stop' },
      { file: '/b', content: 'snap', mode: '0600' },
    ]);
  });

  test('a key whose value is nothing is left out; other elements keep theirs', async () => {
    const tree = role(
      'resources:\n  - each: ${pages}\n    file: /${item.name}\n    content: x\n    mode: ${item.mode}\n',
      '  web: {pages: [{name: a}, {name: b, mode: "0600"}]}\n',
    );
    expect(await specs(tree)).toEqual([
      { file: '/a', content: 'x' },
      { file: '/b', content: 'x', mode: '0600' },
    ]);
  });

  test('the host and the site can be named', async () => {
    const tree = role(
      'resources:\n  - file: /a\n    content: "${host.name} ${host.address} ${host.groups.1} ${site.name} ${site.hosts.0.platform} ${host.user}"\n',
    );
    expect(await specs(tree)).toMatchObject([{ content: 'one 10.0.0.1 web test pve root' }]);
  });
});

test.each([
  ['{equals: ["${title}", none]}', true],
  ['{not_equals: ["${title}", none]}', false],
  ['{equals: ["${options.a}", 1]}', true],
  ['{equals: ["${options.a}", "1"]}', false],
  ['{set: "${title}"}', true],
  ['{empty: "${pages}"}', true],
  ['{not_empty: "${pages}"}', false],
  ['{contains: ["${host.groups}", web]}', true],
  ['{not: {contains: ["${host.groups}", nas]}}', true],
  ['{all: [{set: "${title}"}, {empty: "${title}"}]}', false],
  ['{any: [{set: "${title}"}, {empty: "${title}"}]}', true],
])('when: %s is %s', async (condition, holds) => {
  const { resources } = await expand(
    role(`resources:\n  - file: /a\n    content: x\n    when: ${condition}\n`),
  );
  expect(resources.length === 1).toBe(holds);
});

test('after may name a resource that a condition left out', async () => {
  const rest =
    'resources:\n  - file: /a\n    content: x\n    when: {set: null}\n  - file: /b\n    content: x\n    after: ["file:/a"]\n';
  expect((await expand(role(rest))).resources.map(({ id, after }) => [id, after])).toEqual([
    ['file:/b', ['file:/a']],
  ]);
});

test('checks: run is a command, numbers are arguments, an each gives every check its own id', async () => {
  const rest =
    'checks:\n  - each: ${pages}\n    id: there\n    about: Page ${item.name}\n    run: [test, "${item.size}"]\n    limit: 3\n';
  const { checks } = await expand(role(rest, '  web: {pages: [{name: a}, {name: b}]}\n'));
  expect(checks.map(({ id, about, resource }) => [id, about, resource.spec])).toEqual([
    ['web/there', 'Page a', { command: ['test', '5'], limit: 3 }],
    ['web/there-2', 'Page b', { command: ['test', '5'], limit: 3 }],
  ]);
});

describe('procedures', () => {
  const rest = `procedures:
  - id: fix
    about: Mends it.
    parameters: {guest: {type: integer, minimum: 100}, why: {type: string, default: because}}
    steps:
      - about: Stop \${parameter.guest}
        guard: [{run: [running, "\${parameter.guest}"]}]
        run: [stop, "\${parameter.guest}", "\${parameter.why}"]
        limit: 5
`;
  test('take their parameters, typed', async () => {
    const { procedures } = await expand(role(rest), { procedure: 'web/fix', parameters: { guest: '111' } });
    expect(procedures).toMatchObject([
      {
        id: 'web/fix',
        steps: [
          {
            about: 'Stop 111',
            run: ['stop', '111', 'because'],
            limit: 5,
            guard: [{ id: 'command:running 111' }],
          },
        ],
      },
    ]);
  });

  test('are left out when a parameter is not known yet', async () => {
    expect((await expand(role(rest))).procedures).toEqual([]);
  });

  test.each([
    [{}, 'the parameter "guest" of web/fix is missing'],
    [{ guest: 'x' }, 'guest of web/fix is "x"; allowed: a whole number'],
    [{ guest: '5' }, 'guest of web/fix is the number 5; allowed: 100 or more'],
    [{ guest: '111', gast: '1' }, 'unknown parameter "gast" for web/fix; allowed: guest, why'],
  ])('refuse %j', async (parameters, message) => {
    const error = await expand(role(rest), { procedure: 'web/fix', parameters }).catch(told);
    expect(error).toContain(message);
  });
});

test('explain: the value, where it was written, and what it overrode', async () => {
  const tree: Tree = { ...base, 'inventory/groups/all.yaml': 'group: all\nvars: {web: {title: Old}}\n' };
  const site = await load(write(tree));
  const [title] = explain(site, 'one', 'web.title');
  expect(title).toMatchObject({
    name: 'web.title',
    value: '"Hello"',
    layer: 'host one',
    where: { line: 8, column: 12 },
  });
  expect(title?.said.map((origin) => [origin.layer, origin.value])).toEqual([
    ['group all', '"Old"'],
    ['host one', '"Hello"'],
  ]);
  expect(explain(site, 'one', 'web.level')).toMatchObject([{ value: '"low"', layer: 'default' }]);
  expect(() => explain(site, 'one', 'web.titel')).toThrow('web has no "titel"');
});
