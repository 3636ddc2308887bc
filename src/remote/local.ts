import { type ChildProcess, spawn } from 'node:child_process';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { directEntry, type Entry, entryOf, received } from './become.ts';
import { endChild, runChild } from './child.ts';
import type { Contact, Session } from './session.ts';

/** This machine. No login shell, so no noise of one. */
export function localSession(host: Host, contact: Contact): Session {
  const isRoot = process.getuid?.() === 0;
  const entry = isRoot ? directEntry : entryOf(host);
  const children = childSession(host, ['/bin/sh', '-c', entry.command], entry, contact);
  return { root: '/', live: true, ...children };
}

/** `run` and `close` over processes started here with `argv`. */
export function childSession(
  host: Host,
  argv: readonly [string, ...string[]],
  entry: Entry,
  contact: Contact,
): Pick<Session, 'run' | 'close'> {
  const [program, ...args] = argv;
  const children = new Set<ChildProcess>();
  let closed = false;
  return {
    async run(script, options) {
      if (closed)
        throw new ProvisionError('unreachable', `the session to ${host.name} is closed`, { host: host.name });
      // detached: its own group, so that a ^C meant for us does not stop a script half way.
      const child = spawn(program, args, { cwd: '/', env: contact.env, stdio: 'pipe', detached: true });
      children.add(child);
      child.once('close', () => children.delete(child));
      return received(host, entry, await runChild(child, entry, script, options));
    },
    async close() {
      closed = true;
      for (const child of children) endChild(child);
    },
  };
}
