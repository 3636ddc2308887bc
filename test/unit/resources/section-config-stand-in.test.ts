import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { storageFormat } from '../../../src/resources/pve-storage-format.ts';
import { parsePerlSections } from '../../../src/resources/section-config-perl.ts';

const standIns = new URL('../../lab/stand-ins', import.meta.url).pathname;

/** Lines that a storage.cfg is made of, and those that hands and editors make of them. */
const lines = [
  '',
  '',
  '',
  ' ',
  '\r',
  '# by hand',
  '\t# by hand',
  '0',
  'nfs: nas',
  'NFS:nas',
  'pbs: box',
  'dir: usb',
  'dir:  local',
  'pbx: what',
  'nfs: a',
  'nfs: b c',
  'zfspool: tank ',
  '\tserver nas.lan',
  '  server   other.lan  ',
  '\tserver',
  '\texport /bu',
  '\tdatastore main',
  '\tpath /mnt/usb',
  '\tpool rpool/data',
  '\tcontent backup,iso',
  '\tcontent backups',
  '\tcontent',
  '\tdisable',
  '\tdisable yes',
  '\tdisable 0',
  '\tsparse 1',
  '\toptions vers=4.2',
  '\toptions a b',
  '\tprune-backups keep-last=3',
  '\tprune-backups keep-all=1,keep-last=3',
  '\tprune-backups keep-lst=3',
  '\tport 99999',
  'content iso',
  '\tsurprise 1\r',
  '\tnodes pve1,pve2\r',
];

const whole = [
  ['nfs: nas', '\tserver nas.lan', '\texport /bu', '\tcontent backup', ''],
  ['pbs: box', '\tserver pbs.lan', '\tdatastore main', '\tport 8007', ''],
  ['dir: usb', '\tpath /mnt/usb', '\tis_mountpoint yes', ''],
  ['zfspool: tank', '\tpool rpool/data', '\tsparse', ''],
];

/** Small, fixed generator: a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

const program = `
use SectionConfig;
use JSON::PP ();
local $SIG{__WARN__} = sub { };
my $json = JSON::PP->new->canonical;
my $schema = SectionConfig::storage_schema();
local $/ = "\\0";
while (defined(my $text = <STDIN>)) {
    chomp $text;
    no warnings 'redefine';
    local *SectionConfig::slurp = sub { $text };
    my $cfg = SectionConfig::read('storage.cfg', $schema);
    print $json->encode({ map { my $s = $cfg->{ids}{$_}; $_ => $s && { map { $_ => "$s->{$_}" } keys %$s } } keys %{ $cfg->{ids} } }), "\\n";
}`;

test('two readers, written apart from one description, agree on a thousand files', () => {
  const next = random(11);
  const pick = <Item>(list: readonly Item[]): Item | undefined => list[Math.floor(next() * list.length)];
  const texts = Array.from({ length: 1000 }, () => {
    const rows = Array.from({ length: 1 + Math.floor(next() * 4) }, () => pick(whole) ?? []).flat();
    const spoilt = rows.flatMap((row) => {
      const chance = next();
      if (chance < 0.03) return [];
      return chance < 0.15 ? [row, pick(lines)] : [row];
    });
    return `${spoilt.join('\n')}\n`;
  });
  const perl = spawnSync('perl', [`-I${standIns}`, '-e', program], {
    input: texts.join('\0'),
    encoding: 'utf8',
  });
  expect(perl.stderr).toBe('');
  const read = perl.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, Record<string, string> | null>);
  expect(read).toHaveLength(texts.length);
  let sections = 0;
  for (const [index, text] of texts.entries()) {
    const { sections: found, complaints } = parsePerlSections(text, storageFormat);
    const ours = Object.fromEntries([
      ...complaints.flatMap(({ level, section }) => (level === 'writes' ? [[section, null]] : [])),
      ...found.map(({ id, type, keys }) => [
        id,
        { type, ...Object.fromEntries([...keys].map(([key, [entry]]) => [key, entry?.value])) },
      ]),
    ]);
    expect(ours, JSON.stringify(text)).toEqual(read[index]);
    sections += found.length;
  }
  expect(sections).toBeGreaterThan(1000);
});
