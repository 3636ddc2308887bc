import { execFile } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { directEntry } from './become.ts';
import { childSession } from './local.ts';
import type { Contact, Session } from './session.ts';

/** A directory tree on this machine that is or becomes a system: an installed one mounted at /mnt, or the demo. */
export async function rootSession(host: Host, contact: Contact): Promise<Session> {
  const root = treeOf(host);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) await checkUserNamespace(host, contact);
  // A user of its own user namespace is uid 0 there: files can be given to root without being root.
  const children = isRoot
    ? childSession(host, ['/bin/sh', '-s'], directEntry, contact)
    : childSession(host, ['unshare', '--map-root-user', '--', '/bin/sh', '-s'], directEntry, contact);
  return { root, live: false, ...children };
}

function treeOf(host: Host): string {
  const wrong = (message: string, hint: string) =>
    new ProvisionError('input', message, { host: host.name, where: host.from, hint });
  const given = host.connection.root;
  if (given === undefined)
    throw wrong(
      `${host.name} has a root session but no connection.root`,
      'name the directory tree to apply into',
    );
  let tree: string;
  try {
    tree = realpathSync(given);
  } catch {
    throw wrong(`connection.root of ${host.name} is not there: ${given}`, 'make or mount the tree first');
  }
  if (tree === '/')
    throw wrong(`connection.root of ${host.name} is /, the running system`, 'use session: local');
  if (!statSync(tree).isDirectory())
    throw wrong(
      `connection.root of ${host.name} is not a directory: ${given}`,
      'make or mount the tree first',
    );
  return tree;
}

async function checkUserNamespace(host: Host, contact: Contact): Promise<void> {
  try {
    await promisify(execFile)('unshare', ['--map-root-user', '--', 'true'], {
      env: contact.env,
      timeout: 5000,
    });
  } catch {
    throw new ProvisionError(
      'refused',
      `a tree can only be changed as root, and this user cannot become root of a user namespace`,
      {
        host: host.name,
        hint: 'run as root, or allow unprivileged user namespaces (unshare --map-root-user true must work)',
      },
    );
  }
}
