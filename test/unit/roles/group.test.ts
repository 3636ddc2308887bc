import { describe, expect, test } from 'vitest';
import { expand, type Tree, told } from '../bad-input/tree.ts';

/** A role that makes one file per storage and class of the host's guests. */
function guests(list: string, entry = ''): Tree {
  return {
    'roles/web/role.yaml': `role: web
about: A page.
platforms: [pve]
variables:
  policy:
    type: object
    additionalProperties: {type: object}
    default: {static: {mode: snapshot}, busy-media: {mode: stop}}
resources:
  - each: \${host.guests}
    group_by: [storage, class]
    when: {not: {set: "\${item.excluded}"}}
    file: /\${item.storage}-\${item.class}
    verify: \${item.all.name}
    content: \${policy[item.class].mode}
${entry}`,
    'inventory/hosts/one.yaml': `host: one
platform: pve
connection: {address: 10.0.0.1}
groups: [web]
vars: {web: {}}
guests:
${list}`,
  };
}

const three = `  - {vmid: 100, type: ct, name: a, storage: nas}
  - {vmid: 101, type: ct, name: b, storage: nas, class: busy-media}
  - {vmid: 102, type: ct, name: c, storage: nas}
  - {vmid: 103, type: ct, name: d, excluded: a scratch machine}
`;

describe('group_by', () => {
  test('makes one resource per combination, with the values of all elements of a group', async () => {
    const { resources } = await expand(guests(three));
    expect(resources.map(({ spec }) => spec)).toEqual([
      { file: '/nas-static', content: 'snapshot', verify: ['a', 'c'] },
      { file: '/nas-busy-media', content: 'stop', verify: ['b'] },
    ]);
  });

  test('an element that lacks a key it is grouped by is an error where the element is written', async () => {
    expect(await expand(guests('  - {vmid: 100, type: ct, name: a}\n')).catch(told)).toContain(
      'inventory/hosts/one.yaml:7:5: storage is missing here; the elements of this list are grouped by it',
    );
  });

  test('a key that is no list of names is refused when the role is read', async () => {
    const tree = guests(three);
    const text = String(tree['roles/web/role.yaml']).replace('[storage, class]', 'storage');
    expect(await expand({ ...tree, 'roles/web/role.yaml': text }).catch(told)).toContain('group_by');
  });
});

describe('all elements of a list', () => {
  const role = (path: string) => `role: web
about: A page.
platforms: [pve]
variables: {none: {type: array, items: {type: object, properties: {a: {type: string}}}, default: []}}
resources:
  - {file: /x, content: x, verify: "\${${path}}"}
`;
  const said = (path: string) =>
    expand({ ...guests(three), 'roles/web/role.yaml': role(path) }).then(
      ({ resources }) => resources.map(({ spec }) => (spec as { verify: unknown }).verify),
      told,
    );

  test('are looked into together: those that have nothing under a key are left out', async () => {
    expect(await said('host.guests.all.storage')).toEqual([['nas', 'nas', 'nas']]);
    expect(await said('host.guests.all.storge')).toContain('unknown name "storge"');
  });

  test('of an empty list are none, whatever is asked of them', async () => {
    expect(await said('none.all.a.all.b')).toContain('verify of file:/x is an empty list');
  });
});

describe('a path in brackets', () => {
  test('a name that is not there is told with those that are', async () => {
    const said = await expand(
      guests('  - {vmid: 100, type: ct, name: a, storage: nas, class: statik}\n'),
    ).catch(told);
    expect(said).toContain(
      'inventory/hosts/one.yaml:7:57: there is no "statik" in policy; it has: static, busy-media',
    );
  });

  test('is told once, at the word in the inventory, however often the role looks there', async () => {
    const said = await expand(
      guests(
        '  - {vmid: 100, type: ct, name: a, storage: nas, class: statik}\n',
        '    mode: ${policy[item.class].mode}\n',
      ),
    ).catch(told);
    expect(String(said).split('there is no').length).toBe(2);
  });

  test('a list is no name', async () => {
    const tree = guests(three);
    const text = String(tree['roles/web/role.yaml']).replace('policy[item.class]', 'policy[item.all]');
    expect(await expand({ ...tree, 'roles/web/role.yaml': text }).catch(told)).toContain('cannot be a name');
  });
});
