import { describe, expect, it } from 'vitest';
import { readRecord, recordLines } from '../../../src/plan/record.ts';

describe('the record', () => {
  it('comes back as it was written, whatever the ids hold', () => {
    const record = new Map([
      ['file:/etc/with\ttab', { mode: '0644', n: 3, b: true, none: null }],
      ['unit:x', null],
    ]);
    expect(readRecord(recordLines(record).join('\n')).record).toEqual(record);
  });

  it('drops a torn last line and keeps the rest', () => {
    const { record, trouble } = readRecord('provision-record 1\nfile:/a\t{"v":1}\nfile:/b\t{"v":');
    expect([...record.keys()]).toEqual(['file:/a']);
    expect(trouble).toBeNull();
  });

  it('a record of a newer version is left alone', () => {
    const reading = readRecord('provision-record 999\nfile:/a\t{"v":1}\n');
    expect(reading.newer).toBe(true);
    expect(reading.record.size).toBe(0);
  });

  it.each(['\0\x01garbage', 'provision-record x\n', '{"json": true}'])(
    'garbage is no record, and that is said',
    (text) => {
      const reading = readRecord(text);
      expect(reading.record.size).toBe(0);
      expect(reading.trouble).toContain('cannot be read');
      expect(reading.newer).toBe(false);
    },
  );
});
