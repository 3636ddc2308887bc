import type { Host } from '../model/host.ts';
import { printable } from './printable.ts';

interface Refusal {
  readonly message: string;
  readonly hint: string;
}

/**
 * Why sudo did not let a script in, read from what it said (LC_ALL=C, sudo 1.8 and 1.9). `certain`: the shell never reported in, so
 * there is a refusal even if the words are not known; else null when it may have been the script that failed.
 */
export function refusalBySudo(
  host: Host,
  code: number | null,
  said: string,
  certain: boolean,
): Refusal | null {
  const { user, password } = host.connection;
  const line = `${user} ALL=(root) ${password === undefined ? 'NOPASSWD: /bin/sh -s' : '/bin/sh'}`;
  const visudo = `on ${host.name}: visudo -f /etc/sudoers.d/provision, and add the line:`;
  const add = `${visudo} ${line}`;
  if (/^sudo: (?:\d+ incorrect password attempts?|no password was provided)$/m.test(said))
    return {
      message: `sudo on ${host.name} does not take the password of ${user}`,
      hint: `correct the secret ${password?.name ?? 'of the host'}; nothing was run`,
    };
  if (/^sudo: (?:sorry, )?you must have a tty/m.test(said))
    return {
      message: `sudo on ${host.name} wants a terminal (requiretty)`,
      hint: `${visudo} Defaults:${user} !requiretty`,
    };
  if (/^sudo: (?:a password is required|a terminal is required to read the password)/m.test(said))
    return {
      message: `sudo on ${host.name} wants a password of ${user}`,
      hint: `${add}; or give connection.password in the inventory`,
    };
  if (
    /^\S+ is not in the sudoers file/m.test(said) ||
    /^Sorry, user .* (?:is not allowed to|may not) /m.test(said)
  )
    return { message: `sudo on ${host.name} does not allow ${user} to run /bin/sh as root`, hint: add };
  if (code === 127 && /sudo.*(?:no such file|not found)/i.test(said))
    return {
      message: `there is no sudo on ${host.name}`,
      hint: 'install sudo there, or log in as root (connection: {user: root, become: none})',
    };
  const other = /^sudo: (.*)$/m.exec(said);
  if (code === 1 && other !== null)
    return { message: `sudo on ${host.name}: ${printable(other[1] ?? '')}`, hint: add };
  if (!certain) return null;
  return {
    message: `sudo on ${host.name} did not let ${user} in (exit ${code}): ${printable(said) || 'it said nothing'}`,
    hint: 'a second factor, or a password that must be changed first, cannot be answered here',
  };
}
