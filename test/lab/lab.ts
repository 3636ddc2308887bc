import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { network22, sshd } from './faults.ts';
import { type Ended, labAvailable, loginKey, mustRun, runHere } from './machine.ts';
import { type LabPlatform, platformFiles } from './platform.ts';
import { type Snapshot, snapshotTree } from './snapshot.ts';

export { labAvailable, runHere } from './machine.ts';
export { changes, type Entry, type Snapshot } from './snapshot.ts';

export interface HostOptions {
  readonly image: 'debian' | 'nas' | 'nas-flock';
  /** Host name, as in the inventory. */
  readonly name: string;
  /** What it passes for. Default: `pve` with all stand-ins for `debian`, `synology` for the others. */
  readonly platform?: LabPlatform;
  /** Environment of process 1. */
  readonly env?: Readonly<Record<string, string>>;
  /** File systems in memory, path to mount options: `{'/full': 'size=1m'}`. */
  readonly tmpfs?: Readonly<Record<string, string>>;
}

/** Users of every host. On `debian`: `admin` may use sudo with this password, `ops` without one, `nosudo` not at all. */
export const adminPassword = 'lab-password';

export interface LabHost {
  readonly name: string;
  readonly image: HostOptions['image'];
  readonly platform: LabPlatform;
  /** Of the container on Docker's bridge: port 22 is its own sshd, nothing stands between. Stays the same over `crash`. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  /** Lines of a known_hosts file. */
  readonly hostKeys: readonly string[];
  readonly machineId: string;
  readonly container: string;
  /** Runs a program on the host, not over ssh. Any exit code is an answer. */
  exec(argv: readonly string[], options?: { user?: string; input?: string | Buffer }): Promise<Ended>;
  /** Runs shell text on the host as root; an exit code other than 0 is an error. Answers with stdout. */
  sh(script: string): Promise<string>;
  readFile(path: string): Promise<string>;
  /** Makes missing directories; mode like `0644`, owner like `root:root`. */
  writeFile(path: string, content: string | Buffer, mode?: string, owner?: string): Promise<void>;
  /** Everything below `dirs`, for `changes(before, after)`. */
  snapshot(dirs: readonly string[], options?: { ignore?: readonly string[] }): Promise<Snapshot>;
  /** The network to port 22 goes away: `drop` in silence, `reset` with a reset of each connection. */
  cut(how?: 'drop' | 'reset'): Promise<void>;
  uncut(): Promise<void>;
  /** The running ssh sessions stop answering while their connections stay open. `thaw` lets them go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The host shows other keys from now on, as one that was installed anew; `hostKeys` keeps the old ones. */
  rekey(): Promise<void>;
  /** All processes die at once, as when the power goes; the files stay. `start` boots again. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Made by setup.sh. */
const network = 'provision-lab';
const running = new Set<LabHost>();

/** Starts one host; about 1.5 s. The test ends it with `stop()`, or `stopAll()` in `afterAll`. */
export async function startHost(options: HostOptions): Promise<LabHost> {
  const lab = labAvailable();
  if (!lab.ok) throw new Error(lab.reason);
  const image = lab.images[options.image];
  if (image === undefined) throw new Error(`lab: no image ${options.image}`);
  // The reaper is an image that cannot be pulled here: hosts are ended by the tests, and by the next run at the latest.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  const { GenericContainer, Wait } = await import('testcontainers');
  const key = loginKey();
  const platform = options.platform ?? (options.image === 'debian' ? 'pve' : 'synology');
  const files = platformFiles(platform);
  // Version 1 of cgroups: systemd needs the machine's own tree. In version 2 it gets a private one from Docker.
  const shared = existsSync('/sys/fs/cgroup/cgroup.controllers') ? [] : ['/sys/fs/cgroup'];
  const started = await new GenericContainer(image)
    .withName(`provision-lab-${options.name}-${randomBytes(4).toString('hex')}`)
    .withHostname(options.name)
    .withLabels({ 'provision-lab.owner': String(process.pid) })
    .withEnvironment({ container: 'docker', ...options.env })
    .withNetworkMode(network)
    .withAddedCapabilities('SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE')
    .withSecurityOpt('seccomp=unconfined', 'apparmor=unconfined')
    .withTmpFs({ '/run': '', '/run/lock': '', ...options.tmpfs })
    .withBindMounts(shared.map((path) => ({ source: path, target: path, mode: 'rw' as const })))
    .withCopyContentToContainer([
      { content: `${key.publicKey}\n`, target: '/etc/ssh/lab_authorized_keys', mode: 0o644 },
      ...files.flatMap(({ content, ...rest }) => (content === undefined ? [] : [{ content, ...rest }])),
    ])
    .withCopyFilesToContainer(
      files.flatMap(({ source, target, mode }) => (source === undefined ? [] : [{ source, target, mode }])),
    )
    .withExposedPorts(22)
    .withEntrypoint(['/.lab/init'])
    .withCommand([options.image === 'debian' ? '/lib/systemd/systemd' : '/sbin/init'])
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const container = started.getId();
  const address = started.getIpAddress(network);
  const docker = dockerHost(container);
  const host: LabHost = {
    name: options.name,
    image: options.image,
    platform,
    address,
    port: 22,
    user: 'root',
    identityFile: key.identityFile,
    container,
    ...docker,
    ...(await identity(docker, address)),
    ...network22(container),
    ...sshd(docker),
    crash: async () => {
      await mustRun(['docker', 'kill', '--signal', 'KILL', container]);
      await mustRun(['docker', 'wait', container]);
    },
    start: async () => {
      // Docker would give another address; the inventory of the test names this one.
      await mustRun(['docker', 'network', 'disconnect', network, container]);
      await mustRun(['docker', 'network', 'connect', '--ip', address, network, container]);
      await mustRun(['docker', 'start', container]);
      await booted(docker, address);
    },
    stop: async () => {
      running.delete(host);
      await mustRun(['docker', 'rm', '--force', '--volumes', container]);
    },
  };
  running.add(host);
  await booted(docker, address);
  // The world of the stand-ins: no guests yet; and the storage `local` of every installation.
  if (platform === 'pve') await docker.sh('mkdir -p /var/lib/proxmox-stand-ins/guests /var/lib/vz/dump');
  return host;
}

/** Ends every host that this process started. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((host) => host.stop()));
}

/** What is done in the container by Docker, without ssh. */
export type Docker = Pick<LabHost, 'exec' | 'sh' | 'readFile' | 'writeFile' | 'snapshot'>;

function dockerHost(container: string): Docker {
  const exec: Docker['exec'] = (argv, options = {}) =>
    runHere(['docker', 'exec', '-i', '-u', options.user ?? 'root', container, ...argv], options.input);
  const must = async (argv: readonly string[], input?: string | Buffer): Promise<string> => {
    const ended = await exec(argv, input === undefined ? {} : { input });
    if (ended.code === 0) return ended.stdout;
    throw new Error(`lab: ${argv.join(' ')} ended with ${ended.code}: ${ended.stderr.trim()}`);
  };
  return {
    exec,
    sh: (script) => must(['sh', '-euc', script]),
    readFile: (path) => must(['cat', path]),
    writeFile: async (path, content, mode = '0644', owner = 'root:root') => {
      const write = 'mkdir -p "$(dirname "$1")"; cat >"$1"; chown "$3" "$1"; chmod "$2" "$1"';
      await must(['sh', '-euc', write, 'sh', path, mode, owner], content);
    },
    snapshot: async (dirs, options = {}) => {
      const pid = (await mustRun(['docker', 'inspect', '--format', '{{.State.Pid}}', container])).trim();
      const real = (await must(['sh', '-euc', 'for dir; do readlink -f "$dir"; done', 'sh', ...dirs]))
        .trim()
        .split('\n');
      return snapshotTree(`/proc/${pid}/root`, real, options.ignore);
    },
  };
}

async function identity(docker: Docker, address: string): Promise<Pick<LabHost, 'hostKeys' | 'machineId'>> {
  const keys = await docker.sh('cat /etc/ssh/ssh_host_*_key.pub');
  const machineId = (await docker.readFile('/etc/machine-id')).trim();
  const hostKeys = keys
    .trim()
    .split('\n')
    .map((line) => `${address} ${line.split(' ').slice(0, 2).join(' ')}`);
  return { hostKeys, machineId };
}

/** Waits until sshd says its first line, and systemd, where it is, has nothing left to do. */
async function booted(docker: Docker, address: string): Promise<void> {
  const until = Date.now() + 20_000;
  while (!(await greets(address))) {
    if (Date.now() > until) throw new Error(`lab: no ssh server at ${address} after 20 s`);
    await sleep(50);
  }
  // Exit 1 means that a unit failed: that is for the test to judge.
  await docker.exec(['sh', '-c', '[ ! -d /run/systemd/system ] || systemctl is-system-running --wait']);
}

function greets(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 22 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => end(false));
    socket.on('error', () => end(false));
    socket.on('data', (chunk) => end(chunk.toString('latin1').startsWith('SSH-')));
  });
}
