import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { render } from '../vzdump-hook/render.ts';

const worlds: World[] = [];
afterEach(() => {
  for (const world of worlds.splice(0)) world.end();
});

export interface Ran {
  readonly code: number | null;
  readonly said: string;
}

/**
 * A backup server in a directory: a datastore, one real process for each daemon that holds its `.lock` open, and programs in place
 * of systemctl, the manager, its API and curl. A restart gives the daemons new processes.
 */
export interface World {
  readonly dir: string;
  readonly store: string;
  run(...words: string[]): Ran;
  /** A file, or with a mode a program. */
  write(name: string, text: string, mode?: number): void;
  /** Lines that systemctl was asked to do, without `show`. */
  readonly done: () => string[];
  metric(name: string): string | undefined;
  /** The directory comes anew at its path; who held the old one holds it still. */
  replace(): void;
  end(): void;
}

const settings = {
  textfile_dir: '',
  push_url: '',
  probe_limit: 1,
  api_limit: 1,
  restart_limit: 30,
  restart_gap: 600,
  groups_every: 10,
  groups_limit: 2,
};

export async function newWorld(more: Readonly<Record<string, unknown>> = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'pbs-health-'));
  const store = join(dir, 'store');
  const at = (name: string) => join(dir, name);
  const write = (name: string, text: string, mode = 0o644) => {
    writeFileSync(at(name), text);
    chmodSync(at(name), mode);
  };
  for (const name of ['bin', 'metrics', 'store', 'store/.chunks', 'store/.chunks/0000']) mkdirSync(at(name));
  write('store/.lock', '');
  write('mountinfo', `36 1 0:50 / ${store} rw - nfs4 10.10.0.103:/mnt/Taupo/pbs rw\n`);
  write(
    'mountstats',
    `device 10.10.0.103:/mnt/Taupo/pbs mounted on ${store} with fstype nfs4 statvers=1.1\n\txprt:\ttcp 800 1 7 0 1 2 3\n`,
  );
  write('tasks', '[]');
  write(
    'bin/systemctl',
    `#!/bin/sh
cd ${dir}
case $1 in
  show)
    [ ! -e no-systemd ] || exit 1
    for name in proxmox-backup proxmox-backup-proxy; do
      state=active
      [ -s "pid.$name" ] || state=inactive
      printf 'ActiveState=%s\\nMainPID=%s\\nId=%s.service\\n\\n' "$state" "$(cat "pid.$name" || echo 0)" "$name"
    done ;;
  restart | start)
    echo "$*" >>done
    [ ! -e restart-hook ] || sh ./restart-hook
    [ ! -e lame ] || exit 1
    exec ./daemons </dev/null >/dev/null 2>&1 ;;
esac
`,
    0o755,
  );
  write(
    'daemons',
    `#!/bin/sh
cd ${dir}
for name in proxmox-backup proxmox-backup-proxy; do
  [ ! -s "pid.$name" ] || kill "$(cat "pid.$name")"
  setsid sleep 120 3<store/.lock </dev/null >/dev/null 2>&1 &
  echo $! >"pid.$name"
done
`,
    0o755,
  );
  write(
    'bin/proxmox-backup-manager',
    `#!/bin/sh\n[ ! -e ${dir}/no-api ] || exit 255\ncat ${dir}/tasks\n`,
    0o755,
  );
  // `api get /admin/datastore/STORE/WHAT [--ns NS] --output-format json` prints the file WHAT.json, or WHAT@NS.json.
  write(
    'bin/proxmox-backup-debug',
    `#!/bin/sh
cd ${dir}
echo "$*" >>asked-api
what=\${3##*/}
[ "$4" != --ns ] || what=$what@$5
[ -e "$what.json" ] || { echo "Error: no such thing $what" >&2; exit 255; }
[ ! -e slow-api ] || sleep 60
cat "$what.json"
`,
    0o755,
  );
  write('namespace.json', '[{"ns":""}]\n');
  write('snapshots.json', '[]\n');
  write(
    'bin/curl',
    `#!/bin/sh\necho "$@" >${dir}/curl.words\nfor word do case $word in @*) cat "\${word#@}" >${dir}/pushed ;; esac; done\n[ ! -e ${dir}/no-push ] || { echo 'curl: (22) 400' >&2; exit 22; }\n`,
    0o755,
  );
  const text = await render('pbs-health/pbs-health.sh.hbs', {
    ...settings,
    textfile_dir: at('metrics'),
    program: at('program'),
    state_dir: at('state'),
    host: { name: 'pbs' },
    stores: [
      {
        name: 'main',
        path: store,
        datastore: null,
        mount: null,
        source: '10.10.0.103:/mnt/Taupo/pbs',
        type: 'nfs',
      },
    ],
    ...more,
  });
  write(
    'program',
    text
      .replace(/^PATH=.*$/m, `PATH=${at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`)
      .replaceAll('/proc/self/', `${dir}/`),
    0o755,
  );
  spawnSync(at('daemons'));
  const world: World = {
    dir,
    store,
    run: (...words) => {
      const { status, stderr, stdout } = spawnSync(at('program'), words, {
        encoding: 'utf8',
        timeout: 20_000,
        env: { PATH: '/usr/bin:/bin' },
      });
      return { code: status, said: stderr + stdout };
    },
    write,
    done: () => (existsSync(at('done')) ? readFileSync(at('done'), 'utf8').trim().split('\n') : []),
    metric: (name) => {
      const lines = readFileSync(at('metrics/pbs-health.prom'), 'utf8').split('\n');
      return lines
        .find((line) => line.startsWith(`pbs_health_${name} `))
        ?.split(' ')
        .at(-1);
    },
    replace: () => {
      spawnSync('sh', ['-euc', 'rm -r store; mkdir -p store/.chunks/0000; : >store/.lock'], { cwd: dir });
    },
    end: () => {
      for (const name of ['proxmox-backup', 'proxmox-backup-proxy']) {
        const file = at(`pid.${name}`);
        const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
        try {
          if (pid > 1) process.kill(pid);
        } catch {
          // It has ended by itself.
        }
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
  worlds.push(world);
  return world;
}

/** Starts the program without waiting for it. */
export function start(world: World, ...words: string[]): ChildProcess {
  return spawn(join(world.dir, 'program'), words, { stdio: 'ignore' });
}
