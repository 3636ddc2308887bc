/**
 * What both parsers of "section config" files answer with. Proxmox VE (Perl) and Proxmox Backup Server (Rust) write files of the same look
 * and read them by different rules: the parsers share these words and no code.
 */

export interface Entry {
  /** Blanks at both ends removed. A bare key of a boolean counts as `1` in Perl; in Rust there are no bare keys. */
  readonly value: string;
  /** Of the file, counted from 1. */
  readonly line: number;
}

/** One section that is in effect. */
export interface Section {
  readonly type: string;
  readonly id: string;
  /** Of its header. */
  readonly line: number;
  /** Only what counts: a key that Proxmox drops is a complaint. Several entries for keys that may repeat, else one. */
  readonly keys: ReadonlyMap<string, readonly Entry[]>;
}

/**
 * `file` nothing of the file can be read · `writes` it can be read, and every later write of Proxmox fails · `section` a section is not in
 * effect, or would be gone after the next write · `key` a line of a section does not count, or counts for another section.
 */
export type ComplaintLevel = 'file' | 'writes' | 'section' | 'key';

export interface Complaint {
  readonly line: number;
  /** The line, shortened, without control characters and without the value of a secret. */
  readonly found: string;
  /** What Proxmox makes of it. */
  readonly means: string;
  readonly level: ComplaintLevel;
  /** Id of the section that it concerns; of a swallowed section its own. */
  readonly section?: string | undefined;
  /** The key, where it is about one. */
  readonly key?: string | undefined;
  /** The type of a section whose type is not known. */
  readonly type?: string | undefined;
}

export interface SectionFile {
  /** In the order of the file. Of several with one id the last. */
  readonly sections: readonly Section[];
  /** In the order of the lines. */
  readonly complaints: readonly Complaint[];
}

/** The value that counts, of a key that does not repeat. */
export function valueIn(section: Section | undefined, key: string): string | undefined {
  return section?.keys.get(key)?.[0]?.value;
}

/** `/etc/pve/storage.cfg line 12: "disable yes": neither 0 nor 1 ...` */
export function showComplaint(file: string, { line, found, means }: Complaint): string {
  return `${file} line ${line}: ${found === '' ? 'an empty line' : `"${found}"`}: ${means}`;
}

/** A line as a complaint shows it. */
export function shownLine(line: string): string {
  const hidden = line.replace(/^(\s*(?:password|secret|token)\s).*/i, '$1...');
  const plain = hidden.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return plain.length > 80 ? `${plain.slice(0, 77)}...` : plain;
}
