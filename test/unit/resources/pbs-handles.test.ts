import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pbs_handles } from '../../../src/resources/pbs-handles.ts';
import { facts, parseFacts } from '../../../src/shell/facts.ts';
import { parseFrames } from '../../../src/shell/frames.ts';
import { observeScript } from '../../../src/shell/observe.ts';
import { runScript } from './tree.ts';

const context = { host: 'pbs', platform: 'pbs', live: true } as const;
const store = '/mnt/pbs-datastore';
const spec = { pbs_handles: store };

const units = (api: number, proxy: number, started: number, mounted: number) => [
  `unit\tproxmox-backup.service ${api} ${started} ${started}`,
  `unit\tproxmox-backup-proxy.service ${proxy} ${started} ${started}`,
  `unit\tmnt-pbs\\x2ddatastore.mount 0 0 ${mounted}`,
];

function seen(...lines: string[]) {
  return pbs_handles.read(facts(lines.map((line) => `${store}\t${line}`)), spec, context);
}

function codes(...lines: string[]): string[] {
  return (pbs_handles.symptoms?.(seen(...lines), spec as never) ?? []).map(({ code, of }) => `${code} ${of}`);
}

describe('pbs_handles', () => {
  const good = [...units(10, 11, 90, 20), 'store\tthere', 'handles\tlooked'];

  it('is content with daemons that hold what lies there now', () => {
    expect(seen(...good, `handle\tsame ${store}/.lock`)).toEqual({
      have: { daemons: 'running', store: 'there', handles: 'same', older: 'no' },
    });
    expect(codes(...good)).toEqual([]);
  });

  it('tells stale handles, a store that is away and daemons that are down apart', () => {
    const lock = `stale ${store}/.lock: Stale file handle`;
    expect(codes(...good, `handle\t${lock}`)).toEqual([`stale-handles datastore:${store}`]);
    expect(codes(...units(10, 11, 90, 20), 'store\tNo such file or directory', 'handles\tlooked')).toEqual([
      `store-absent datastore:${store}`,
    ]);
    expect(codes(...units(10, 0, 90, 20), 'store\tthere', 'handles\tlooked')).toEqual([
      `pbs-down datastore:${store}`,
    ]);
  });

  it('tells daemons that are older than the mount, which is no failure of its own', () => {
    const older = [...units(10, 11, 90, 300), 'store\tthere', 'handles\tlooked'];
    expect(seen(...older)).toMatchObject({ have: { handles: 'same', older: 'yes' } });
    expect(codes(...older)).toEqual([`older-than-mount datastore:${store}`]);
  });

  it('knows nothing when it was cut short', () => {
    expect(seen(...units(10, 11, 90, 20), 'store\tthere')).toHaveProperty('unknown');
    expect(seen('store\tthere', 'handles\tlooked')).toHaveProperty('unknown');
  });
});

/** A process that holds files open, as the proxy does, in place of one. */
describe('with a process that holds the store open', () => {
  let folder: string;
  let holder: ChildProcess;

  const look = (edit: (script: string) => string = (script) => script) => {
    const path = join(folder, 'store');
    const printed = `MainPID=${holder.pid}\nId=proxmox-backup.service\n\nMainPID=${holder.pid}\nId=proxmox-backup-proxy.service\n`;
    writeFileSync(join(folder, 'units'), printed);
    const script = observeScript([{ type: pbs_handles, specs: [{ pbs_handles: path }] }], {
      nonce: 'n0nce',
      root: '/',
    }).replace('systemctl show', `cat ${folder}/units #`);
    const frames = parseFrames(Buffer.from(runScript('dash', edit(script))), 'n0nce');
    const bytes = frames.find(({ name }) => name === 'look pbs_handles')?.bytes ?? Buffer.of();
    const found = parseFacts(bytes).get(path)?.facts;
    if (found === undefined) throw new Error('nothing was printed');
    if (found.get('unknown')) return { unknown: found.get('unknown') };
    return pbs_handles.read(found, { pbs_handles: path }, context);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'handles-'));
    mkdirSync(join(folder, 'store/.chunks'), { recursive: true });
    writeFileSync(join(folder, 'store/.lock'), '');
    const opened = `exec 7<${folder}/store/.lock 8<${folder}/store/.chunks; echo ready; exec sleep 600`;
    holder = spawn('sh', ['-c', opened], { stdio: ['ignore', 'pipe', 'ignore'] });
    if (holder.stdout) await once(holder.stdout, 'data');
  });
  afterAll(() => {
    holder.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sees one and the same, then another one in its place, then none', () => {
    expect(look()).toMatchObject({ have: { daemons: 'running', store: 'there', handles: 'same' } });
    renameSync(join(folder, 'store'), join(folder, 'away'));
    expect(look()).toMatchObject({ have: { store: '.chunks: No such file or directory' } });
    mkdirSync(join(folder, 'store/.chunks'), { recursive: true });
    writeFileSync(join(folder, 'store/.lock'), '');
    renameSync(join(folder, 'store'), join(folder, 'new'));
    renameSync(join(folder, 'away'), join(folder, 'store'));
    rmSync(join(folder, 'store/.lock'));
    writeFileSync(join(folder, 'store/.lock'), '');
    expect(look()).toMatchObject({
      have: { store: 'there', handles: `${folder}/store/.lock: another one lies there now` },
    });
  });

  it('gives up a store that hangs', () => {
    const hang = (script: string) =>
      script.replace('ls -d -- "$1/.chunks"', 'sleep 60').replace('ask "$key" 10', 'ask "$key" 1');
    expect(look(hang)).toEqual({ unknown: 'no answer in 10 s: the mount hangs' });
  });
});
