import { join } from 'node:path';
import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import { unreachable } from './dial.ts';
import {
  type AgentKeys,
  defaultKeyNames,
  expandHome,
  isPlainType,
  type KeyFile,
  listAgent,
  readKey,
} from './keys.ts';
import type { UserConfig } from './user-config.ts';

/** The keys to log in with, in the order they are tried. */
export interface Login {
  readonly agent: AgentKeys | null;
  readonly files: readonly KeyFile[];
  /** Named identity files go before the agent, default ones after it. */
  readonly filesFirst: boolean;
  /** Why only ssh itself can log in with these keys, or null. */
  readonly needsSsh: string | null;
}

/** sshd ends a connection after six tries (MaxAuthTries): an agent with more keys may never come to the right one. */
const agentTries = 5;

/** Chooses the keys: the inventory's identity_file alone; else those of the ssh configuration, the agent and the default files. */
export async function loginFor(host: Host, config: UserConfig, env: NodeJS.ProcessEnv): Promise<Login> {
  const given = host.connection.identityFile;
  return given === undefined ? anyKey(host, config, env) : givenKey(host, expandHome(given, env), config);
}

/** "agent (2 keys), /root/.ssh/id_ed25519" for the message when none was accepted. */
export function describeLogin(login: Login): string {
  const agent = login.agent === null ? [] : [`the agent (${login.agent.types.length} keys)`];
  const files = login.files.map((file) => file.path);
  return (login.filesFirst ? [...files, ...agent] : [...agent, ...files]).join(', ');
}

async function givenKey(host: Host, path: string, config: UserConfig): Promise<Login> {
  const key = readKey(path);
  if (key === null)
    throw new ProvisionError('input', `connection.identity_file of ${host.name} cannot be read: ${path}`, {
      host: host.name,
      where: host.from,
      hint: 'correct the path; without identity_file the agent and ~/.ssh/id_* are tried',
    });
  const login: Login = { agent: null, files: [key], filesFirst: true, needsSsh: null };
  if (key.kind === 'token') return { ...login, needsSsh: 'the key is on a security key' };
  if (key.certificate) return { ...login, needsSsh: 'the key has a certificate' };
  if (key.kind === 'plain') return login;
  const agent = config.agent === null ? null : await listAgent(config.agent);
  if (agent === null || agent.types.length === 0) throw encrypted(host, [key]);
  if (agent.types.length > agentTries) return { ...login, needsSsh: 'the agent holds many keys' };
  return { agent, files: [], filesFirst: false, needsSsh: null };
}

async function anyKey(host: Host, config: UserConfig, env: NodeJS.ProcessEnv): Promise<Login> {
  const named = config.identityFiles.map((path) => expandHome(path, env));
  const paths = named.length > 0 ? named : defaultKeyNames.map((name) => join(env.HOME ?? '/', '.ssh', name));
  const keys = paths.flatMap((path) => readKey(path) ?? []);
  const agent = config.identitiesOnly || config.agent === null ? null : await listAgent(config.agent);
  const plain = keys.filter((key) => key.kind === 'plain');
  const login: Login = {
    agent: agent?.types.some(isPlainType) ? agent : null,
    files: plain,
    filesFirst: named.length > 0,
    needsSsh: null,
  };
  if (keys.some((key) => key.certificate)) return { ...login, needsSsh: 'a key has a certificate' };
  if (agent?.types.some((type) => /^sk-|-cert-/.test(type)))
    return { ...login, needsSsh: 'the agent holds a certificate or a security key' };
  if (named.length > 0 && keys.some((key) => key.kind !== 'plain') && config.identitiesOnly)
    return { ...login, needsSsh: 'only a named key may be used, and it is not a plain file' };
  if (login.agent !== null || plain.length > 0) return login;
  if (keys.some((key) => key.kind === 'token')) return { ...login, needsSsh: 'the key is on a security key' };
  if (keys.length > 0) throw encrypted(host, keys);
  throw unreachable(
    host,
    `there is no key to log in with as ${host.connection.user}`,
    'start ssh-agent and ssh-add a key, or name one in connection.identity_file',
  );
}

function encrypted(host: Host, keys: readonly KeyFile[]): ProvisionError {
  const paths = keys.map((key) => key.path).join(', ');
  return unreachable(
    host,
    `the key ${paths} has a passphrase and no agent holds it`,
    `ssh-add ${keys[0]?.path ?? ''}, then run again; or name another key in connection.identity_file`,
  );
}
