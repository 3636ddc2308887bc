import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type LabHost, startHost, stopAll } from '../lab/lab.ts';
import { exampleFleet, fleetNames } from './example.ts';
import { type Command, type Run, run, spread } from './measure.ts';
import { ansibleSite, benchSite } from './site.ts';

const project = new URL('../..', import.meta.url).pathname;
const rounds = Number(process.env.ROUNDS ?? 9);
const peers = process.env.PEERS !== 'none';

/** A thing to time, and what must be true for a run of it to count. */
interface Contender {
  readonly name: string;
  readonly command: Command;
  readonly expect: (run: Run) => boolean;
  readonly before?: () => Promise<unknown>;
}

function provision(args: readonly string[], cwd: string): Command {
  return {
    argv: [process.execPath, process.env.PROVISION ?? join(project, 'dist/provision.js'), ...args],
    cwd,
    env: { USER: 'bench' },
  };
}

/** Every contender once per round, in turn: a machine that gets slower for a while slows all of them. */
async function interleaved(contenders: readonly Contender[], times: number): Promise<Map<string, Run[]>> {
  const results = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= times; round += 1) {
    for (const { name, command, expect, before } of contenders) {
      await before?.();
      const result = await run(command);
      if (!expect(result))
        throw new Error(`${name} did not do its work (exit ${result.code}):\n${result.output}`);
      if (round > 0) results.get(name)?.push(result);
    }
  }
  for (const [name, runs] of results) {
    process.stderr.write(`${spread(runs.map(({ seconds }) => seconds)).median.toFixed(3)} s  ${name}\n`);
  }
  return results;
}

/** Fresh hosts differ; guests that are not there are refused. */
const looked = ({ code }: Run): boolean => [2, 5, 8].includes(code ?? -1);

const wanted = (result: Run): boolean => result.code === 0 && result.output.includes('as wanted');

async function main(): Promise<void> {
  const host = await startHost({ image: 'debian', name: 'bench1', platform: 'linux' });
  const fresh = (): Promise<string> => host.sh('rm -rf /srv/bench /var/lib/provision; : >/srv/bench.lines');
  const small = benchSite([host], 100);
  const large = benchSite([host], 1000);
  const known = join(small, 'inventory/known_hosts');
  const ssh = [
    'ssh',
    '-i',
    host.identityFile,
    '-o',
    `UserKnownHostsFile=${known}`,
    '-o',
    'BatchMode=yes',
    `root@${host.address}`,
    'true',
  ];
  const floor: Contender = {
    name: 'ssh host true',
    command: { argv: ssh },
    expect: ({ code }) => code === 0,
  };

  await fresh();
  const applied = await run(provision(['apply', '--yes'], small));
  if (applied.code !== 0) throw new Error(applied.output);
  const version: Contender = {
    name: 'provision --version',
    command: provision(['--version'], small),
    expect: ({ code }) => code === 0,
  };
  const noop: Contender = {
    name: 'provision diff, 100 resources, nothing to do',
    command: provision(['diff'], small),
    expect: wanted,
  };
  const fromNothing: Contender = {
    name: 'provision apply, 100 resources from nothing',
    command: provision(['apply', '--yes'], small),
    expect: ({ code, output }) => code === 0 && output.includes('101 of 101 changed'),
    before: fresh,
  };
  const first = await interleaved(
    [floor, version, noop, fromNothing, ...(peers ? await ansible(host) : [])],
    rounds,
  );

  await fresh();
  await run(provision(['apply', '--yes'], large));
  const second = await interleaved(
    [
      {
        name: 'provision diff, 1,000 resources, nothing to do',
        command: provision(['diff'], large),
        expect: wanted,
      },
    ],
    rounds,
  );

  const fleet = [host, ...(await many(19))];
  const all = benchSite(fleet, 100);
  await run(provision(['apply', '--yes', '--forks', '20'], all));
  const third = await interleaved(
    [
      {
        name: 'provision diff, 1 host of the 20',
        command: provision(['diff', '--host', 'bench1'], all),
        expect: wanted,
      },
      {
        name: 'provision diff, 20 hosts of 100 resources',
        command: provision(['diff', '--forks', '20'], all),
        expect: wanted,
      },
    ],
    rounds,
  );
  await stopAll();
  const example = await exampleFleet();
  const fourth = await interleaved(
    [
      {
        name: 'provision diff, pve2 of the example site',
        command: provision(['diff', '--host', 'pve2'], example),
        expect: looked,
      },
      {
        name: 'provision diff, 7 hosts of the example site',
        command: provision(['diff'], example),
        expect: (result) => looked(result) && fleetNames.every((name) => result.output.includes(`${name}\n`)),
      },
    ],
    rounds,
  );
  report(new Map([...first, ...second, ...third, ...fourth]));
}

async function many(count: number): Promise<LabHost[]> {
  const hosts: LabHost[] = [];
  for (let index = 0; index < count; index += 1) {
    const host = await startHost({ image: 'debian', name: `bench${index + 2}`, platform: 'linux' });
    await host.sh(': >/srv/bench.lines');
    hosts.push(host);
  }
  return hosts;
}

async function ansible(host: LabHost): Promise<Contender[]> {
  const dir = ansibleSite(host, mkdtempSync(join(tmpdir(), 'provision-bench-')));
  const contender = (name: string, config: string): Contender => ({
    name,
    command: {
      argv: ['ansible-playbook', 'play.yaml'],
      cwd: dir,
      env: { ANSIBLE_CONFIG: join(dir, config), LC_ALL: 'C.UTF-8' },
    },
    expect: ({ code, output }) => code === 0 && /changed=0/.test(output),
  });
  const contenders = [
    contender('ansible-playbook, pipelining', 'pipelining.cfg'),
    contender('ansible-playbook, mitogen', 'mitogen.cfg'),
  ];
  for (const one of contenders) await run(one.command);
  return contenders;
}

function report(results: ReadonlyMap<string, readonly Run[]>): void {
  const median = (name: string): number =>
    spread((results.get(name) ?? []).map(({ seconds }) => seconds)).median;
  const rows = [...results].map(([name, runs]) => {
    const seconds = spread(runs.map((one) => one.seconds));
    const peak = spread(runs.map((one) => one.peak));
    return `| ${name} | ${runs.length} | ${seconds.min.toFixed(2)} | ${seconds.median.toFixed(2)} | ${seconds.max.toFixed(2)} | ${peak.max.toFixed(0)} |`;
  });
  const noop = median('provision diff, 100 resources, nothing to do');
  const floor = median('ssh host true');
  const goals: (readonly [string, number, string])[] = [
    ['no-op diff / (1.25 x `ssh host true` + 0.15 s), at most 1', noop / (1.25 * floor + 0.15), ''],
    ['ansible with mitogen / no-op diff, at least 10', median('ansible-playbook, mitogen') / noop, ''],
    [
      'apply of 100 from nothing / no-op, at most 2.5',
      median('provision apply, 100 resources from nothing') / noop,
      '',
    ],
    [
      '1,000 resources / 100 resources, at most 3',
      median('provision diff, 1,000 resources, nothing to do') / noop,
      '',
    ],
    [
      '20 hosts / 1 host, at most 6',
      median('provision diff, 20 hosts of 100 resources') / median('provision diff, 1 host of the 20'),
      '',
    ],
    [
      'the example site, 7 hosts / its largest host, under 3',
      median('provision diff, 7 hosts of the example site') /
        median('provision diff, pve2 of the example site'),
      '',
    ],
    [
      'largest memory of any run, MiB, under 150',
      Math.max(
        ...[...results]
          .filter(([name]) => name.startsWith('provision'))
          .flatMap(([, runs]) => runs.map(({ peak }) => peak)),
      ),
      '',
    ],
    ['`provision --version`, seconds, under 0.15', median('provision --version'), ''],
  ];
  const text = `# Benchmarks

Whole processes, as a user waits for them: seconds from start to end, contenders in turn within each round, one round not counted.
Made by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, Debian ${readFileSync('/etc/debian_version', 'utf8').trim()}, Node ${process.versions.node}${peers ? `, ${ansibleVersion()}` : ''}.
The hosts are containers on the same machine, so the network costs nothing and the hosts share its cores.

The work: 100 resources (40 templated files, 20 directories, 20 lines, 20 links) and the directory they lie in, over ssh. Ansible does the same
with a playbook that loops over them and gathers no facts. The example site is looked at as it is before the first apply: four kinds of
hosts, with programs that play those of Proxmox, TrueNAS and DSM.

| what | runs | lowest | median | highest | peak memory, MiB |
|---|---|---|---|---|---|
${rows.join('\n')}

| goal | measured (medians) |
|---|---|
${goals.map(([goal, figure]) => `| ${goal} | ${figure.toFixed(2)} |`).join('\n')}
`;
  if (peers) writeFileSync(join(project, 'docs/benchmarks.md'), text);
  process.stdout.write(text);
}

function ansibleVersion(): string {
  return execFileSync('ansible', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '';
}

try {
  await main();
} finally {
  await stopAll();
}
