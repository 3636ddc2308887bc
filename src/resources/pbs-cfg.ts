import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { lines, sh } from '../shell/sh.ts';
import { type Section, type SectionFile, showComplaint } from './section-config.ts';
import { parseRustSections, type RustFormat } from './section-config-rust.ts';

/** The directory of a backup server's configuration; without it there is no backup server. */
const directory = '/etc/proxmox-backup';

export type PbsFile = 'datastore' | 'prune' | 'verification' | 'sync' | 'user' | 'acl';

/** What it means when the server cannot read one of its files. */
const consequences: Readonly<Record<PbsFile, string>> = {
  datastore: 'all datastores are unavailable',
  prune: 'no prune job runs',
  verification: 'no verify job runs',
  sync: 'no sync job runs',
  user: 'no user and no token can log in',
  acl: 'nobody has any permission',
};

const keeps = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((unit) => `keep-${unit}`);
const count =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: string) =>
    /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most
      ? null
      : `"${value}" is no number from ${least} on`;
const keepValues = Object.fromEntries(keeps.map((key) => [key, count(1)]));

/** Types, keys and values of the files, as of Proxmox Backup Server 4.1. */
const formats: Readonly<Record<Exclude<PbsFile, 'acl'>, RustFormat>> = {
  datastore: {
    types: {
      datastore: {
        required: ['path'],
        optional: [
          ...['comment', 'gc-schedule', 'verify-new', 'notification-mode', 'notify', 'notify-user', 'tuning'],
          ...['maintenance-mode', 'backing-device', 'gc-on-unmount', 'backend', 'notification-thresholds'],
          ...['counter-reset-schedule', 'prune-schedule', ...keeps],
        ],
      },
    },
    booleans: ['verify-new', 'gc-on-unmount'],
    values: keepValues,
  },
  prune: {
    types: {
      prune: {
        required: ['store', 'schedule'],
        optional: ['disable', 'ns', 'max-depth', 'comment', ...keeps],
      },
    },
    booleans: ['disable'],
    values: { ...keepValues, 'max-depth': count(0, 7) },
  },
  verification: {
    types: {
      verification: {
        required: ['store'],
        optional: [
          ...['ns', 'max-depth', 'schedule', 'ignore-verified', 'outdated-after', 'comment'],
          ...['read-threads', 'verify-threads'],
        ],
      },
    },
    booleans: ['ignore-verified'],
    values: { 'max-depth': count(0, 7), 'outdated-after': count(0) },
  },
  sync: {
    types: {
      sync: {
        required: ['store', 'remote-store'],
        optional: [
          ...[
            'remote',
            'ns',
            'remote-ns',
            'owner',
            'remove-vanished',
            'max-depth',
            'schedule',
            'group-filter',
          ],
          ...['transfer-last', 'rate-in', 'rate-out', 'burst-in', 'burst-out', 'resync-corrupt'],
          ...['encrypted-only', 'verified-only', 'sync-direction', 'run-on-mount', 'unmount-on-done'],
          ...['worker-threads', 'comment'],
        ],
      },
    },
    arrays: ['group-filter'],
    booleans: [
      ...['remove-vanished', 'resync-corrupt', 'encrypted-only', 'verified-only'],
      ...['run-on-mount', 'unmount-on-done'],
    ],
    values: { 'max-depth': count(0, 7), 'transfer-last': count(1) },
  },
  user: {
    types: {
      user: {
        required: [],
        optional: ['enable', 'expire', 'comment', 'email', 'firstname', 'lastname'],
      },
      token: { required: [], optional: ['enable', 'expire', 'comment'] },
    },
    booleans: ['enable'],
    values: { expire: count(0) },
    id: /^[^\s:/!]+@[A-Za-z0-9_][A-Za-z0-9._-]*(![A-Za-z0-9_][A-Za-z0-9._-]*)?$/,
  },
};

/** A file that something depends on, and what in it belongs to that alone. */
export interface PbsAsk {
  readonly identity: string;
  readonly file: PbsFile;
  /** Headers of its sections, such as `prune: daily`; in acl.cfg: users and tokens. */
  readonly own: readonly string[];
}

export function pathOf(file: PbsFile): string {
  return `${directory}/${file}.cfg`;
}

/** Facts that hold a whole file; what they hold of others is nobody's business before a change. */
export const sharedFacts: readonly string[] = Object.keys(consequences).flatMap((file) => [
  `file-${file}`,
  `seen-${file}`,
]);

/**
 * For every ask `seen-FILE absent`, or `seen-FILE OWNER:GROUP MODE` and the lines as `file-FILE LINE`; and as `own LINE`, in an order of
 * their own, the lines of its sections: the server writes a file anew as a whole, with the keys in another order. These are local files.
 * Lines of one identity are kept together by nobody: its asks are printed one after the other.
 */
export function lookCfg(asks: readonly PbsAsk[]): Sh {
  const files = [...new Set(asks.map(({ file }) => file))];
  const rows = asks.map(({ identity, file, own }) => [identity, file, ...own].join('\t'));
  return lines([
    sh`if [ ! -d .${directoryText} ]; then stats=missing
else stats=$(stat -L -c '%n %U:%G %a' -- ${files.map((file) => `.${pathOf(file)}`)} 2>/dev/null)
fi
printf '%s\n' ${rows} | STATS=$stats awk ${program}`,
  ]);
}

const directoryText = { text: directory, blobs: [] };

const program = `BEGIN {
  FS = "\\t"; OFS = "\\t"
  n = split(ENVIRON["STATS"], line, "\\n")
  for (i = 1; i <= n; i++) { split(line[i], part, " "); stat[part[1]] = part[2] " " part[3] }
}
function fetch(file,  path, got) {
  if (file in size) return
  path = "./etc/proxmox-backup/" file ".cfg"
  size[file] = 0
  if (!(path in stat)) { state[file] = "absent"; return }
  state[file] = stat[path]
  while ((got = (getline text < path)) > 0) content[file, ++size[file]] = text
  if (got < 0) state[file] = "unread"
  close(path)
}
function plain(text) { gsub(/[ \\t\\r]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text); return text }
function keep(text,  k) {
  for (k = ++kept; k > 1 && mine[k - 1] > text; k--) mine[k] = mine[k - 1]
  mine[k] = text
}
ENVIRON["STATS"] == "missing" { print $1, "unknown", "there is no /etc/proxmox-backup: this is no backup server"; next }
{
  fetch($2)
  if (state[$2] == "unread") { print $1, "unknown", "/etc/proxmox-backup/" $2 ".cfg could not be read"; next }
  print $1, "seen-" $2, state[$2]
  for (i = 1; i <= size[$2]; i++) print $1, "file-" $2, content[$2, i]
  for (j = 3; j <= NF; j++) {
    kept = 0
    inside = 0
    for (i = 1; i <= size[$2]; i++) {
      text = plain(content[$2, i])
      if ($2 == "acl") { if (split(text, part, ":") == 5 && index("," part[4] ",", "," $j ",")) keep(part[3] ":" part[5] ":" part[2]) }
      else if (text == "") inside = 0
      else if (!inside && (text == $j || text == unspaced($j))) { inside = 1; kept = 0; keep($j) }
      else if (inside) keep(text)
    }
    for (k = 1; k <= kept; k++) print $1, "own", mine[k]
  }
}
function unspaced(text) { sub(/: /, ":", text); return text }`;

export interface ReadFile {
  readonly sections: readonly Section[];
  /** The proxy runs as the user backup and reads the file too. */
  readonly proxyReads: boolean;
}

/** The sections of a file, or why they cannot be known: one line that the server cannot read takes the whole file away. */
export function readCfg(
  facts: Facts,
  file: Exclude<PbsFile, 'acl'>,
): ReadFile | { readonly unknown: string } {
  const text = textOf(facts, file);
  if (typeof text !== 'string') return text;
  const parsed = parseRustSections(text, formats[file]);
  const why = refusal(parsed, file);
  return why === null ? { sections: parsed.sections, proxyReads: proxyReads(facts, file) } : { unknown: why };
}

/** The text of a file; one that is not there is empty. */
export function textOf(facts: Facts, file: PbsFile): string | { readonly unknown: string } {
  const unknown = facts.get('unknown');
  if (unknown !== undefined) return { unknown };
  if (!/^(absent|\S+:\S+ [0-7]+)$/.test(facts.get(`seen-${file}`) ?? ''))
    return { unknown: `the host said nothing about ${pathOf(file)}` };
  return facts
    .all(`file-${file}`)
    .map((line) => `${line}\n`)
    .join('');
}

function refusal(parsed: SectionFile, file: PbsFile): string | null {
  const first = parsed.complaints.find(({ level }) => level === 'file');
  if (first === undefined) return null;
  // Which keys there are is known of the versions up to now only.
  const newer = first.key !== undefined && /^\S+ has no \S+: /.test(first.means);
  const complaint = `${showComplaint(pathOf(file), first)}; ${consequences[file]}`;
  return newer ? `${complaint} (unless this server is newer than 4.1 and knows that key)` : complaint;
}

/** What it means for the server that a file cannot be read. */
export function consequence(file: PbsFile): string {
  return consequences[file];
}

export function proxyReads(facts: Facts, file: PbsFile): boolean {
  const [owner = '', mode = ''] = (facts.get(`seen-${file}`) ?? '').split(' ');
  if (mode === '') return true;
  const [user, group] = owner.split(':');
  const bits = Number.parseInt(mode, 8);
  if (user === 'backup') return (bits & 0o400) !== 0;
  return (bits & (group === 'backup' ? 0o040 : 0o004)) !== 0;
}

/** Owner and mode as the server itself gives them. */
export function letProxyRead(file: PbsFile): Sh {
  return sh`chown root:backup ${`.${pathOf(file)}`}
chmod 0640 ${`.${pathOf(file)}`}`;
}

/** `--key=value`: a value that begins with a hyphen cannot be taken for an option. */
export function option(key: string, value: string | number | boolean): string {
  return `--${key}=${value}`;
}
