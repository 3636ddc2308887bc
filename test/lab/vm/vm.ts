import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote } from '../../../src/shell/quote.ts';
import { type Ended, loginKey, mustRun, runHere, scratch } from '../machine.ts';
import { type LabPlatform, platformFiles } from '../platform.ts';

/** A virtual machine without KVM: up in about a minute. Boot it once, run many cases on it. */
export interface Vm {
  readonly name: string;
  readonly platform: LabPlatform;
  readonly image: 'debian';
  /** Where this machine reaches its sshd; never from outside. */
  readonly address: '127.0.0.1';
  readonly port: number;
  readonly user: 'root';
  readonly identityFile: string;
  readonly hostKeys: readonly string[];
  readonly machineId: string;
  /** Of the network between the machines of one test. */
  readonly lan: string;
  exec(argv: readonly string[], options?: { input?: string | Buffer }): Promise<Ended>;
  /** Shell text as root; an exit code other than 0 is an error. Answers with stdout. */
  sh(script: string): Promise<string>;
  readFile(path: string): Promise<string>;
  writeFile(path: string, content: string | Buffer, mode?: string, owner?: string): Promise<void>;
  /** The power goes: the process ends at once, what the machine had written to its disk stays. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface VmOptions {
  /** Host name, as in the inventory. */
  readonly name: string;
  readonly platform?: LabPlatform;
  /** Address in the network between machines, `10.99.0.1`. */
  readonly lan: string;
  /** A number that the machines of one test share. */
  readonly segment: number;
  /** Additional empty disks: serial number to size for qemu-img. They show up as virtio disks with that serial. */
  readonly disks?: Readonly<Record<string, string>>;
  /** MiB. */
  readonly memory?: number;
}

type Availability =
  | { readonly ok: true; readonly image: string }
  | { readonly ok: false; readonly reason: string };

const running = new Set<Vm>();
let known: Availability | undefined;

/** Whether virtual machines can run here, after having set up what is missing. Minutes the first time, 0.1 s afterwards. */
export function vmAvailable(): Availability {
  known ??= prepare();
  return known;
}

function prepare(): Availability {
  const setup = new URL('setup.sh', import.meta.url).pathname;
  const run = spawnSync('bash', [setup], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const said = new Map(
    (run.stdout ?? '').split('\n').map((line) => line.split(/=(.*)/s, 2) as [string, string]),
  );
  const image = said.get('image');
  if (run.status === 0 && image !== undefined) return { ok: true, image };
  return { ok: false, reason: said.get('cannot') ?? `vm/setup.sh ended with ${run.status ?? run.error}` };
}

/** Boots one machine. The test ends it with `stop()`, or `stopVms()` in `afterAll`. */
export async function startVm(options: VmOptions): Promise<Vm> {
  const available = vmAvailable();
  if (!available.ok) throw new Error(available.reason);
  const platform = options.platform ?? 'linux';
  const directory = scratch('vm');
  const key = loginKey();
  const port = await freePort();
  const machineId = randomBytes(16).toString('hex');
  const argv = await commandLine(options, {
    directory,
    image: available.image,
    port,
    machineId,
    key: key.publicKey,
  });
  const ssh = [
    'ssh',
    '-q',
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'ControlMaster=auto',
    '-o',
    `ControlPath=${join(directory, 'ssh')}`,
    '-o',
    'ControlPersist=60',
    '-o',
    'ConnectTimeout=5',
    '-o',
    'ServerAliveInterval=15',
    '-i',
    key.identityFile,
    '-p',
    String(port),
    'root@127.0.0.1',
  ];
  const exec: Vm['exec'] = (words, { input } = {}) =>
    runHere([...ssh, '--', words.map(quote).join(' ')], input);
  const must = async (words: readonly string[], input?: string | Buffer): Promise<string> => {
    const ended = await exec(words, input === undefined ? {} : { input });
    if (ended.code === 0) return ended.stdout;
    throw new Error(
      `lab: ${words.join(' ')} on ${options.name} ended with ${ended.code}: ${ended.stderr.trim()}`,
    );
  };
  let machine: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    machine = boot(argv, join(directory, 'console.log'));
    await answering(exec, machine, join(directory, 'console.log'));
  };
  const end = async (): Promise<void> => {
    await runHere([...ssh.slice(0, 1), '-O', 'exit', ...ssh.slice(1)]).catch(() => undefined);
    const one = machine;
    if (one === undefined || one.exitCode !== null || one.signalCode !== null) return;
    const gone = new Promise((resolve) => one.once('exit', resolve));
    one.kill('SIGKILL');
    await gone;
  };
  await start();
  const write: Vm['writeFile'] = async (path, content, mode = '0644', owner = 'root:root') => {
    const text = 'mkdir -p "$(dirname "$1")"; cat >"$1"; chown "$3" "$1"; chmod "$2" "$1"';
    await must(['sh', '-euc', text, 'sh', path, mode, owner], content);
  };
  for (const { source, content, target, mode } of platformFiles(platform)) {
    const bytes = source === undefined ? (content ?? '') : await mustRun(['cat', source]);
    await write(target, bytes, mode.toString(8).padStart(4, '0'));
  }
  const hostKey = (await must(['cat', '/etc/ssh/ssh_host_ed25519_key.pub'])).split(' ').slice(0, 2).join(' ');
  const vm: Vm = {
    name: options.name,
    platform,
    image: 'debian',
    address: '127.0.0.1',
    port,
    user: 'root',
    identityFile: key.identityFile,
    hostKeys: [`[127.0.0.1]:${port} ${hostKey}`],
    machineId,
    lan: options.lan,
    exec,
    sh: (script) => must(['sh', '-euc', script]),
    readFile: (path) => must(['cat', path]),
    writeFile: write,
    crash: end,
    start,
    stop: async () => {
      running.delete(vm);
      await end();
    },
  };
  running.add(vm);
  return vm;
}

/** Ends every machine that this process started. */
export async function stopVms(): Promise<void> {
  await Promise.all([...running].map((vm) => vm.stop()));
}

interface Place {
  readonly directory: string;
  readonly image: string;
  readonly port: number;
  readonly machineId: string;
  readonly key: string;
}

async function commandLine(
  options: VmOptions,
  { directory, image, port, machineId, key }: Place,
): Promise<string[]> {
  const disk = join(directory, 'disk.qcow2');
  await mustRun([
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-F',
    'raw',
    '-b',
    join(image, 'base.ext4'),
    disk,
  ]);
  const more: string[] = [];
  for (const [serial, size] of Object.entries(options.disks ?? {})) {
    const file = join(directory, `${serial}.raw`);
    await mustRun(['qemu-img', 'create', '-q', '-f', 'raw', file, size]);
    more.push(
      '-drive',
      `if=none,id=${serial},format=raw,file=${file}`,
      '-device',
      `virtio-blk,drive=${serial},serial=${serial}`,
    );
  }
  const words = [
    'root=LABEL=lab-root rw console=ttyS0 net.ifnames=0 quiet mitigations=off random.trust_cpu=on',
    `systemd.machine_id=${machineId} lab.name=${options.name} lab.address=${options.lan} lab.key=${key.split(' ')[1]}`,
  ];
  const mac = `52:54:00:99:${Array.from(randomBytes(2), (byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  return [
    // Ends with the process that started it, however that ends.
    'setpriv',
    '--pdeathsig',
    'KILL',
    'qemu-system-x86_64',
    '-accel',
    'tcg,thread=multi',
    '-cpu',
    'max',
    '-smp',
    '2',
    '-m',
    String(options.memory ?? 1536),
    '-nographic',
    '-no-reboot',
    '-kernel',
    join(image, 'vmlinuz'),
    '-initrd',
    join(image, 'initrd.img'),
    '-append',
    words.join(' '),
    '-drive',
    `if=virtio,format=qcow2,file=${disk}`,
    ...more,
    '-netdev',
    `user,id=in,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`,
    '-device',
    'virtio-net,netdev=in',
    // Group and port are this test's own; the frames stay on the loopback interface.
    '-netdev',
    `socket,id=lan,mcast=239.99.${options.segment >> 8}.${options.segment & 255}:${20000 + options.segment},localaddr=127.0.0.1`,
    '-device',
    `virtio-net,netdev=lan,mac=${mac}`,
    '-device',
    'virtio-rng-pci',
  ];
}

function boot(argv: readonly string[], log: string): ChildProcess {
  const [program = '', ...rest] = argv;
  const file = openSync(log, 'a');
  const child = spawn(program, rest, { stdio: ['ignore', file, file] });
  closeSync(file);
  return child;
}

/** Seconds for a boot under emulation, on a machine that may be busy with other tests. */
const bootLimit = 300;

async function answering(exec: Vm['exec'], machine: ChildProcess, log: string): Promise<void> {
  const until = Date.now() + bootLimit * 1000;
  for (;;) {
    if (machine.exitCode !== null)
      throw new Error(`lab: the virtual machine ended with ${machine.exitCode} (see ${log})`);
    const said = await exec(['systemctl', 'is-system-running', '--wait']);
    if (/^(running|degraded)/.test(said.stdout)) return;
    if (Date.now() > until)
      throw new Error(`lab: the virtual machine did not answer in ${bootLimit} s (see ${log})`);
    await sleep(1000);
  }
}

/** A number for the network of one test: two tests at once must not hear each other. */
export function segment(): number {
  return randomInt(1, 20_000);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
