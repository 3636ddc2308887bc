import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { keyType } from './known-hosts.ts';

/** A private key file that may be tried. */
export interface KeyFile {
  readonly path: string;
  readonly text: string;
  /** 'token': on a security key (sk-), which needs ssh itself. */
  readonly kind: 'plain' | 'encrypted' | 'token';
  readonly certificate: boolean;
}

/** What the agent holds. */
export interface AgentKeys {
  readonly socket: string;
  /** Key types, in the agent's order. */
  readonly types: readonly string[];
}

/** The files ssh itself would try, newest kind first. */
export const defaultKeyNames = ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'];

/** null when there is no such file, or none that may be read. */
export function readKey(path: string): KeyFile | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  return { path, text, kind: kindOf(text), certificate: existsSync(`${path}-cert.pub`) };
}

/** `~/x` -> `$HOME/x`. */
export function expandHome(path: string, env: NodeJS.ProcessEnv): string {
  return path.startsWith('~/') ? join(env.HOME ?? '/', path.slice(2)) : path;
}

/** Milliseconds; an agent answers in one, unless it hangs. */
const agentLimit = 2000;

/**
 * Asks the agent what it holds (SSH_AGENTC_REQUEST_IDENTITIES). ssh2 reports a dead agent as an error of the whole connection and
 * passes over key types it does not know in silence, so both are found out before.
 */
export function listAgent(socket: string): Promise<AgentKeys | null> {
  return new Promise((resolve) => {
    const stream = connect(socket);
    let answer: Buffer = Buffer.alloc(0);
    const done = (keys: AgentKeys | null) => {
      stream.destroy();
      resolve(keys);
    };
    stream.setTimeout(agentLimit, () => done(null));
    stream.on('error', () => done(null));
    stream.on('close', () => resolve(null));
    stream.on('connect', () => stream.write(Buffer.from([0, 0, 0, 1, 11])));
    stream.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0))
        done({ socket, types: agentTypes(answer) });
    });
  });
}

/** uint32 length, byte 12, uint32 count, then per key: string blob, string comment. */
function agentTypes(answer: Buffer): string[] {
  if (answer.length < 9 || answer[4] !== 12) return [];
  const types: string[] = [];
  let at = 9;
  for (let left = answer.readUInt32BE(5); left > 0 && at + 4 <= answer.length; left--) {
    const blob = answer.subarray(at + 4, at + 4 + answer.readUInt32BE(at));
    types.push(keyType(blob));
    at += 4 + blob.length;
    if (at + 4 > answer.length) break;
    at += 4 + answer.readUInt32BE(at);
  }
  return types;
}

/** Key types of an agent that ssh2 can sign with. */
export function isPlainType(type: string): boolean {
  return /^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521))$/.test(type);
}

function kindOf(text: string): KeyFile['kind'] {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]+)-----END/.exec(text)?.[1];
  if (body === undefined) return /ENCRYPTED/.test(text) ? 'encrypted' : 'plain';
  // "openssh-key-v1\0", then strings: cipher, kdf, kdf options; uint32 number of keys; string public key.
  const bytes = Buffer.from(body, 'base64');
  let at = 15;
  const next = () => {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : 0;
    const value = bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return value;
  };
  const cipher = next().toString('latin1');
  next();
  next();
  at += 4;
  if (keyType(next()).startsWith('sk-')) return 'token';
  return cipher === 'none' ? 'plain' : 'encrypted';
}
