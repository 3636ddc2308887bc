import { describe, expect, test } from 'vitest';
import { covers, meant, selectHosts } from '../../../src/cli/selection.ts';
import { InputErrors, ProvisionError } from '../../../src/model/errors.ts';
import type { HostWork } from '../../../src/model/run.ts';

const hosts = [
  { name: 'nas1', groups: ['all', 'nas'], roles: ['base', 'nfs-server'] },
  { name: 'pve2', groups: ['all', 'pve'], roles: ['base', 'vzdump'] },
  { name: 'pve3', groups: ['all', 'pve'], roles: ['base'] },
];
const nothing: Record<'host' | 'group' | 'role', string[]> = { host: [], group: [], role: [] };
const chosen = (wanted: Partial<typeof nothing>) =>
  selectHosts(hosts, { ...nothing, ...wanted }).map((host) => host.name);

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('which hosts', () => {
  test('all, unless something is said; always in the order of the inventory', () => {
    expect(chosen({})).toEqual(['nas1', 'pve2', 'pve3']);
    expect(chosen({ host: ['pve3', 'nas1'] })).toEqual(['nas1', 'pve3']);
  });

  test('hosts and groups add up, roles narrow', () => {
    expect(chosen({ host: ['nas1'], group: ['pve'] })).toEqual(['nas1', 'pve2', 'pve3']);
    expect(chosen({ role: ['vzdump'] })).toEqual(['pve2']);
    expect(chosen({ group: ['pve'], role: ['base'] })).toEqual(['pve2', 'pve3']);
  });

  test('an unknown name is an error with the nearest one; it never means "none"', () => {
    const error = thrown(() => chosen({ host: ['pve22'] }));
    expect(error).toBeInstanceOf(ProvisionError);
    expect(error).toMatchObject({
      code: 'input',
      message: 'there is no host "pve22"',
      hint: 'did you mean "pve2"?',
    });
    expect(thrown(() => chosen({ group: ['pvee'] }))).toMatchObject({ hint: 'did you mean "pve"?' });
    expect(thrown(() => chosen({ role: ['zzzzzz'] }))).toMatchObject({
      hint: 'there are: base, nfs-server, vzdump',
    });
  });

  test('all unknown names are told at once', () => {
    const error = thrown(() => chosen({ host: ['a', 'b'], role: ['c'] }));
    expect(error).toBeInstanceOf(InputErrors);
    expect((error as InputErrors).errors).toHaveLength(3);
  });

  test('a selection that leaves nobody is an error', () => {
    expect(thrown(() => chosen({ host: ['nas1'], role: ['vzdump'] }))).toMatchObject({
      message: 'no host is selected',
      hint: 'none of them has the role vzdump; these have: pve2',
    });
  });
});

const work = [
  {
    resources: [
      { id: 'file:/etc/hosts', role: 'base' },
      { id: 'file:/etc/vzdump.conf', role: 'vzdump' },
    ],
    checks: [{ id: 'hook-runs', role: 'vzdump' }],
  },
] as unknown as HostWork[];

describe('which ids', () => {
  test('an id covers itself and what lies below it', () => {
    expect(covers('file:/etc', 'file:/etc/hosts')).toBe(true);
    expect(covers('file:/etc/', 'file:/etc/hosts')).toBe(true);
    expect(covers('file', 'file:/etc/hosts')).toBe(true);
    expect(covers('line:/etc/hosts', 'line:/etc/hosts#nas1')).toBe(true);
    expect(covers('file:/etc', 'file:/etcetera')).toBe(false);
    expect(covers('file:/etc/hosts', 'file:/etc')).toBe(false);
  });

  test('--only and --role narrow together, for resources and checks', () => {
    const both = meant(work, { only: ['file:/etc'], role: ['vzdump'] });
    expect(both.resource({ id: 'file:/etc/vzdump.conf', role: 'vzdump' })).toBe(true);
    expect(both.resource({ id: 'file:/etc/hosts', role: 'base' })).toBe(false);
    expect(meant(work, { only: ['vzdump'], role: [] }).check({ id: 'hook-runs', role: 'vzdump' })).toBe(true);
    expect(meant(work, { only: [], role: [] }).all).toBe(true);
  });

  test('an id that is nowhere is an error, not an empty and successful run', () => {
    expect(thrown(() => meant(work, { only: ['file:/etc/host'], role: [] }))).toMatchObject({
      code: 'input',
      message: 'there is no id "file:/etc/host"',
      hint: 'did you mean "file:/etc/hosts"?',
    });
    expect(thrown(() => meant(work, { only: ['/etc/vzdump.conf'], role: [] }))).toMatchObject({
      hint: 'did you mean "file:/etc/vzdump.conf"?',
    });
    expect(thrown(() => meant(work, { only: ['unit:x'], role: [] }))).toMatchObject({
      hint: 'see `provision list resources` and `provision list checks`',
    });
  });
});
