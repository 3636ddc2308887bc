import { expect, test } from 'vitest';
import type { Observed } from '../../../src/model/state.ts';
import { port } from '../../../src/resources/port.ts';
import { truenasService } from '../../../src/resources/truenas-service.ts';

test.each<[string, Observed, string[]]>([
  ['tcp:2049', { have: null }, ['nfs-down']],
  ['tcp:2049', { have: { listening: true } }, []],
  ['tcp:2049', { unknown: 'not looked at' }, []],
  ['tcp:22', { have: null }, []],
])('%s, %j', (name, observed, codes) => {
  expect(port.symptoms?.(observed, { port: name }).map(({ code }) => code)).toEqual(codes);
  expect(port.symptoms?.(observed, { port: name, state: 'absent' })).toEqual([]);
});

test.each<[string, boolean, Observed, string[]]>([
  ['nfs', true, { have: { active: false } }, ['nfs-down']],
  ['nfs', true, { have: { active: true } }, []],
  ['nfs', true, { unknown: 'not answered' }, []],
  ['nfs', false, { have: { active: false } }, []],
  ['ssh', true, { have: { active: false } }, []],
])('service %s wanted %s, %j', (name, active, observed, codes) => {
  const told = truenasService.symptoms?.(observed, { truenas_service: name, active } as never);
  expect(told?.map(({ code }) => code)).toEqual(codes);
});
