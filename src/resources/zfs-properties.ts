/**
 * Properties of a dataset that may be set on a running system: none of them loses data, hides files or takes a dataset away from
 * its users. Not among them, on purpose: `volsize`, `mountpoint`, `canmount`, `readonly`, `acltype`, everything of encryption.
 */
const choices: Readonly<Record<string, readonly string[]>> = {
  // `off` is one as well; what is written stays as it is in any case.
  compression: ['on', 'off', 'lz4', 'lzjb', 'zle', ...levels('gzip', 9), ...levels('zstd', 19)],
  atime: ['on', 'off'],
  relatime: ['on', 'off'],
  xattr: ['on', 'sa', 'dir'],
  dnodesize: ['legacy', 'auto', '1k', '2k', '4k', '8k', '16k'],
  logbias: ['latency', 'throughput'],
  primarycache: ['all', 'metadata', 'none'],
  secondarycache: ['all', 'metadata', 'none'],
  snapdir: ['hidden', 'visible'],
  // `disabled` loses what was written in the last seconds before a power cut.
  sync: ['standard', 'always'],
  redundant_metadata: ['all', 'most'],
  'com.sun:auto-snapshot': ['true', 'false'],
};

const sizes = ['recordsize', 'quota', 'refquota'] as const;

function levels(name: string, last: number): string[] {
  return [name, ...Array.from({ length: last }, (_, index) => `${name}-${index + 1}`)];
}

/** All of them, in the order in which they are asked for. */
export const propertyNames: readonly string[] = [...Object.keys(choices), ...sizes];

/** Those that a volume (a disk of a virtual machine) does not have. */
export const fileSystemOnly: readonly string[] = [
  'atime',
  'relatime',
  'xattr',
  'dnodesize',
  'snapdir',
  'recordsize',
  'quota',
  'refquota',
];

export const propertiesSchema = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: {
    ...Object.fromEntries(Object.entries(choices).map(([name, values]) => [name, { enum: values }])),
    recordsize: { enum: ['4K', '8K', '16K', '32K', '64K', '128K', '256K', '512K', '1M'] },
    quota: { type: 'string', pattern: '^(none|[1-9][0-9]{0,15}[KMGTP]?)$' },
    refquota: { type: 'string', pattern: '^(none|[1-9][0-9]{0,15}[KMGTP]?)$' },
  },
} as const;

/** Bytes of `128K`, `1M`, `none` (0), `107374182400`; NaN for anything else. */
export function bytes(text: string): number {
  if (text === 'none' || text === '0') return 0;
  const found = /^(\d+)([KMGTP]?)$/.exec(text);
  return found === null ? Number.NaN : Number(found[1]) * 1024 ** ' KMGTP'.indexOf(found[2] || ' ');
}

/** One way to write each value: sizes in bytes, as `zfs get -p` prints them, `none` for no limit. */
export function canonicalProperty(name: string, value: string): string {
  if (!(sizes as readonly string[]).includes(name)) return value;
  const size = bytes(value);
  return size === 0 ? 'none' : Number.isNaN(size) ? value : String(size);
}
