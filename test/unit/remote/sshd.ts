import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, Host } from '../../../src/model/host.ts';
import type { Contact } from '../../../src/remote/session.ts';

/** An sshd of our own on loopback, with users of its own: /etc/passwd, shadow and sudoers are replaced in its mount namespace only. */
export interface Sshd {
  readonly dir: string;
  readonly port: number;
  readonly pid: number;
  /** A private key that every user accepts. */
  readonly key: string;
  readonly contact: Contact;
  /** `user@127.0.0.1:port` with `key`, over `session`. */
  host(changes?: Partial<Connection>): Host;
  publicKey(type: 'ed25519' | 'rsa' | 'ecdsa'): string;
  /** Replaces the pins. Without arguments: the true ones. */
  pin(...lines: string[]): void;
  /** A file of its own that pins the key for these ports of 127.0.0.1. */
  pinFile(ports: readonly number[]): string;
  /** The user's ~/.ssh/config; null: none. */
  configure(text: string | null): void;
  /** A ProxyCommand that leads here. */
  relay(): string;
  /** What sshd logged meanwhile. */
  saidDuring(work: () => Promise<unknown>): Promise<string>;
  stop(): void;
}

export const password = 'canary-Zq8 $(touch /pwned)';

const users = [
  ['noisy', 0, 'noisy'],
  ['admin', 4001, 'plain'],
  ['ops', 4002, 'plain'],
  ['nosudo', 4003, 'plain'],
  ['tty', 4004, 'plain'],
  ['nopass', 4005, 'plain'],
] as const;

const sudoers = `Defaults use_pty, !lecture
Defaults:tty requiretty
root ALL=(ALL:ALL) ALL
admin ALL=(root) ALL
nopass ALL=(root) ALL
ops ALL=(root) NOPASSWD: ALL
tty ALL=(root) NOPASSWD: ALL
`;

export async function startSshd(): Promise<Sshd> {
  if (!existsSync('/usr/sbin/sshd'))
    throw new Error('this test needs sshd: apt install openssh-server openssh-client sudo');
  if (process.getuid?.() !== 0)
    throw new Error('this test needs root: its sshd has users and a sudoers file of its own');
  const dir = mkdtempSync(join(tmpdir(), 'remote-test-'));
  chmodSync(dir, 0o755);
  for (const type of ['ed25519', 'rsa', 'ecdsa']) keygen(type, join(dir, `host_${type}`));
  const key = join(dir, 'id_ed25519');
  keygen('ed25519', key);
  const port = await freePort();
  writeUsers(dir);
  writeFileSync(
    join(dir, 'conf'),
    [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      ...['ed25519', 'rsa', 'ecdsa'].map((type) => `HostKey ${dir}/host_${type}`),
      `AuthorizedKeysFile ${key}.pub`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      'MaxStartups 100',
      'LogLevel VERBOSE',
    ].join('\n'),
  );
  const replaced = ['passwd', 'group', 'shadow', 'sudoers']
    .map((name) => `mount --bind "$1/${name}" /etc/${name}`)
    .join(' && ');
  const child = spawn(
    'unshare',
    [
      '--mount',
      '/bin/sh',
      '-c',
      `${replaced} && mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f "$1/conf"`,
      'sh',
      dir,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-20_000);
      if (/Server listening/.test(said)) resolve();
    });
    child.on('exit', () => reject(new Error(`sshd did not start (it needs mount namespaces): ${said}`)));
  });
  const knownHosts = join(dir, 'known_hosts');
  const sshd: Sshd = {
    dir,
    port,
    pid: child.pid ?? 0,
    key,
    contact: { knownHosts, env: { HOME: dir, PATH: process.env.PATH } },
    host: (changes = {}) => ({
      name: 'box',
      platform: 'linux',
      groups: [],
      roles: [],
      from: { file: 'inventory/hosts/box.yaml', line: 1, column: 1 },
      connection: {
        session: 'ssh',
        address: '127.0.0.1',
        port,
        user: 'root',
        become: 'none',
        identityFile: key,
        ...changes,
      },
    }),
    publicKey: (type) =>
      readFileSync(join(dir, `host_${type}.pub`), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' '),
    pin: (...lines) => {
      const pins = lines.length > 0 ? lines : [`[127.0.0.1]:${port} ${sshd.publicKey('ed25519')}`];
      writeFileSync(knownHosts, `${pins.join('\n')}\n`);
    },
    pinFile: (ports) => {
      const file = join(dir, `known_hosts_${ports.join('_')}`);
      writeFileSync(file, ports.map((one) => `[127.0.0.1]:${one} ${sshd.publicKey('ed25519')}\n`).join(''));
      return file;
    },
    configure: (text) => {
      mkdirSync(join(dir, '.ssh'), { recursive: true });
      if (text === null) rmSync(join(dir, '.ssh/config'), { force: true });
      else writeFileSync(join(dir, '.ssh/config'), text);
    },
    relay: () => {
      const file = join(dir, 'relay.mjs');
      writeFileSync(
        file,
        `import { connect } from 'node:net';\nconst to = connect(${port}, '127.0.0.1');\nprocess.stdin.pipe(to);\nto.pipe(process.stdout);\n`,
      );
      return `${process.execPath} ${file}`;
    },
    saidDuring: async (work) => {
      said = '';
      await work();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return said;
    },
    stop: () => {
      child.kill('SIGTERM');
      rmSync(dir, { recursive: true, force: true });
    },
  };
  sshd.pin();
  return sshd;
}

/** `ecdsa521` is an ecdsa key of a size that no host here has. */
export function keygen(type: string, file: string, passphrase = ''): void {
  const kind = type === 'rsa' ? ['rsa', '-b', '2048'] : type === 'ecdsa521' ? ['ecdsa', '-b', '521'] : [type];
  execFileSync('ssh-keygen', ['-q', '-t', ...kind, '-N', passphrase, '-C', 'test', '-f', file]);
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function writeUsers(dir: string): void {
  const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: password }).toString().trim();
  for (const home of ['plain', 'noisy']) mkdirSync(join(dir, home), { mode: 0o755 });
  for (const file of ['.bashrc', '.profile']) {
    writeFileSync(join(dir, 'noisy', file), 'echo "welcome to the noise"\necho "noise on stderr" >&2\n');
  }
  const base = (name: string) => readFileSync(`/etc/${name}`, 'utf8');
  // root's home too: what this machine has in /root must not matter.
  writeFileSync(
    join(dir, 'passwd'),
    base('passwd').replace(/^(root:.*):[^:]*:[^:]*$/m, `$1:${join(dir, 'plain')}:/bin/bash`),
  );
  writeFileSync(join(dir, 'group'), base('group'));
  writeFileSync(join(dir, 'shadow'), base('shadow'), { mode: 0o600 });
  writeFileSync(join(dir, 'sudoers'), `Defaults logfile=${join(dir, 'sudo.log')}, !syslog\n${sudoers}`, {
    mode: 0o440,
  });
  for (const [name, uid, home] of users) {
    appendFileSync(
      join(dir, 'passwd'),
      `${name}:x:${uid}:${uid === 0 ? 0 : 65534}::${join(dir, home)}:/bin/bash\n`,
    );
    appendFileSync(join(dir, 'shadow'), `${name}:${hash}:19000:0:99999:7:::\n`);
  }
}
