import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { RunResult } from './session.ts';

/** How a script enters the host: the remote command, and the bytes that go to its standard input before the script. */
export interface Entry {
  readonly command: string;
  readonly opening: string;
}

/** Separates the password from the script. Not a secret: it only has to differ from the password. */
const divider = 'provision: the script begins here';

/**
 * sudo may or may not ask (NOPASSWD, a fresh timestamp), so the line with the password may still be there when the shell starts:
 * it is read as data up to the divider and is never run as a command. `read` takes one byte at a time and leaves the script alone.
 */
const skipPassword = `IFS= read -r l; [ "$l" = "${divider}" ] || IFS= read -r l; [ "$l" = "${divider}" ] && exec /bin/sh -s; exit 97`;

/**
 * The command is the same for every script and holds nothing of it. It must mean the same to sh, csh and fish, whatever the login
 * shell of the user is: one simple command, single quotes, no `!`. LC_ALL=C: `refusalOf` reads what sudo says.
 */
export function entryOf(host: Host): Entry {
  const { become, password } = host.connection;
  if (become === 'none') return { command: 'exec /bin/sh -s', opening: '' };
  if (password === undefined) return { command: 'exec env LC_ALL=C sudo -n -- /bin/sh -s', opening: '' };
  const text = password.reveal();
  if (/[\n\r\0]/.test(text) || text === divider || text === '')
    throw new ProvisionError('input', `the sudo password ${password.name} is empty or holds a line break`, {
      host: host.name,
      where: host.from,
    });
  return {
    command: `exec env LC_ALL=C sudo -S -p '' -- /bin/sh -c '${skipPassword}'`,
    opening: `${text}\n${divider}\n`,
  };
}

/** Throws 'refused' when sudo did not let the script in. A script that began has printed something: then nothing is judged here. */
export function checkEntry(host: Host, result: RunResult): void {
  if (host.connection.become !== 'sudo' || result.end !== 'exit' || result.code === 0) return;
  const said = result.stderr.toString('utf8');
  const refusal = refusalOf(host, result.code, said);
  if (refusal === null) return;
  throw new ProvisionError('refused', refusal.message, { host: host.name, hint: refusal.hint });
}

function refusalOf(host: Host, code: number | null, said: string): { message: string; hint: string } | null {
  const { user, password } = host.connection;
  const command = password === undefined ? 'NOPASSWD: /bin/sh -s' : '/bin/sh';
  const line = `${user} ALL=(root) ${command}`;
  const add = `on ${host.name}: visudo -f /etc/sudoers.d/provision, and add the line: ${line}`;
  if (/^sudo: (?:\d+ incorrect password attempts?|no password was provided)$/m.test(said))
    return {
      message: `sudo on ${host.name} does not take the password of ${user}`,
      hint: `correct the secret ${password?.name ?? 'of the host'}; nothing was run`,
    };
  if (/^sudo: (?:sorry, )?you must have a tty/m.test(said))
    return {
      message: `sudo on ${host.name} wants a terminal (requiretty)`,
      hint: `on ${host.name}: visudo -f /etc/sudoers.d/provision, and add the line: Defaults:${user} !requiretty`,
    };
  if (/^sudo: (?:a password is required|a terminal is required to read the password)/m.test(said))
    return {
      message: `sudo on ${host.name} wants a password of ${user}`,
      hint: `${add}; or give connection.password in the inventory`,
    };
  if (
    / is not in the sudoers file/.test(said) ||
    /^Sorry, user .* (?:is not allowed to|may not) /m.test(said)
  )
    return { message: `sudo on ${host.name} does not allow ${user} to run /bin/sh as root`, hint: add };
  if (code === 127 && /sudo/.test(said) && /no such file|not found/i.test(said))
    return {
      message: `there is no sudo on ${host.name}`,
      hint: 'install sudo there, or log in as root (connection: {user: root, become: none})',
    };
  if (code === 97)
    return {
      message: `sudo on ${host.name} took more lines than the password`,
      hint: 'it may ask for a second factor, which cannot be answered here',
    };
  const other = /^sudo: (.*)$/m.exec(said);
  if (code === 1 && other !== null)
    return { message: `sudo on ${host.name}: ${printable(other[1] ?? '')}`, hint: add };
  return null;
}

/** What a host says may hold control characters that drive the terminal. */
export function printable(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
    .trim()
    .slice(0, 500);
}
