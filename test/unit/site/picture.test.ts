import { expect, test } from 'vitest';
import { hostAt } from '../../../src/site/picture.ts';
import { pictureOf } from './world.ts';

test('a host with the role base names all hosts of the site under its domain, appliances too', () => {
  const nas = { platform: 'truenas', address: '10.10.0.103' } as const;
  const pbs = { platform: 'pbs', address: '10.10.0.151', vars: { base: { domain: 'lan' } } } as const;
  const picture = pictureOf({ hosts: { nas, pbs } });
  expect(hostAt(picture, 'nas.lan')?.name).toBe('nas');
  expect(hostAt(picture, 'pbs.lan')?.name).toBe('pbs');
  expect(hostAt(picture, 'nas.example')).toBeUndefined();
  expect(hostAt(pictureOf({ hosts: { nas } }), 'nas.lan')).toBeUndefined();
});
