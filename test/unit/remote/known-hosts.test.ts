import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  fingerprint,
  keyType,
  namesHost,
  parsePins,
  pinName,
  readPins,
  trustedFor,
} from '../../../src/remote/known-hosts.ts';

/** A key in wire format: its type, then bytes nobody reads. */
function key(type: string, filler = 'x'): Buffer {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, name, Buffer.from(filler.repeat(32))]);
}
const line = (names: string, type = 'ssh-ed25519', filler = 'x') =>
  `${names} ${type} ${key(type, filler).toString('base64')}`;
const trusted = (text: string, name: string) => trustedFor(parsePins(text, 'known_hosts'), name);

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdefghij');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

test('a host is pinned under its address, with the port when it is not 22', () => {
  expect(pinName('PVE2.lan', 22)).toBe('pve2.lan');
  expect(pinName('10.0.0.30', 2222)).toBe('[10.0.0.30]:2222');
  expect(pinName('fd00::1', 2222)).toBe('[fd00::1]:2222');
});

describe('which lines mean a host', () => {
  test.each([
    ['pve2.lan', 'pve2.lan', true],
    ['PVE2.lan', 'pve2.lan', true],
    ['a.lan,pve2.lan', 'pve2.lan', true],
    ['pve2.lan', 'xpve2.lan', false],
    ['pve2xlan', 'pve2.lan', false],
    ['[10.0.0.30]:2222', '[10.0.0.30]:2222', true],
    ['10.0.0.30', '[10.0.0.30]:2222', false],
    ['*.lan', 'pve2.lan', true],
    ['*.lan,!pve2.lan', 'pve2.lan', false],
    ['!pve2.lan,*.lan', 'pve2.lan', false],
    ['pve?.lan', 'pve2.lan', true],
    ['*.lan', 'pve2.lan.example', false],
    ['pve.*', 'pve2', false],
    [hashed('pve2.lan'), 'pve2.lan', true],
    [hashed('pve2.lan'), 'pve3.lan', false],
    [hashed('[10.0.0.30]:2222'), '[10.0.0.30]:2222', true],
  ])('%s for %s: %s', (names, name, expected) => {
    expect(namesHost(names, name)).toBe(expected);
  });
});

describe('lines', () => {
  test('comments, empty lines and line breaks of other systems are passed over; positions are kept', () => {
    const text = `# pins\r\n\r\n${line('a.lan')} a comment with words\r\n`;
    const [pin, ...rest] = parsePins(text, 'inventory/known_hosts');
    expect(rest).toEqual([]);
    expect(pin).toMatchObject({
      names: 'a.lan',
      type: 'ssh-ed25519',
      from: { file: 'inventory/known_hosts', line: 3 },
    });
  });

  test('markers are kept apart from keys', () => {
    const text = [
      line('a.lan'),
      `@revoked ${line('a.lan', 'ssh-ed25519', 'r')}`,
      `@cert-authority ${line('*.lan', 'ssh-ed25519', 'c')}`,
    ].join('\n');
    const found = trusted(text, 'a.lan');
    expect([found.keys.length, found.revoked.length, found.authorities.length]).toEqual([1, 1, 1]);
  });

  test.each([
    ['a.lan ssh-ed25519', 'fewer than three columns'],
    [`@trusted ${line('a.lan')}`, '@trusted'],
    [`a.lan ssh-rsa ${key('ssh-ed25519').toString('base64')}`, 'not of the type ssh-rsa'],
    ['a.lan ssh-ed25519 ????', 'not of the type'],
    [line('|1|zzz'), '|1|salt|hash'],
  ])('%s is an error with its line', (text, message) => {
    expect(() => parsePins(`\n${text}`, 'known_hosts')).toThrow(message);
    try {
      parsePins(`\n${text}`, 'known_hosts');
    } catch (error) {
      expect(error).toMatchObject({ code: 'input', where: { file: 'known_hosts', line: 2 } });
    }
  });
});

test('no file pins nothing; a file that cannot be read is an error', () => {
  expect(readPins('/nonexistent/known_hosts')).toEqual([]);
  expect(() => readPins('/')).toThrow('cannot read the pinned host keys');
});

test('the fingerprint is the one of ssh-keygen, the type the one in the key', () => {
  const bytes = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64');
  expect(fingerprint(bytes)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  expect(keyType(bytes)).toBe('ssh-ed25519');
  expect(keyType(Buffer.from([0, 0]))).toBe('');
  expect(keyType(Buffer.from([0, 0, 9, 9, 1]))).toBe('');
});
