/** Schema of an absolute, normalised path of the host: no `..`, no `//`, no trailing slash, no control characters. */
export const pathSchema = {
  type: 'string',
  pattern: '^/$|^(/(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+)+$',
  maxLength: 1024,
} as const;

/** YAML reads an unquoted 0644 as the number 420: the schema takes strings only, and the loader says so. */
export const modeText = { type: 'string', pattern: '^[0-7]{4}$' } as const;

export const ownerName = { type: 'string', pattern: '^[a-z_][a-z0-9_.-]{0,31}$|^[0-9]{1,10}$' } as const;
export const groupName = ownerName;

export const stateWord = { enum: ['present', 'absent'] } as const;

/** For types that write below a mount. */
export const mountedSchema = {
  ...pathSchema,
  description:
    'A mount point this path lies below. While nothing is mounted there, nothing is written: it would fill the disk underneath.',
} as const;

export const aclSchema = {
  enum: ['linux'],
  description:
    'Only for shares of a Synology: `linux` says that mode and owner may replace the ACL of the share (default: refused).',
} as const;

/** stat's words for a kind of file, in our shorter ones. */
export function fileKind(statWord: string): string {
  if (statWord === 'regular file' || statWord === 'regular empty file') return 'file';
  if (statWord === 'symbolic link') return 'link';
  return statWord;
}

/** "/etc/a/b" -> "/etc/a"; "/a" -> "/". */
export function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
