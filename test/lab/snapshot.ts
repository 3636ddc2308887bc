import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** One entry of a tree, as exactly as the kernel tells it. */
export interface Entry {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Octal, four digits or more. */
  readonly mode: string;
  /** `uid:gid`. */
  readonly owner: string;
  /** Hex, of files only. */
  readonly sha256: string | null;
  /** Where a link points to. */
  readonly link: string | null;
  /** Nanoseconds since 1970, as text. */
  readonly mtime: string;
  readonly inode: string;
}

/** By path. */
export type Snapshot = ReadonlyMap<string, Entry>;

/**
 * Everything at and below `dirs` of the tree at `root`, other file systems left out. `ignore`: paths not looked at, with what
 * is below. `dirs` must hold no symbolic link on their way: one that is absolute would lead out of `root`.
 */
export function snapshotTree(
  root: string,
  dirs: readonly string[],
  ignore: readonly string[] = [],
): Snapshot {
  const entries = new Map<string, Entry>();
  const left = new Set(ignore);
  const visit = (path: string, device: bigint | null): void => {
    if (left.has(path)) return;
    const real = join(root, path);
    const stat = lstatSync(real, { bigint: true, throwIfNoEntry: false });
    if (!stat) return;
    const type = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'directory'
        : stat.isSymbolicLink()
          ? 'link'
          : 'other';
    if (type === 'directory' && device !== null && stat.dev !== device) return;
    entries.set(path, {
      type,
      mode: (stat.mode & 0o7777n).toString(8).padStart(4, '0'),
      owner: `${stat.uid}:${stat.gid}`,
      sha256: type === 'file' ? createHash('sha256').update(readFileSync(real)).digest('hex') : null,
      link: type === 'link' ? readlinkSync(real) : null,
      mtime: String(stat.mtimeNs),
      inode: String(stat.ino),
    });
    if (type !== 'directory') return;
    for (const name of readdirSync(real).sort()) visit(join(path, name), device ?? stat.dev);
  };
  for (const dir of dirs) visit(dir, null);
  return entries;
}

/**
 * What differs: `+ /path`, `- /path`, or `/path: mode 0644 -> 0600, mtime`, in order of paths. Empty: nothing at all changed.
 * Times and inodes are named without their values, which say nothing to a reader.
 */
export function changes(before: Snapshot, after: Snapshot): string[] {
  const found: string[] = [];
  for (const path of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const had = before.get(path);
    const has = after.get(path);
    if (!had) found.push(`+ ${path}`);
    else if (!has) found.push(`- ${path}`);
    else {
      const differing = differences(had, has);
      if (differing.length > 0) found.push(`${path}: ${differing.join(', ')}`);
    }
  }
  return found;
}

function differences(had: Entry, has: Entry): string[] {
  const shown = ['type', 'mode', 'owner', 'link'] as const;
  const named = ['sha256', 'mtime', 'inode'] as const;
  return [
    ...shown.filter((key) => had[key] !== has[key]).map((key) => `${key} ${had[key]} -> ${has[key]}`),
    ...named.filter((key) => had[key] !== has[key]).map((key) => (key === 'sha256' ? 'content' : key)),
  ];
}
