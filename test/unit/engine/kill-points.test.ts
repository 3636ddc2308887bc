import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actions } from '../../../src/engine/actions.ts';
import { apply } from '../../../src/engine/apply.ts';
import { diff } from '../../../src/engine/diff.ts';
import { looks } from '../../../src/engine/look.ts';
import { exitCode } from '../../../src/engine/outcome.ts';
import { file } from '../../../src/resources/file.ts';
import { applyPrelude } from '../../../src/shell/prelude.ts';
import { runProgram } from '../../../src/shell/program.ts';
import { resource, testEngine, treeHost, workOf } from './tree.ts';

const names = ['a.conf', 'b.conf', 'c.conf'];
const oldText = (name: string): string => `old ${name}\n`.repeat(50);
const newText = (name: string): string => `new ${name}\n`.repeat(60);

/** Commands before which the power may go: every one that touches the disk, and every journal line. */
const before = [
  'pour "$1"',
  'give "$3"',
  'sync "$temp"',
  'sync -- "$@"',
  'eval "AHEAD_',
  'keep "$2"',
  'mv -T -- "$temp"',
];

/** A bomb: the k-th call kills the whole process group with SIGKILL, as a power cut or the OOM killer would. */
const bomb = `boom() {
  n=$(cat "$RUNDIR/boom" 2>/dev/null || echo 0)
  n=$((n + 1))
  echo "$n" >"$RUNDIR/boom"
  [ "$n" -ne "$BOOM" ] || kill -9 0
}
`;

function armed(text: string): string {
  return before
    .reduce((armedText, command) => armedText.replaceAll(command, `boom && ${command}`), text)
    .replaceAll(/^( *)frame "change/gm, '$1boom; frame "change');
}

function tree() {
  const { host, root } = treeHost();
  chmodSync(root, 0o755);
  mkdirSync(join(root, 'etc'), { mode: 0o755 });
  chmodSync(join(root, 'etc'), 0o755);
  for (const name of names) writeFileSync(join(root, 'etc', name), oldText(name));
  return {
    root,
    work: workOf(
      host,
      names.map((name) => resource(file, { file: `/etc/${name}`, content: newText(name) })),
    ),
  };
}

async function killedAt(k: number) {
  const { root, work } = tree();
  const { plans } = await diff([work], testEngine());
  const changes = plans[0]?.changes ?? [];
  const context = { host: 'tree', platform: 'linux', live: false } as const;
  const todo = actions(changes, context);
  const stage = join(root, 'var/lib/provision/runs/19990101T000000-dead/stage');
  mkdirSync(stage, { recursive: true, mode: 0o700 });
  for (const blob of todo.flatMap((action) => action.steps.flatMap((step) => step.blobs)))
    writeFileSync(join(stage, blob.hash), blob.bytes);
  writeFileSync(join(stage, 'prelude'), bomb + armed(applyPrelude));
  writeFileSync(join(stage, 'record'), 'provision-record 1\n');
  writeFileSync(join(root, 'var/lib/provision/last'), '19990101T000000-dead\n');
  const program = armed(
    runProgram(todo, {
      nonce: 'f00d',
      root,
      run: '19990101T000000-dead',
      holder: 'test',
      wait: 0,
      recordBase: [],
      machineId: '',
      verify: looks(work.resources),
    }),
  );
  writeFileSync(join(stage, 'run.sh'), program);
  const result = spawnSync('setsid', ['--wait', '/bin/sh', join(stage, 'run.sh')], {
    env: { BOOM: String(k), PATH: process.env.PATH },
  });
  return { root, work, survived: result.stdout.includes('\nf00d ended\n') };
}

describe('power lost at every step of an apply', () => {
  it('leaves every file whole, and the next apply converges and sweeps up', async () => {
    let kills = 0;
    for (let k = 1; k < 100; k += 1) {
      const { root, work, survived } = await killedAt(k);
      for (const name of names) {
        expect([oldText(name), newText(name)], `${name} after kill ${k}`).toContain(
          readFileSync(join(root, 'etc', name), 'utf8'),
        );
      }
      if (survived) break;
      kills += 1;
      const again = await apply([work], testEngine(), { approve: null });
      expect(again[0]?.error).toBeUndefined();
      expect(exitCode('apply', again), `apply after kill ${k}`).toBe(0);
      expect(again[0]?.notices.join()).toContain('interrupted');
      for (const name of names) expect(readFileSync(join(root, 'etc', name), 'utf8')).toBe(newText(name));
      expect(readdirSync(join(root, 'etc')).sort(), `leftovers after kill ${k}`).toEqual(names);
      expect(existsSync(join(root, 'var/lib/provision/runs/19990101T000000-dead/stage'))).toBe(false);
      expect((await apply([work], testEngine(), { approve: null }))[0]?.changes).toEqual([]);
    }
    expect(kills).toBeGreaterThanOrEqual(20);
  }, 60_000);
});
