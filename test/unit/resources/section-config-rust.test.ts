import { describe, expect, it } from 'vitest';
import { valueIn } from '../../../src/resources/section-config.ts';
import { parseRustSections, type RustFormat } from '../../../src/resources/section-config-rust.ts';

/** Parts of datastore.cfg and sync.cfg; what the real ones know is tested with the types that read them. */
const format: RustFormat = {
  types: {
    datastore: { required: ['path'], optional: ['comment', 'verify-new', 'gc-schedule'] },
    sync: { required: ['store', 'remote-store'], optional: ['group-filter', 'max-depth'] },
    foreign: { required: [], optional: null },
  },
  arrays: ['group-filter'],
  booleans: ['verify-new'],
  values: { 'max-depth': (value) => (/^[0-7]$/.test(value) ? null : 'max-depth is a number from 0 to 7') },
};

const read = (...rows: string[]) => parseRustSections(rows.join('\n'), format);
const main = ['datastore: main', '\tpath /mnt/main', '\tcomment the first', ''];
const spare = ['datastore: spare', '\tpath /mnt/spare', ''];

describe('what Proxmox Backup Server makes of a section config file', () => {
  it('reads sections with the lines they stand on', () => {
    const { sections, complaints } = read(...main, ...spare);
    expect(complaints).toEqual([]);
    expect(sections.map(({ type, id, line }) => [type, id, line])).toEqual([
      ['datastore', 'main', 1],
      ['datastore', 'spare', 5],
    ]);
    expect(sections[0]?.keys.get('comment')).toEqual([{ value: 'the first', line: 3 }]);
  });

  it.each([
    ['a comment line', ['# by hand', ...main], 1, 'no comments'],
    ['a comment line within a section', [...main.slice(0, 2), '# by hand', ''], 3, 'no comments'],
    ['an indented comment', [...main.slice(0, 2), '\t# by hand', ''], 3, 'no comments'],
    ['an unknown key', [...main.slice(0, 2), '\tpaht /x', ''], 3, 'datastore has no paht'],
    ['a missing required key', ['datastore: main', '\tcomment x', '', ...spare], 1, '"main" has no path'],
    [
      'a missing required key at the end',
      [...spare, 'datastore: main', '\tcomment x'],
      4,
      '"main" has no path',
    ],
    ['a missing empty line', [...main.slice(0, 3), ...spare], 4, 'no empty line stands between'],
    ['a bare key', [...main.slice(0, 2), '\tverify-new', ''], 3, 'verify-new has no value'],
    ['a word that is no boolean', [...main.slice(0, 2), '\tverify-new ja', ''], 3, 'neither true nor false'],
    [
      'a key that stands twice',
      [...main.slice(0, 2), '\tpath /x', ''],
      3,
      'path stands twice, first in line 2',
    ],
    ['an unknown type', ['store: main', '\tpath /x', ''], 1, 'store is no type of section'],
    ['an id that is too short', ['datastore: ab', '\tpath /x', ''], 1, '"ab" is no id'],
    ['an id with a blank', ['datastore: a bc', '\tpath /x', ''], 1, '"a bc" is no id'],
    ['a line before the first header', ['\tpath /x', ...main], 1, 'belongs to no section'],
    ['a line after an empty one', [...main, '\tcomment x', ''], 5, 'belongs to no section'],
    ['a line that is not indented', [...main.slice(0, 2), 'comment x', ''], 3, 'no indented line of "main"'],
    ['a byte order mark', [`\ufeff${main[0]}`, ...main.slice(1)], 1, 'no header'],
    ['a value out of range', ['sync: one', '\tstore a', '\tmax-depth 8', ''], 3, 'from 0 to 7'],
  ])('%s: the whole file fails', (_, rows, line, means) => {
    const { sections, complaints } = read(...rows);
    expect(sections).toEqual([]);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatchObject({ line, level: 'file' });
    expect(complaints[0]?.means).toContain(means);
    expect(complaints[0]?.means).toContain('reads nothing of the whole file');
  });

  it.each([' ', '\t', '  \t ', '\r'])('a line of blanks (%j) ends a section', (blank) => {
    const { sections, complaints } = read(...main.slice(0, 3), blank, ...spare);
    expect(complaints).toEqual([]);
    expect(sections.map(({ id }) => id)).toEqual(['main', 'spare']);
  });

  it('CRLF is accepted', () => {
    const { sections, complaints } = read(...[...main, ...spare].map((row) => `${row}\r`));
    expect(complaints).toEqual([]);
    expect(sections.map((one) => valueIn(one, 'path'))).toEqual(['/mnt/main', '/mnt/spare']);
  });

  it.each([
    ['1', '1'],
    ['on', '1'],
    ['Yes', '1'],
    ['TRUE', '1'],
    ['0', '0'],
    ['off', '0'],
    ['no', '0'],
    ['false', '0'],
  ])('the boolean %s is %s', (word, value) => {
    expect(valueIn(read(...main.slice(0, 2), `\tverify-new ${word}`, '').sections[0], 'verify-new')).toBe(
      value,
    );
  });

  it('of two sections with one id the last counts, in silence', () => {
    const { sections, complaints } = read(...main, 'datastore: main', '\tpath /x', '');
    expect(sections).toHaveLength(1);
    expect(valueIn(sections[0], 'path')).toBe('/x');
    expect(complaints).toMatchObject([{ line: 1, level: 'section', section: 'main' }]);
  });

  it('arrays repeat their key', () => {
    const rows = [
      'sync: one',
      '\tstore a',
      '\tremote-store b',
      '\tgroup-filter type:vm',
      '\tgroup-filter type:ct',
    ];
    const { sections, complaints } = read(...rows);
    expect(complaints).toEqual([]);
    expect(sections[0]?.keys.get('group-filter')?.map(({ value }) => value)).toEqual(['type:vm', 'type:ct']);
  });

  it('a type known by name only is taken as it is', () => {
    const { sections, complaints } = read('foreign: any', '\tthing one two', '');
    expect(complaints).toEqual([]);
    expect(valueIn(sections[0], 'thing')).toBe('one two');
  });

  it('shows no secret', () => {
    const { complaints } = read(...main.slice(0, 2), '\tpassword aHVzaA==', '');
    expect(JSON.stringify(complaints)).not.toContain('aHVzaA');
  });

  it('an empty file has nothing to complain of', () => {
    expect(parseRustSections('', format)).toEqual({ sections: [], complaints: [] });
  });
});
