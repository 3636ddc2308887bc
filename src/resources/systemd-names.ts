import { ProvisionError } from '../model/errors.ts';

/** Schema of a unit's full name, type included. A name without its type would be read as a service by some commands only. */
export const unitNameSchema = {
  type: 'string',
  pattern: '^[A-Za-z0-9:_.\\\\@-]+\\.(service|timer|socket|path|target|mount|automount|slice|swap)$',
  maxLength: 255,
} as const;

/** Schema of a drop-in's name. */
export const dropinNamePattern = '^[A-Za-z0-9:_@-][A-Za-z0-9:_.@-]*\\.conf$';

const etc = '/etc/systemd/system';

/** Where our unit files lie: "/etc/systemd/system/vzdump-hook.timer". */
export function unitPath(unit: string): string {
  return `${etc}/${unit}`;
}

/** "/etc/systemd/system/ssh.service.d/10-local.conf". */
export function dropinPath(unit: string, name: string): string {
  return `${etc}/${unit}.d/${name}`;
}

/** A template (`notify@.service`) has no state of its own: only its instances can be enabled or active. */
export function isTemplate(unit: string): boolean {
  return /@\.[a-z]+$/.test(unit);
}

/**
 * What `systemd-escape -p` makes of an absolute path: "/mnt/pbs-datastore" -> "mnt-pbs\x2ddatastore". Any other name for a
 * mount unit is refused by systemd, because `Where=` must match it.
 */
export function escapePath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new ProvisionError('input', `a path with .. has no unit name: ${path}`);
  if (parts.length === 0) return '-';
  const text = parts.join('/');
  let escaped = '';
  for (const [index, byte] of Buffer.from(text, 'utf8').entries()) {
    const letter = String.fromCharCode(byte);
    if (letter === '/') escaped += '-';
    else if (/[A-Za-z0-9:_]/.test(letter) || (letter === '.' && index > 0)) escaped += letter;
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/**
 * What `[Install]` of a unit text asks for, as `wanted_by` shows it: "multi-user.target" for a wants link,
 * "requires local-fs.target" for a requires link; sorted. Null when it cannot be told (specifiers), "" when it asks for nothing.
 */
export function installTargets(text: string): string | null {
  const targets: string[] = [];
  for (const [key, value] of settings(text, 'Install')) {
    if (key !== 'WantedBy' && key !== 'RequiredBy') continue;
    if (value.includes('%')) return null;
    for (const name of value.split(/\s+/).filter((word) => word !== '')) {
      targets.push(key === 'WantedBy' ? name : `requires ${name}`);
    }
  }
  return [...new Set(targets)].sort().join(', ');
}

/** `Key=value` lines of one section, in order, with continued lines joined. */
export function settings(text: string, section: string): [key: string, value: string][] {
  let inside = false;
  const found: [string, string][] = [];
  for (const line of text.replace(/\\\n/g, ' ').split('\n')) {
    const trimmed = line.trim();
    if (trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    if (trimmed.startsWith('[')) inside = trimmed === `[${section}]`;
    const equals = trimmed.indexOf('=');
    if (inside && equals > 0) found.push([trimmed.slice(0, equals).trim(), trimmed.slice(equals + 1).trim()]);
  }
  return found;
}
