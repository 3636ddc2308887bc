import { expect, test } from 'vitest';
import { parseVzdumpConf } from './vzdump-conf.ts';

/** The parser that judges our files must itself know what vzdump makes of bad ones. */
test.each([
  ['tmpdir: /x # y', ['parse error']],
  ['tmpdir : /x', ['ignore config line']],
  ['tmpdir=/x', ['ignore config line']],
  ['script=/a:b', ['ignored without a word']],
  ['TMPDIR: /x', ['ignored without a word']],
  ['\ufefftmpdir: /x', ['ignored without a word']],
  ['maxfiles: 3', ['ignored without a word']],
  ['bwlimit: 50M', ['parse error']],
  ['lockwait: 1.5', ['parse error']],
  ['mode: Snapshot', ['parse error']],
  ['storage: a', ['parse error']],
  ['prune-backups: keep-last=3, keep-daily=1', ['parse error']],
  ['prune-backups: keep-all=1,keep-last=3', ['parse error']],
  ['exclude-path: /a\\', ['no entry at all']],
  ["exclude-path: '/a", ['no entry at all']],
  ['mode: stop\nmode: snapshot', ['twice']],
  ['  mode: stop\r', []],
  ['# mode: Snapshot', []],
  ['remove: Yes', []],
])('%j', (text, complaints) => {
  expect(parseVzdumpConf(text).complaints.map((one) => one.split(':')[0]?.split(',')[0])).toEqual(complaints);
});

test('exclude-path is split as a shell would, and lines add up', () => {
  const { excludePath } = parseVzdumpConf("exclude-path: /a '/b c' /d*\nexclude-path: /a,/b\n");
  expect(excludePath).toEqual(['/a', '/b c', '/d*', '/a,/b']);
});
