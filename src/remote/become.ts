import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { RunResult } from './session.ts';
import { refusalBySudo } from './sudo-words.ts';

/** How a script enters the host. */
export interface Entry {
  /** The remote command: the same for every script, holding nothing of it. */
  readonly command: string;
  /** The sudo password; without one the script is sent at once. */
  readonly password: string | null;
}

/** Standard input of the remote command. */
export interface Pipe {
  write(bytes: Buffer): unknown;
  end(bytes?: Buffer): unknown;
}

/** A script on its way in; it wants to hear what comes back on stderr. */
export interface Feeding {
  onStderr(chunk: Buffer): void;
  /** The run is over, however it ended. */
  stop(): void;
}

/** Said on stderr by the shell once sudo has let it in. */
const ready = 'provision: sudo let the script in\n';

/** Separates the password from the script. Not a secret: it only has to differ from the password. */
const divider = 'provision: the script begins here';

/**
 * sudo may or may not ask (NOPASSWD, a fresh timestamp), so the line with the password may still be there when the shell starts:
 * it is read as data up to the divider and is never run as a command. `read` takes one byte at a time and leaves the script alone.
 */
const skipPassword = `echo "${ready.trimEnd()}" >&2; IFS= read -r l; [ "$l" = "${divider}" ] || IFS= read -r l; [ "$l" = "${divider}" ] && exec /bin/sh -s; exit 97`;

/** Milliseconds sudo has to take a password: directory services can be slow, but a run must not hang. */
const sudoLimit = 15_000;

/**
 * The command must mean the same to sh, csh and fish, whatever the login shell of the user is: one simple command, single quotes,
 * no `!`. LC_ALL=C: what sudo says is read.
 */
export function entryOf(host: Host): Entry {
  const { become, password } = host.connection;
  if (become === 'none') return directEntry;
  if (password === undefined) return { command: 'exec env LC_ALL=C sudo -n -- /bin/sh -s', password: null };
  const text = password.reveal();
  if (/[\n\r\0]/.test(text) || text === divider || text === '')
    throw new ProvisionError('input', `the sudo password ${password.name} is empty or holds a line break`, {
      host: host.name,
      where: host.from,
    });
  return { command: `exec env LC_ALL=C sudo -S -p '' -- /bin/sh -c '${skipPassword}'`, password: text };
}

export const directEntry: Entry = { command: 'exec /bin/sh -s', password: null };

/**
 * Sends a script. Behind a password it waits until sudo has let the shell in: sent at once, sudo would take the lines after a wrong
 * password for the next two tries, hand them to PAM, and three failures lock some accounts.
 */
export function feed(entry: Entry, script: string | Buffer, pipe: Pipe): Feeding {
  const bytes = typeof script === 'string' ? Buffer.from(script, 'utf8') : script;
  if (entry.password === null) {
    pipe.end(bytes);
    return { onStderr: () => {}, stop: () => {} };
  }
  let said = '';
  let over = false;
  const finish = (rest?: Buffer) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    pipe.end(rest);
  };
  // The end of its input makes sudo give up instead of asking again.
  const timer = setTimeout(() => finish(), sudoLimit);
  pipe.write(Buffer.from(`${entry.password}\n`, 'utf8'));
  return {
    onStderr(chunk) {
      if (over) return;
      said += chunk.toString('latin1');
      if (said.includes(ready)) finish(Buffer.concat([Buffer.from(`${divider}\n`), bytes]));
      else if (/^Sorry, try again/m.test(said)) finish();
    },
    stop() {
      over = true;
      clearTimeout(timer);
    },
  };
}

/** The result as the script left it. Throws 'refused' when sudo did not let it in. */
export function received(host: Host, entry: Entry, result: RunResult): RunResult {
  if (!entry.command.includes('sudo')) return result;
  const at = entry.password === null ? -1 : result.stderr.indexOf(ready);
  if (at >= 0) {
    const stderr = Buffer.concat([result.stderr.subarray(0, at), result.stderr.subarray(at + ready.length)]);
    return { ...result, stderr };
  }
  if (result.end !== 'exit' || (entry.password === null && result.code === 0)) return result;
  const refusal = refusalBySudo(host, result.code, result.stderr.toString('utf8'), entry.password !== null);
  if (refusal === null) return result;
  throw new ProvisionError('refused', refusal.message, { host: host.name, hint: refusal.hint });
}
