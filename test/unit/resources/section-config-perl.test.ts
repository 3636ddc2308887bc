import { describe, expect, it } from 'vitest';
import { type Complaint, valueIn } from '../../../src/resources/section-config.ts';
import { type PerlFormat, parsePerlSections } from '../../../src/resources/section-config-perl.ts';

/** storage.cfg in small; what the real one knows is tested with the type that reads it. */
const format: PerlFormat = {
  types: {
    nfs: { required: ['server', 'export'], optional: ['content', 'options', 'disable', 'prune-backups'] },
    pbs: { required: ['server', 'datastore'], optional: ['fingerprint', 'password', 'disable'] },
    job: { required: ['schedule'], optional: ['exclude-path'] },
    foreign: { required: [], optional: null },
  },
  booleans: ['disable'],
  repeated: ['exclude-path'],
  values: { 'prune-backups': (value) => (/^keep-[a-z]+=\d+$/.test(value) ? null : 'no list of keep-*=N') },
  without: (_, key) => (key === 'disable' ? 'the storage stays enabled' : undefined),
  id: /^[a-z][a-z0-9._-]*[a-z0-9]$/i,
  anyCase: true,
};

const read = (...rows: string[]) => parsePerlSections(rows.join('\n'), format);
const short = (complaints: readonly Complaint[]) =>
  complaints.map(({ line, level, found }) => `${line} ${level} ${found}`);
const ids = (...rows: string[]) => read(...rows).sections.map(({ id }) => id);

const nas = ['nfs: nas', '\tserver nas.lan', '\texport /bu', ''];
const box = ['pbs: box', '\tserver pbs.lan', '\tdatastore main', ''];

describe('what Proxmox VE makes of a section config file', () => {
  it('reads sections with the lines they stand on', () => {
    const { sections, complaints } = read(...nas, ...box);
    expect(complaints).toEqual([]);
    expect(sections.map(({ type, id, line }) => [type, id, line])).toEqual([
      ['nfs', 'nas', 1],
      ['pbs', 'box', 5],
    ]);
    expect(sections[1]?.keys.get('datastore')).toEqual([{ value: 'main', line: 7 }]);
    expect(valueIn(sections[0], 'export')).toBe('/bu');
    expect(valueIn(sections[0], 'content')).toBeUndefined();
  });

  it('takes one blank or many, none after the colon, and a type in capitals', () => {
    const { sections, complaints } = read(
      'NFS:nas  ',
      ' server   nas.lan  ',
      '   export\t/b u ',
      '\tdisable 1',
    );
    expect(complaints).toEqual([]);
    expect(sections[0]?.type).toBe('nfs');
    expect(valueIn(sections[0], 'export')).toBe('/b u');
    expect(valueIn(sections[0], 'disable')).toBe('1');
  });

  it('skips comments anywhere, and they end no section', () => {
    const { sections, complaints } = read(
      '# one',
      'nfs: nas',
      '  # two',
      '\tserver a',
      '#',
      '\texport /b',
      '',
    );
    expect(complaints).toEqual([]);
    expect(valueIn(sections[0], 'export')).toBe('/b');
  });

  it('drops an unknown key and keeps the section', () => {
    const { sections, complaints } = read('nfs: nas', '\tserver a', '\texport /b', '\tsrever c', '');
    expect(sections).toHaveLength(1);
    expect(short(complaints)).toEqual(['4 key srever c']);
    expect(complaints[0]?.means).toBe('nfs has no srever: the line is dropped');
  });

  it('a missing required key: no section, and every later write fails', () => {
    const { sections, complaints } = read(...nas, 'pbs: box', '\tdatastore main', '');
    expect(sections.map(({ id }) => id)).toEqual(['nas']);
    expect(short(complaints)).toEqual(['5 writes pbs: box']);
    expect(complaints[0]?.means).toContain(`"unknown section type ''"`);
    expect(complaints[0]?.means).toContain('"box" has no server');
  });

  it('a missing empty line swallows the next section', () => {
    const { sections, complaints } = read(...nas.slice(0, 3), ...box);
    expect(sections.map(({ id }) => id)).toEqual(['nas']);
    expect(short(complaints)).toEqual(['4 section pbs: box']);
    expect(complaints[0]).toMatchObject({ section: 'box' });
    expect(complaints[0]?.means).toBe(
      'no empty line stands before it: it does not exist, its lines are taken for lines of "nas"',
    );
  });

  it('lines of a swallowed section that its new owner knows count for that', () => {
    const { sections, complaints } = read(...box.slice(0, 3), 'pbs: off', '\tserver x', '\tdisable 1', '');
    expect(valueIn(sections[0], 'disable')).toBe('1');
    expect(valueIn(sections[0], 'server')).toBe('pbs.lan');
    expect(short(complaints)).toEqual(['4 section pbs: off', '6 key disable 1']);
    expect(complaints[1]?.means).toBe('counts for "box" and not for "off" of line 4');
  });

  it('a line of blanks ends no section', () => {
    const { sections, complaints } = read(...nas.slice(0, 3), '  \t', ...box);
    expect(sections.map(({ id }) => id)).toEqual(['nas']);
    expect(complaints[0]?.means).toContain('line 4 is not empty, it holds blanks or a carriage return');
  });

  it('CRLF: only the first section survives', () => {
    const { sections, complaints } = read(...[...nas, ...box, 'nfs: third', ''].map((row) => `${row}\r`));
    expect(sections.map(({ id }) => id)).toEqual(['nas']);
    expect(valueIn(sections[0], 'server')).toBe('nas.lan');
    expect(complaints.filter(({ level }) => level === 'section').map(({ line }) => line)).toEqual([5, 9]);
  });

  it.each([
    ['disable', '1', 0],
    ['disable 1', '1', 0],
    ['disable 0', '0', 0],
    ['disable yes', undefined, 1],
    ['disable on', undefined, 1],
    ['disable true', undefined, 1],
    ['disable 01', undefined, 1],
  ])('the boolean "%s" is %s', (line, value, count) => {
    const { sections, complaints } = read(...nas.slice(0, 3), `\t${line}`, '');
    expect(valueIn(sections[0], 'disable')).toBe(value);
    expect(complaints).toHaveLength(count);
    if (count > 0) expect(complaints[0]?.means).toMatch(/neither 0 nor 1.*the storage stays enabled$/);
  });

  it('of a key that stands twice the first counts', () => {
    const { sections, complaints } = read(...nas.slice(0, 3), '\tserver other', '');
    expect(valueIn(sections[0], 'server')).toBe('nas.lan');
    expect(complaints[0]?.means).toBe('server stands twice: the first, line 2, counts');
  });

  it('a dropped value leaves the place to a later one', () => {
    const { sections } = read(...nas.slice(0, 3), '\tdisable yes', '\tdisable 1', '');
    expect(valueIn(sections[0], 'disable')).toBe('1');
  });

  it('keys that may repeat keep all their values', () => {
    const { sections } = read('job: one', '\tschedule 02:00', '\texclude-path /a', '\texclude-path /b', '');
    expect(sections[0]?.keys.get('exclude-path')?.map(({ value }) => value)).toEqual(['/a', '/b']);
  });

  it('of two sections with one id the last counts', () => {
    const { sections, complaints } = read(...nas, 'nfs: nas', '\tserver other', '\texport /c', '');
    expect(sections).toHaveLength(1);
    expect(valueIn(sections[0], 'server')).toBe('other');
    expect(short(complaints)).toEqual(['1 section nfs: nas']);
    expect(complaints[0]?.means).toBe('line 5 has the same id and takes its place');
  });

  it('a whole section after a broken one of the same id mends it', () => {
    const { sections, complaints } = read('nfs: nas', '\tserver x', '', ...nas);
    expect(sections).toHaveLength(1);
    expect(complaints.map(({ level }) => level)).not.toContain('writes');
  });

  it('a value that its key does not take is dropped', () => {
    const { sections, complaints } = read(...nas.slice(0, 3), '\tprune-backups keep-last', '\toptions', '');
    expect([...(sections[0]?.keys.keys() ?? [])]).toEqual(['server', 'export']);
    expect(short(complaints)).toEqual(['4 key prune-backups keep-last', '5 key options']);
  });

  it('an unknown type is skipped up to the next empty line, and gone after the next write', () => {
    const { sections, complaints } = read('nsf: nas', '\tserver x', '\texport /b', '', ...box);
    expect(sections.map(({ id }) => id)).toEqual(['box']);
    expect(short(complaints)).toEqual(['1 section nsf: nas']);
    expect(complaints[0]?.means).toContain('removed at the next change');
  });

  it('a byte order mark makes the first type an unknown one', () => {
    expect(ids('\ufeffnfs: nas', '\tserver x', '\texport /b', '', ...box)).toEqual(['box']);
  });

  it('a type known by name only is taken as it is', () => {
    const { sections, complaints } = read('foreign: it', '\tanything', '\tgoes here', '');
    expect(complaints).toEqual([]);
    expect(valueIn(sections[0], 'anything')).toBe('1');
  });

  it('an id that is none, and header lines that are none', () => {
    expect(short(read('nfs: a', '\tserver x', '', 'nfs: b c', '\tserver x', '', ...nas).complaints)).toEqual([
      '1 section nfs: a',
      '4 key nfs: b c',
      '5 key server x',
    ]);
  });

  it('an empty line within a section ends it; a line that is not indented is ignored', () => {
    const { sections, complaints } = read(...nas, '\tdisable 1', '', ...box.slice(0, 3), 'disable 1', '');
    expect(sections.map((one) => valueIn(one, 'disable'))).toEqual([undefined, undefined]);
    expect(short(complaints)).toEqual(['5 key disable 1', '10 key disable 1']);
    expect(complaints[0]?.means).toContain('An empty line ended "nas"');
  });

  it('shows no secret, no control characters and no long line', () => {
    const { complaints } = read(
      ...nas.slice(0, 3),
      '\tpassword  hush',
      `\tx\u001b[31m ${'y'.repeat(200)}`,
      '',
    );
    expect(complaints[0]?.found).toBe('password ...');
    expect(JSON.stringify(complaints)).not.toContain('hush');
    expect(complaints[1]?.found).toMatch(/^[\x20-\x7e]{1,80}$/);
  });

  it('names such as constructor are no types and no keys', () => {
    expect(ids('constructor: it', '')).toEqual([]);
    expect(short(read(...nas.slice(0, 3), '\tconstructor 1', '').complaints)).toEqual([
      '4 key constructor 1',
    ]);
  });

  it('an empty file has nothing to complain of', () => {
    expect(parsePerlSections('', format)).toEqual({ sections: [], complaints: [] });
  });
});
