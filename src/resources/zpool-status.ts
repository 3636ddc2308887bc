/** What `zpool status` says of one pool, however it says it. */
export interface PoolStatus {
  /** ONLINE, DEGRADED, FAULTED, UNAVAIL, SUSPENDED, ... */
  readonly state: string;
  /** Devices and files at the ends of the tree, log devices, caches and spares too. */
  readonly leaves: readonly Leaf[];
  readonly scan: Scan;
  /** Entries of the list of permanent errors, as printed. */
  readonly damage: readonly string[];
}

export interface Leaf {
  /** Whole path; of one that is missing the path that it was last seen at. */
  readonly path: string;
  readonly state: string;
  /** Errors since the pool was imported or the counters were last cleared, those that were repaired too. */
  readonly read: number;
  readonly write: number;
  readonly checksum: number;
}

/** The last scrub or resilver: a pool remembers one of them only. */
export interface Scan {
  readonly kind: 'none' | 'scrub' | 'resilver' | 'other';
  readonly state: 'finished' | 'running' | 'paused' | 'canceled' | 'other';
  /** Errors that it could not repair. */
  readonly errors: number;
  /** Epoch seconds of its end, or of its start while it runs; null: not said. */
  readonly at: number | null;
}

const noScan: Scan = { kind: 'none', state: 'other', errors: 0, at: null };

/** Words that stand at the start of a line of the head; a message may go on over several lines. */
const heading =
  /^ {0,2}(pool|id|state|status|action|see|scan|scrub|remove|expand|checkpoint|dedup|config|errors|comment): ?(.*)$/;

/**
 * Reads the text of `zpool status -P -p -v POOL` as OpenZFS 2.0 to 2.4 print it, or says in a word why it is none. `scanned` is the
 * time in the line `scan:` as epoch seconds: it is printed in the host's own time zone, so only the host can turn it into a number.
 */
export function readStatusText(lines: readonly string[], scanned: number | null): PoolStatus | string {
  const parts = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of lines) {
    const found = heading.exec(line);
    if (found === null) current.push(line);
    else {
      const [, name = '', rest = ''] = found;
      current = [rest];
      // After a check of logged blocks alone there is a second line, ` scrub:`; what matters is in `scan:`.
      if (!parts.has(name)) parts.set(name, current);
    }
  }
  const state = parts.get('state')?.[0]?.trim();
  const errors = parts.get('errors');
  if (!state || parts.get('config') === undefined) return 'it is cut off';
  if (errors === undefined) return 'it does not come to the list of errors';
  const leaves = readTree(parts.get('config') ?? []);
  if (leaves.length === 0) return 'it names no device';
  return { state, leaves, scan: readScan(parts.get('scan')?.[0] ?? '', scanned), damage: readDamage(errors) };
}

interface Row {
  readonly depth: number;
  readonly words: readonly string[];
}

/** Depth is two blanks for each level behind one tab. Headings such as `logs` have no state. */
function readTree(lines: readonly string[]): Leaf[] {
  const rows = lines.flatMap((line): Row[] => {
    const found = /^\t( *)(\S.*)$/.exec(line);
    if (found === null) return [];
    return [{ depth: (found[1] ?? '').length, words: (found[2] ?? '').split(/\s+/) }];
  });
  return rows.flatMap(({ depth, words }, index): Leaf[] => {
    const next = rows[index + 1];
    const [name = '', state] = words;
    if (state === undefined || name === 'NAME' || (next !== undefined && next.depth > depth)) return [];
    const was = words.indexOf('was');
    const [read, write, checksum] = words.slice(2, 5).map(count);
    return [
      {
        path: was > 0 ? (words[was + 1] ?? name) : name,
        state,
        read: read ?? 0,
        write: write ?? 0,
        checksum: checksum ?? 0,
      },
    ];
  });
}

/** -p prints exact numbers; an older or foreign one may still print `1.2K`, which is not zero. */
export function count(word: string): number {
  const found = /^(\d+(?:\.\d+)?)([KMGTPE]?)$/.exec(word);
  if (found === null) return 0;
  const power = ' KMGTPE'.indexOf(found[2] || ' ');
  return Math.round(Number(found[1]) * 1024 ** power);
}

function readScan(line: string, at: number | null): Scan {
  const text = line.trim();
  if (text === '' || text.startsWith('none requested')) return noScan;
  const errors = Number(/ with (\d+) errors /.exec(text)?.[1] ?? 0);
  const found: readonly [RegExp, Scan['kind'], Scan['state']][] = [
    [/^(thorough )?scrub repaired /, 'scrub', 'finished'],
    [/^(thorough )?scrub in progress /, 'scrub', 'running'],
    [/^(thorough )?scrub paused /, 'scrub', 'paused'],
    [/^(thorough )?scrub canceled /, 'scrub', 'canceled'],
    [/^resilvered /, 'resilver', 'finished'],
    [/^resilver (\([^)]*\) )?in progress /, 'resilver', 'running'],
    [/^resilver (\([^)]*\) )?canceled /, 'resilver', 'canceled'],
  ];
  const [, kind, state] = found.find(([pattern]) => pattern.test(text)) ?? [/./, 'other', 'other'];
  return { kind, state, errors, at };
}

function readDamage([first = '', ...rest]: readonly string[]): string[] {
  if (first.startsWith('No known data errors')) return [];
  const listed = rest.map((line) => line.trim()).filter((line) => line !== '');
  // "12 data errors, use '-v' for a list", "List of errors unavailable: permission denied": damage all the same.
  return first.startsWith('Permanent errors') && listed.length > 0
    ? listed
    : [`not listed: ${first.trim() || 'no reason given'}`];
}
