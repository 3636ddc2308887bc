import { type Complaint, type Entry, type Section, type SectionFile, shownLine } from './section-config.ts';

/** What Proxmox Backup Server knows of one file: which types of section, which keys, which values it takes. */
export interface RustFormat {
  readonly types: Readonly<Record<string, RustType>>;
  /** Keys of a list: they may stand several times, one element each. */
  readonly arrays?: readonly string[];
  /** `1 0 on off yes no true false` in any case. */
  readonly booleans: readonly string[];
  /** Why a value of this key cannot be read, or null. */
  readonly values?: Readonly<Record<string, (value: string) => string | null>>;
  /** Form of an id. Default: 3 to 32 of letters, digits, `_`, and inside also `.` and `-`. */
  readonly id?: RegExp;
}

export interface RustType {
  readonly required: readonly string[];
  /** Null: any key is taken as it is, nothing is judged. */
  readonly optional: readonly string[] | null;
}

const usualId = /^[A-Za-z0-9_][A-Za-z0-9._-]{2,31}$/;
// As Rust has it: a byte order mark is no blank, in JavaScript's \s and trim it is.
const blank = /^\p{White_Space}*$/u;
const property = /^\p{White_Space}+(\P{White_Space}+)(?:\p{White_Space}(.*))?$/su;
const truths: Readonly<Record<string, string>> = {
  on: '1',
  yes: '1',
  true: '1',
  off: '0',
  no: '0',
  false: '0',
};

/** The words of PBS for true and false, as `1` and `0`; anything else is undefined. */
function rustBoolean(value: string): '1' | '0' | undefined {
  const word = value.toLowerCase();
  const known = Object.hasOwn(truths, word) ? truths[word] : word;
  return known === '1' || known === '0' ? known : undefined;
}

interface Open {
  readonly type: string;
  readonly id: string;
  readonly line: number;
  readonly known: RustType;
  readonly keys: Map<string, Entry[]>;
}

/**
 * Reads a section config file as the Rust code of Proxmox Backup Server does: datastore.cfg, prune.cfg, sync.cfg, user.cfg. One line that
 * cannot be read makes the whole file unreadable: then there are no sections, and one complaint, of the first such line. A line of blanks
 * ends a section, CRLF is accepted, booleans come out as `1` and `0`.
 */
export function parseRustSections(text: string, format: RustFormat): SectionFile {
  const complaints: Complaint[] = [];
  const sections = new Map<string, Section>();
  const rows = text.split('\n').map((row) => row.replace(/\r$/, ''));
  let open: Open | undefined;

  const close = (): string | null => {
    if (open === undefined) return null;
    const { known, keys, type, id, line } = open;
    const missing = known.required.find((key) => !keys.has(key));
    if (missing !== undefined) return `"${id}" has no ${missing}, which ${type} requires`;
    const before = sections.get(id);
    if (before !== undefined)
      complaints.push({
        line: before.line,
        found: shownLine(rows[before.line - 1] ?? ''),
        means: `line ${line} has the same id and takes its place`,
        level: 'section',
        section: id,
      });
    sections.delete(id);
    sections.set(id, { type, id, line, keys });
    open = undefined;
    return null;
  };
  const fails = (line: number, means: string, key?: string): SectionFile => ({
    sections: [],
    complaints: [
      {
        line,
        found: shownLine(rows[line - 1] ?? ''),
        means: `${means}: Proxmox Backup Server reads nothing of the whole file`,
        level: 'file',
        section: open?.id,
        key,
      },
    ],
  });

  for (const [index, row] of rows.entries()) {
    const line = index + 1;
    if (blank.test(row)) {
      const head = open?.line ?? line;
      const why = close();
      if (why !== null) return fails(head, why);
      continue;
    }
    if (open === undefined) {
      const opened = begin(row, line);
      if (typeof opened === 'string') return fails(line, opened);
      open = opened;
      continue;
    }
    const read = property.exec(row);
    if (row.trimStart().startsWith('#')) return fails(line, 'there are no comments in these files');
    if (read === null)
      return fails(
        line,
        /^\p{Alphabetic}[^\s:]*:/u.test(row)
          ? `no empty line stands between this and "${open.id}" of line ${open.line}`
          : `this is no indented line of "${open.id}"`,
      );
    const key = read[1] ?? '';
    const taken = value(open, key, read[2]?.trim());
    if ('why' in taken) return fails(line, taken.why, key);
    open.keys.set(key, [...(open.keys.get(key) ?? []), { value: taken.value, line }]);
  }
  const head = open?.line ?? rows.length;
  const why = close();
  if (why !== null) return fails(head, why);
  return { sections: [...sections.values()], complaints };

  function begin(row: string, line: number): Open | string {
    if (row.startsWith('#')) return 'there are no comments in these files';
    const colon = row.indexOf(':');
    if (colon < 0 || !/^\p{Alphabetic}/u.test(row))
      return /^\p{White_Space}/u.test(row)
        ? 'this line belongs to no section'
        : 'this is no header of a section';
    const type = row.slice(0, colon).trim();
    const id = row.slice(colon + 1).trim();
    const known = Object.hasOwn(format.types, type) ? format.types[type] : undefined;
    if (known === undefined) return `${shownLine(type)} is no type of section in this file`;
    if (!(format.id ?? usualId).test(id)) return `"${shownLine(id)}" is no id that is accepted`;
    return { type, id, line, known, keys: new Map() };
  }

  function value(
    to: Open,
    key: string,
    given: string | undefined,
  ): { readonly value: string } | { readonly why: string } {
    const { known, type, keys } = to;
    if (given === undefined) return { why: `${key} has no value, and a bare key is an error here` };
    if (known.optional !== null && ![...known.required, ...known.optional].includes(key))
      return { why: `${type} has no ${shownLine(key)}` };
    if (keys.has(key) && !format.arrays?.includes(key))
      return { why: `${key} stands twice, first in line ${keys.get(key)?.[0]?.line}` };
    if (format.booleans.includes(key)) {
      const truth = rustBoolean(given);
      return truth === undefined ? { why: `${key} is neither true nor false` } : { value: truth };
    }
    const why = format.values?.[key]?.(given) ?? null;
    return why === null ? { value: given } : { why };
  }
}
