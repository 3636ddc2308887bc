import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';

/** What the user's own ssh configuration says of a host. The inventory's user and port win over it. */
export interface UserConfig {
  readonly hostname: string;
  /** Empty: nothing configured, the default files count. */
  readonly identityFiles: readonly string[];
  /** Only the identity files, not whatever else the agent holds. */
  readonly identitiesOnly: boolean;
  /** Path of the agent's socket. */
  readonly agent: string | null;
  /** The option that only ssh itself can do, or null. */
  readonly needsSsh: string | null;
}

/** Options that change how a host is reached or who logs in. Without one of them in any file, `ssh -G` would say nothing new. */
const relevant =
  /^[ \t]*(?:match|include|hostname|proxycommand|proxyjump|proxyusefdpass|identityfile|identityagent|identitiesonly|certificatefile|pkcs11provider|securitykeyprovider|bindaddress|bindinterface|addressfamily|canonicalizehostname)\b/im;

/** Reads the user's configuration; costs a process (`ssh -G`) only when a file holds something that matters. */
export async function userConfig(host: Host, env: NodeJS.ProcessEnv): Promise<UserConfig> {
  const none: UserConfig = {
    hostname: host.connection.address,
    identityFiles: [],
    identitiesOnly: false,
    agent: env.SSH_AUTH_SOCK || null,
    needsSsh: null,
  };
  if (!configMatters(env)) return none;
  const { address, port, user } = host.connection;
  const args = ['-G', ...configArgs(env), '-p', String(port), '-l', user, '--', address];
  let text: string;
  try {
    ({ stdout: text } = await promisify(execFile)('ssh', args, { env, timeout: 10_000 }));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return none;
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new ProvisionError('input', `your ssh configuration cannot be read for ${host.name}: ${said}`, {
      host: host.name,
      hint: `try: ssh -G ${address}`,
    });
  }
  return parseConfig(text, none);
}

/** The output of `ssh -G`: one `key value` per line, keys in lower case, defaults included. */
function parseConfig(text: string, none: UserConfig): UserConfig {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(' ');
    if (at < 0) continue;
    const key = line.slice(0, at);
    values.set(key, [...(values.get(key) ?? []), line.slice(at + 1)]);
  }
  const one = (key: string) => values.get(key)?.[0];
  const beyond = [
    'proxycommand',
    'proxyjump',
    'certificatefile',
    'pkcs11provider',
    'bindaddress',
    'bindinterface',
  ].find((key) => ![undefined, 'none', ''].includes(one(key)));
  const agent = one('identityagent');
  return {
    hostname: one('hostname') ?? none.hostname,
    identityFiles: (values.get('identityfile') ?? []).filter((path) => !isDefaultKey(path)),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agent === undefined || agent === 'SSH_AUTH_SOCK' ? none.agent : agent === 'none' ? null : agent,
    needsSsh: beyond ?? (['inet', 'inet6'].includes(one('addressfamily') ?? '') ? 'addressfamily' : null),
  };
}

/** ssh takes its files from the password database, not from HOME: where the two differ, HOME is what the caller meant. */
export function configArgs(env: NodeJS.ProcessEnv): string[] {
  if (env.HOME === undefined || env.HOME === userInfo().homedir) return [];
  const file = join(env.HOME, '.ssh/config');
  return ['-F', existsSync(file) ? file : 'none'];
}

function configMatters(env: NodeJS.ProcessEnv): boolean {
  const own = join(env.HOME ?? userInfo().homedir, '.ssh/config');
  if (relevant.test(textOf(own))) return true;
  if (configArgs(env).length > 0) return false;
  // The system's file includes its .d directory on Debian; that line alone changes nothing.
  const system = textOf('/etc/ssh/ssh_config').replace(
    /^[ \t]*include[ \t]+\/etc\/ssh\/ssh_config\.d\/.*$/gim,
    '',
  );
  return relevant.test(system) || systemParts().some((file) => relevant.test(textOf(file)));
}

function systemParts(): string[] {
  try {
    return readdirSync('/etc/ssh/ssh_config.d').map((name) => join('/etc/ssh/ssh_config.d', name));
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isDefaultKey(path: string): boolean {
  return /^~\/\.ssh\/id_(?:rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/.test(path);
}
