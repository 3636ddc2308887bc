import { describe, expect, it } from 'vitest';
import { databaseFindings } from '../../../src/site/databases.ts';

describe('databases in guests', () => {
  it('a database guest without hook and without dump is told, by class or by its services', () => {
    const guests = [
      { vmid: 111, type: 'vm', name: 'influxdb', class: 'database' },
      { vmid: 112, type: 'vm', class: 'static', services: ['postgresql'] },
      { vmid: 113, type: 'ct', class: 'busy-media' },
    ] as const;
    const found = databaseFindings(guests, []);
    expect(found.map(({ level, message }) => [level, message.slice(0, 20)])).toEqual([
      ['warning', 'guest 111 (influxdb)'],
      ['warning', 'guest 112 holds a da'],
    ]);
    expect(databaseFindings(guests, [111, 112])).toEqual([]);
  });

  it('a dump is an answer too', () => {
    const guest = { vmid: 111, type: 'vm', class: 'database', dump: 'pg_dumpall, nightly' } as const;
    expect(databaseFindings([guest], [])).toEqual([]);
  });

  it('a container has no guest agent: the hook for one is an error', () => {
    const [found] = databaseFindings([{ vmid: 200, type: 'ct', class: 'static' }], [200]);
    expect(found?.level).toBe('error');
    expect(found?.message).toContain('guest 200');
  });
});
