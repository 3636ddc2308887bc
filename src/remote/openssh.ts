import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { quote } from '../shell/quote.ts';
import { entryOf, received } from './become.ts';
import { endChild, runChild } from './child.ts';
import { unreachable } from './dial.ts';
import { defaultKeyNames, expandHome } from './keys.ts';
import { pinName } from './known-hosts.ts';
import type { Contact, RunResult, Session } from './session.ts';
import { isLost, refusalOf } from './ssh-words.ts';
import { configArgs } from './user-config.ts';

/** Looks what keys the host shows; asked only when ssh has refused the one it got. */
export type Offered = () => Promise<Buffer[]>;

/**
 * Every script is one `ssh` of its own: what ssh alone can do (ProxyJump, certificates, security keys) works here. It connects when
 * the first script runs, so `unreachable` and `refused` come from `run`.
 */
export function opensshSession(host: Host, contact: Contact, offered: Offered): Session {
  const entry = entryOf(host);
  const children = new Set<ChildProcess>();
  let closed = false;
  return {
    root: '/',
    live: true,
    async run(script, options) {
      if (closed) throw unreachable(host, 'the session is closed');
      const { $ } = await import('zx');
      // ssh's own words go to a file: mixed with the stderr of the script they could be forged by it.
      const scratch = mkdtempSync(join(tmpdir(), 'provision-'));
      const log = join(scratch, 'ssh');
      try {
        const args = [...sshArgs(host, contact), '-E', log, '--', host.connection.address, entry.command];
        // Not zx's own quoting, which only bash understands. detached: no terminal to ask questions on, no ^C half way.
        const process = $({
          shell: '/bin/sh',
          prefix: 'exec ',
          quote,
          env: contact.env,
          cwd: '/',
          detached: true,
          nothrow: true,
          quiet: true,
          verbose: false,
        })`ssh ${args}`;
        const child = process.child;
        if (child === undefined) throw unreachable(host, 'ssh did not start');
        children.add(child);
        const result = await runChild(child, entry, script, options);
        children.delete(child);
        return received(host, entry, await judge(host, contact, result, textOf(log), offered));
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    },
    async close() {
      closed = true;
      for (const child of children) endChild(child);
    },
  };
}

/** Everything that could weaken the pins or wait for a person is set here, because the user's configuration may set it otherwise. */
export function sshArgs(host: Host, contact: Contact): string[] {
  const { address, port, user, identityFile } = host.connection;
  const options = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    // Absolute: ssh runs in `/`. Quoted and without tokens: ssh splits at blanks and expands `%`.
    UserKnownHostsFile: `"${resolve(contact.knownHosts).replaceAll('%', '%%')}"`,
    GlobalKnownHostsFile: '/dev/null',
    KnownHostsCommand: 'none',
    VerifyHostKeyDNS: 'no',
    NoHostAuthenticationForLocalhost: 'no',
    UpdateHostKeys: 'no',
    HostKeyAlias: pinName(address, port),
    // A shared connection was authenticated against somebody else's pins.
    ControlPath: 'none',
    ConnectTimeout: '20',
    ServerAliveInterval: '5',
    ServerAliveCountMax: '3',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    ForwardX11: 'no',
    PermitLocalCommand: 'no',
    RemoteCommand: 'none',
    RequestTTY: 'no',
    EscapeChar: 'none',
    // Says when it is logged in: what failed before that cannot have run anything.
    LogLevel: 'VERBOSE',
  };
  return [
    ...configArgs(contact.env),
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    ...(identityFile === undefined
      ? homeKeys(contact).flatMap((path) => ['-i', path])
      : ['-o', 'IdentitiesOnly=yes', '-i', expandHome(identityFile, contact.env)]),
    '-p',
    String(port),
    '-l',
    user,
  ];
}

/** Where ssh would not look by itself, see `configArgs`. */
function homeKeys(contact: Contact): string[] {
  if (configArgs(contact.env).length === 0) return [];
  return defaultKeyNames.map((name) => join(contact.env.HOME ?? '/', '.ssh', name)).filter(existsSync);
}

async function judge(
  host: Host,
  contact: Contact,
  result: RunResult,
  log: string,
  offered: Offered,
): Promise<RunResult> {
  if (result.end === 'exit' && result.code === 127 && log === '')
    throw new ProvisionError('input', 'there is no `ssh` on this machine', {
      host: host.name,
      hint: 'apt install openssh-client',
    });
  if (result.end === 'exit' && result.code === 255) {
    const refusal = await refusalOf(host, contact, log, offered);
    if (refusal !== null) throw refusal;
    if (isLost(log, result.stderr.toString('latin1'))) return { ...result, end: 'lost', code: null };
  }
  return result;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
