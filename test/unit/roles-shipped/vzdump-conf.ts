import { execFileSync } from 'node:child_process';

/** What vzdump would make of a file, and what it would complain about or ignore. */
export interface VzdumpConf {
  readonly values: ReadonlyMap<string, string>;
  /** Words of all exclude-path lines. */
  readonly excludePath: readonly string[];
  /** Lines that vzdump drops with a warning, and keys that it ignores without one. */
  readonly complaints: readonly string[];
}

const path = /^\/\S*$/;
const whole = /^\d+$/;
const bool = /^(0|1|on|off|yes|no|true|false)$/i;
const storage = /^[a-z][a-z0-9\-_.]*[a-z0-9]$/i;

const keys: Readonly<Record<string, (value: string) => boolean>> = {
  tmpdir: (value) => path.test(value),
  dumpdir: (value) => path.test(value),
  script: (value) => path.test(value),
  storage: (value) => storage.test(value),
  mode: (value) => ['snapshot', 'suspend', 'stop'].includes(value),
  compress: (value) => ['0', '1', 'gzip', 'lzo', 'zstd'].includes(value),
  bwlimit: (value) => whole.test(value),
  lockwait: (value) => whole.test(value),
  stopwait: (value) => whole.test(value),
  zstd: (value) => whole.test(value),
  pigz: (value) => whole.test(value),
  ionice: (value) => whole.test(value) && Number(value) <= 8,
  stdexcludes: (value) => bool.test(value),
  remove: (value) => bool.test(value),
  protected: (value) => bool.test(value),
  mailto: (value) => value.split(/[,; \0]/).every((word) => /^[^@\s]+(@[^@\s]+)?$/.test(word)),
  mailnotification: (value) => ['always', 'failure'].includes(value),
  'notification-mode': (value) => ['auto', 'legacy-sendmail', 'notification-system'].includes(value),
  'pbs-change-detection-mode': (value) => ['legacy', 'data', 'metadata'].includes(value),
  'notes-template': (value) => value.length <= 1024 && !/\\(?![n\\])/.test(value.replaceAll('\\\\', '')),
  'prune-backups': prune,
  performance: (value) => properties(value, { 'max-workers': whole, 'pbs-entries-max': whole }),
  fleecing: (value) => properties(value, { enabled: bool, storage }),
};

/** The line grammar of /etc/vzdump.conf: trimmed lines, `KEY:VALUE`, no quotes, no continuation, no comments behind a value. */
export function parseVzdumpConf(text: string): VzdumpConf {
  const values = new Map<string, string>();
  const excludePath: string[] = [];
  const complaints: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '');
    if (line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = /^([^\t-\r :]+):[\t-\r ]*(.*)$/.exec(line) ?? [];
    const fits = keys[key];
    if (key === '') complaints.push(`ignore config line: ${line}`);
    else if (key === 'exclude-path') excludePath.push(...words(value, complaints));
    else if (fits === undefined) complaints.push(`ignored without a word: ${line}`);
    else if (values.has(key)) complaints.push(`twice, the last one wins: ${line}`);
    else if (!fits(value)) complaints.push(`parse error: ${line}`);
    values.set(key, value);
  }
  return { values, excludePath, complaints };
}

/** Starting Perl takes longer than all the rest. */
const split = new Map<string, string[]>();

/** The Perl module that splits this key, so that the test does not share an opinion with the template. */
function words(value: string, complaints: string[]): string[] {
  const known = split.get(value);
  if (known !== undefined) return known;
  const script = 'use Text::ParseWords; print join("\\0", shellwords($ARGV[0]))';
  const found = execFileSync('perl', ['-e', script, value], { encoding: 'utf8' });
  if (found === '') complaints.push(`no entry at all: exclude-path: ${value}`);
  const list = found === '' ? [] : found.split('\0');
  // A line without entries is not kept: it has to complain each time.
  if (list.length > 0) split.set(value, list);
  return list;
}

function prune(value: string): boolean {
  const pairs = value.split(',').map((pair) => pair.split('='));
  const names = pairs.map(([name = '']) => name);
  if (new Set(names).size !== names.length) return false;
  if (names.includes('keep-all')) return value === 'keep-all=1';
  return pairs.every(
    ([name = '', count = '', ...rest]) =>
      /^keep-(last|hourly|daily|weekly|monthly|yearly)$/.test(name) && whole.test(count) && rest.length === 0,
  );
}

function properties(value: string, allowed: Readonly<Record<string, RegExp>>): boolean {
  return value.split(',').every((pair) => {
    const [name = '', ...rest] = pair.split('=');
    return rest.length === 1 && allowed[name]?.test(rest[0] ?? '') === true;
  });
}
