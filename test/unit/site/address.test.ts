import { describe, expect, test } from 'vitest';
import { admits, closeness, isHost } from '../../../src/site/address.ts';

const pve2 = { address: '10.10.0.30', names: ['pve2', 'pve2.lan'] };
const six = { address: 'fd00:0:0:1::30', names: ['six'] };
const named = { address: 'pve3.lan', names: ['pve3'] };

describe('clients of an export', () => {
  test.each([
    ['*', 'yes'],
    ['10.10.0.30', 'yes'],
    ['10.10.0.31', 'no'],
    ['10.10.0.0/24', 'yes'],
    ['10.10.0.0/27', 'yes'],
    ['10.10.0.32/27', 'no'],
    ['10.10.0.30/32', 'yes'],
    ['0.0.0.0/0', 'yes'],
    ['10.10.0.0/255.255.255.0', 'yes'],
    ['10.10.1.0/255.255.255.0', 'no'],
    ['10.10.0.77/24', 'yes'],
    ['pve2', 'yes'],
    ['PVE2.lan', 'yes'],
    ['*.lan', 'yes'],
    ['pve?', 'yes'],
    ['pve?.lan', 'yes'],
    ['*.example.lan', 'unknown'],
    ['other.lan', 'unknown'],
    ['@backup', 'unknown'],
    ['fd00::/8', 'no'],
    ['fd00::1', 'no'],
  ])('%s for a host at 10.10.0.30: %s', (client, answer) => {
    expect(admits(client, pve2)).toBe(answer);
  });

  test.each([
    ['fd00:0:0:1::/64', 'yes'],
    ['fd00:0000:0000:0001::30', 'yes'],
    ['fd00:0:0:1::31', 'no'],
    ['fd00:0:0:2::/64', 'no'],
    ['10.0.0.0/8', 'no'],
  ])('%s for a host at fd00:0:0:1::30: %s', (client, answer) => {
    expect(admits(client, six)).toBe(answer);
  });

  test('a host that is known by name only cannot be held against a network', () => {
    expect(admits('10.10.0.0/24', named)).toBe('unknown');
    expect(admits('10.10.0.33', named)).toBe('unknown');
    expect(admits('pve3.lan', named)).toBe('yes');
    expect(admits('10.10.0.0/24', { names: ['tree'] })).toBe('unknown');
  });

  test('the closest name wins: host, network, wildcard, netgroup, everybody', () => {
    const written = ['*', '@all', '*.lan', '10.0.0.0/8', 'pve2.lan'];
    expect([...written].sort((one, other) => closeness(one) - closeness(other))).toEqual(written.reverse());
  });
});

test('a server is found by name, by name with domain, by address in any form', () => {
  expect([isHost('pve2', pve2), isHost('Pve2.LAN', pve2), isHost('10.10.0.30', pve2)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([isHost('[fd00::1:0:0:0:30]', six), isHost('pve22', pve2), isHost('10.10.0.3', pve2)]).toEqual([
    true,
    false,
    false,
  ]);
});
