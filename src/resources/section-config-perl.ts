import {
  type Complaint,
  type ComplaintLevel,
  type Entry,
  type Section,
  type SectionFile,
  shownLine,
} from './section-config.ts';

/** What Proxmox VE knows of one file: which types of section, which keys, which values it takes. */
export interface PerlFormat {
  readonly types: Readonly<Record<string, PerlType>>;
  /** Keys that may stand several times in a section, each counting. */
  readonly repeated?: readonly string[];
  /** `0` or `1` and nothing else; a bare key is `1`. */
  readonly booleans: readonly string[];
  /** Why a value of this key is dropped, or null. */
  readonly values?: Readonly<Record<string, (value: string) => string | null>>;
  /** What follows when this key of a section does not count: "the storage stays enabled". */
  readonly without?: (type: string, key: string) => string | undefined;
  /** An id of another form: the section is skipped. */
  readonly id?: RegExp;
  /** storage.cfg reads `NFS:` as `nfs:`. */
  readonly anyCase?: true;
}

export interface PerlType {
  readonly required: readonly string[];
  /** Null: any key is taken as it is, nothing is judged (a type that is known by name only). */
  readonly optional: readonly string[] | null;
}

// Perl's \s over bytes: a no-break space of UTF-8 is none.
const blank = '[ \\t\\r\\f\\v]';
const comment = new RegExp(`^${blank}*#`);
const empty = new RegExp(`^${blank}*$`);
const header = new RegExp(`^([^ \\t\\r\\f\\v]+):${blank}*([^ \\t\\r\\f\\v]+)${blank}*$`);
const property = new RegExp(`^${blank}+([^ \\t\\r\\f\\v]+)(?:${blank}+(.*[^ \\t\\r\\f\\v]))?${blank}*$`);

interface Open {
  readonly type: string;
  readonly id: string;
  readonly line: number;
  readonly known: PerlType;
  readonly keys: Map<string, Entry[]>;
  /** Header that was taken for a line of this section. */
  swallowed?: { readonly id: string; readonly line: number };
}

/**
 * Reads a section config file as the Perl code of Proxmox VE does: storage.cfg, jobs.cfg, replication.cfg. Comment lines are skipped
 * anywhere (and lost at the next write), only a line with nothing at all ends a section, what cannot be read is dropped and the rest
 * used. A section that lacks a required key counts for nothing and makes every later write fail.
 */
export function parsePerlSections(text: string, format: PerlFormat): SectionFile {
  const complaints: Complaint[] = [];
  const sections = new Map<string, Section | { readonly line: number }>();
  const rows = text.split('\n').map((row, index) => ({ row, line: index + 1 }));
  if (rows.at(-1)?.row === '') rows.pop();
  const complain = (
    { row, line }: { row: string; line: number },
    level: ComplaintLevel,
    means: string,
    section?: string,
    key?: string,
  ) => complaints.push({ line, found: shownLine(row), means, level, section, key });

  let open: Open | undefined;
  let skipping: string | undefined;
  let ended: string | undefined;
  let blanks = 0;
  const close = (): void => {
    if (open === undefined) return;
    const { known, keys, type, id, line } = open;
    const before = sections.get(id);
    const head = rows[line - 1] ?? { row: '', line };
    if (before !== undefined) {
      const first = rows[before.line - 1] ?? head;
      complain(first, 'section', `line ${line} has the same id and takes its place`, id);
    }
    sections.delete(id);
    const missing = known.required.filter((key) => !keys.has(key));
    sections.set(id, missing.length > 0 ? { line } : { type, id, line, keys });
    for (const key of missing)
      complain(
        head,
        'writes',
        `"${id}" has no ${key}, which ${type} requires: it does not exist, and every later change of this file through Proxmox fails with "unknown section type ''"`,
        id,
        key,
      );
    ended = id;
    open = undefined;
  };

  for (const at of rows) {
    const { row, line } = at;
    if (comment.test(row)) continue;
    if (row === '') {
      close();
      skipping = undefined;
      blanks = 0;
      continue;
    }
    const head = header.exec(row);
    if (open === undefined && skipping === undefined) {
      if (row === '0') continue;
      if (head === null) {
        const where = ended === undefined ? '' : ` An empty line ended "${ended}".`;
        if (!empty.test(row)) complain(at, 'key', `belongs to no section and is ignored.${where}`);
        continue;
      }
      const type = format.anyCase ? (head[1] ?? '').toLowerCase() : (head[1] ?? '');
      const id = head[2] ?? '';
      const known = Object.hasOwn(format.types, type) ? format.types[type] : undefined;
      if (format.id !== undefined && !format.id.test(id)) {
        complain(
          at,
          'section',
          `"${id}" is no id that Proxmox takes: the section is skipped, and removed at the next change of this file`,
          id,
        );
        skipping = id;
      } else if (known === undefined) {
        const means = `${shownLine(type)} is no type that Proxmox knows: the section is skipped, and removed at the next change of this file`;
        complaints.push({ line, found: shownLine(row), means, level: 'section', section: id, type });
        skipping = id;
      } else open = { type, id, line, known, keys: new Map() };
      continue;
    }
    if (empty.test(row)) {
      blanks = line;
      continue;
    }
    const emptied = blanks;
    blanks = 0;
    if (head !== null) {
      const above =
        emptied > 0
          ? `line ${emptied} is not empty, it holds blanks or a carriage return`
          : 'no empty line stands before it';
      const into = open?.id ?? skipping ?? '';
      complain(
        at,
        'section',
        `${above}: it does not exist, its lines are taken for lines of "${into}"`,
        head[2],
      );
      if (open !== undefined) open.swallowed = { id: head[2] ?? '', line };
      continue;
    }
    if (open === undefined) continue;
    const read = property.exec(row);
    if (read === null) complain(at, 'key', 'is not indented, and ignored', open.id);
    else take(open, read[1] ?? '', read[2], at);
  }
  close();
  // What a later section of the same id replaced is in nobody's way.
  const standing = complaints.filter(
    ({ level, section = '', line }) => level !== 'writes' || sections.get(section)?.line === line,
  );
  standing.sort((one, other) => one.line - other.line);
  return { sections: [...sections.values()].filter((one) => 'keys' in one), complaints: standing };

  function take(to: Open, key: string, given: string | undefined, at: { row: string; line: number }): void {
    const { known, keys, type, id, swallowed } = to;
    const lost = (why: string): void => {
      // What follows a swallowed header is mostly foreign here; the header has been told.
      if (swallowed !== undefined) return;
      const effect = format.without?.(type, key);
      complain(at, 'key', `${why}: the line is dropped${effect === undefined ? '' : `, ${effect}`}`, id, key);
    };
    if (keys.has(key) && !format.repeated?.includes(key)) {
      if (swallowed === undefined)
        complain(
          at,
          'key',
          `${key} stands twice: the first, line ${keys.get(key)?.[0]?.line}, counts`,
          id,
          key,
        );
      return;
    }
    if (known.optional !== null && ![...known.required, ...known.optional].includes(key)) {
      lost(`${type} has no ${shownLine(key)}`);
      return;
    }
    const boolean = format.booleans.includes(key);
    const value = given ?? (boolean || known.optional === null ? '1' : undefined);
    if (value === undefined) {
      lost(`${key} has no value`);
      return;
    }
    const why = boolean
      ? /^[01]$/.test(value)
        ? null
        : `neither 0 nor 1 (words such as yes and on are not understood here)`
      : (format.values?.[key]?.(value) ?? null);
    if (why !== null) {
      lost(why);
      return;
    }
    keys.set(key, [...(keys.get(key) ?? []), { value, line: at.line }]);
    if (swallowed !== undefined)
      complain(
        at,
        'key',
        `counts for "${id}" and not for "${swallowed.id}" of line ${swallowed.line}`,
        id,
        key,
      );
  }
}
