import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ComputedOptions, runComputed } from '../../../src/engine/computed.ts';
import { exitCode } from '../../../src/engine/outcome.ts';
import { ProvisionError } from '../../../src/model/errors.ts';
import type {
  Answers,
  ComputedPlan,
  ComputedProcedure,
  ComputedStep,
  Question,
} from '../../../src/model/procedure.ts';
import type { HostRun } from '../../../src/model/run.ts';
import { sh } from '../../../src/shell/sh.ts';
import { testEngine, treeHost } from './tree.ts';

/** Hosts a and b are trees that pass for running systems: steps and questions touch files below them only. */
function world() {
  const hosts = new Map(
    ['a', 'b'].map((name) => {
      const { host, root } = treeHost();
      mkdirSync(join(root, 'etc'));
      writeFileSync(join(root, 'etc/machine-id'), `${name}\n`);
      return [name, { host: { ...host, name }, root }] as const;
    }),
  );
  const root = (name: string): string => hosts.get(name)?.root ?? '';
  const connected: string[] = [];
  const plain = testEngine();
  const engine = testEngine({
    connect: async (host) => {
      connected.push(host.name);
      return { ...(await plain.connect(host)), live: true };
    },
  });
  const find = async (name: string) => hosts.get(name)?.host ?? Promise.reject(new Error(name));
  return { root, engine, find, connected };
}

type World = ReturnType<typeof world>;

/** Prints the number of lines of ./etc/log, or `none`. */
const question = (host: string): Question => ({
  host,
  limit: 5,
  look: sh`printf 'log\tlines\t%s\n' "$(cat ./etc/log 2>/dev/null | wc -l)"`,
});

const count = (now: Answers, host: string): number => {
  const said = now.get(host);
  return said instanceof Map ? Number(said.get('log')?.get('lines')) : -1;
};

const step = (host: string, want: number, more: Partial<ComputedStep> = {}): ComputedStep => ({
  host,
  about: `line ${want} on ${host}`,
  run: sh`echo line >>./etc/log`,
  limit: 10,
  guard: () => null,
  verify: (now) => (count(now, host) >= want ? null : { why: `it has ${count(now, host)} lines` }),
  within: 0,
  ...more,
});

async function go(
  { engine, find }: World,
  plan: Partial<ComputedPlan>,
  options: Partial<ComputedOptions> = {},
  questions: readonly Question[] = [question('a'), question('b')],
): Promise<HostRun[]> {
  const procedure: ComputedProcedure = {
    id: 'demo/p',
    about: 'x',
    parameters: {},
    hosts: () => ['a'],
    questions: () => questions,
    plan: () => ({ found: ['a fact'], steps: [], ...plan }),
  };
  return runComputed({ procedure, site: null, host: 'a', parameters: {}, find }, engine, {
    dryRun: false,
    approve: null,
    pause: async () => {},
    ...options,
  });
}

const outcomes = (runs: readonly HostRun[]) =>
  runs.flatMap((run) => run.steps.map((one) => [one.number, run.host, one.outcome]));

describe('a procedure that computes', () => {
  it('goes through its steps on their hosts, in order, each proven; once more nothing is run', async () => {
    const here = world();
    const steps = [step('a', 1), step('b', 1), step('a', 2)];
    const runs = await go(here, { steps });
    expect(outcomes(runs)).toEqual([
      [1, 'a', 'done'],
      [3, 'a', 'done'],
      [2, 'b', 'done'],
    ]);
    expect(runs[0]).toMatchObject({ host: 'a', found: ['a fact'] });
    expect(runs[0]?.steps[0]?.command).toBe('echo line >>./etc/log');
    expect(exitCode('run', runs)).toBe(0);
    expect(here.connected.sort()).toEqual(['a', 'b']);
    expect(outcomes(await go(here, { steps })).map(([, , outcome]) => outcome)).toEqual([
      'already',
      'already',
      'already',
    ]);
    expect(readFileSync(join(here.root('a'), 'etc/log'), 'utf8')).toBe('line\nline\n');
  });

  it('of a dry run, and without a yes, runs nothing and shows every step', async () => {
    const here = world();
    const steps = [
      step('a', 0),
      step('a', 1, { guard: (now) => (count(now, 'a') === 0 ? null : { why: 'no' }) }),
      step('b', 1, { guard: () => ({ why: 'not yet' }) }),
    ];
    const planned = [
      [1, 'a', 'already'],
      [2, 'a', 'planned'],
      [3, 'b', 'planned'],
    ];
    expect(outcomes(await go(here, { steps }, { dryRun: true }))).toEqual(planned);
    let shown: unknown;
    const approve = async (runs: readonly HostRun[]): Promise<boolean> => {
      shown = outcomes(runs);
      return false;
    };
    expect(outcomes(await go(here, { steps }, { approve }))).toEqual(planned);
    expect(shown).toEqual(planned);
    expect(existsSync(join(here.root('a'), 'etc/log'))).toBe(false);
  });

  it('stops at a guard that does not hold, and says whether it is known', async () => {
    const here = world();
    const never = step('a', 1, { guard: () => ({ why: 'a task runs' }) });
    const runs = await go(here, { steps: [never, step('b', 1)] });
    expect(outcomes(runs)).toEqual([
      [1, 'a', 'failed'],
      [2, 'b', 'skipped'],
    ]);
    expect(exitCode('run', runs)).toBe(4);
    const unknown = step('a', 1, { guard: () => ({ why: 'no answer', unknown: true }) });
    expect(exitCode('run', await go(here, { steps: [unknown] }))).toBe(8);
    expect(existsSync(join(here.root('a'), 'etc/log'))).toBe(false);
  });

  it('waits for the verification, not longer than it may, and not at all for what cannot come', async () => {
    const here = world();
    let asked = 0;
    const slow = step('a', 1, { within: 60, verify: () => (++asked > 4 ? null : { why: 'not yet' }) });
    expect(outcomes(await go(here, { steps: [slow] }))).toEqual([[1, 'a', 'done']]);
    asked = 0;
    const hopeless = step('a', 9, {
      within: 600,
      verify: () => (++asked > 2 ? { why: 'TASK ERROR', final: true } : { why: 'not yet' }),
    });
    const runs = await go(here, { steps: [hopeless] });
    expect(runs[0]?.steps[0]).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('TASK ERROR'),
    });
    // For the plan, before, and after.
    expect(asked).toBe(3);
    expect(outcomes(await go(here, { steps: [step('a', 9)] }))).toEqual([[1, 'a', 'failed']]);
  });

  it('goes on after a step that may fail, never after one that could not be proven', async () => {
    const here = world();
    const polite = step('a', 5, { mayFail: true });
    const runs = await go(here, { steps: [polite, step('a', 2), step('a', 9), step('a', 1)] });
    expect(outcomes(runs).map(([, , outcome]) => outcome)).toEqual(['done', 'done', 'failed', 'skipped']);
    expect(runs[0]?.steps[0]?.message).toContain('it did not suffice: it has 1 lines');
  });

  it('believes what is there, not exit codes', async () => {
    const here = world();
    const liar = step('a', 1, { run: sh`exit 0` });
    const grumbler = step('a', 1, { run: sh`echo line >>./etc/log; exit 3` });
    expect(outcomes(await go(here, { steps: [liar] }))).toEqual([[1, 'a', 'failed']]);
    expect(outcomes(await go(here, { steps: [grumbler] }))).toEqual([[1, 'a', 'done']]);
  });

  it('is refused with its reason, and asks nobody for a yes', async () => {
    const approve = () => Promise.reject(new Error('asked'));
    const runs = await go(world(), { refused: { why: 'a task runs', hint: 'wait' } }, { approve });
    expect(runs).toMatchObject([
      { host: 'a', found: ['a fact'], error: { code: 'refused', message: 'a task runs', hint: 'wait' } },
    ]);
    expect(exitCode('run', runs)).toBe(5);
    expect(exitCode('run', await go(world(), { refused: { why: 'x', unknown: true } }))).toBe(8);
  });

  it('runs nothing on a machine that is another than the one that was asked', async () => {
    const here = world();
    const swap = step('a', 1, {
      verify: () => {
        writeFileSync(join(here.root('a'), 'etc/machine-id'), 'other\n');
        return { why: 'not yet' };
      },
    });
    const runs = await go(here, { steps: [swap] });
    expect(existsSync(join(here.root('a'), 'etc/log'))).toBe(false);
    expect(runs[0]?.error).toMatchObject({ message: expect.stringContaining('another machine') });
  });

  it('a host that cannot be asked is unknown to the plan, and has its error', async () => {
    const here = world();
    const connect: typeof here.engine.connect = async (host) => {
      if (host.name === 'b') throw new ProvisionError('unreachable', 'no route', { host: 'b' });
      return here.engine.connect(host);
    };
    const runs = await go(
      { ...here, engine: { ...here.engine, connect } },
      { steps: [step('a', 1), step('b', 1), step('a', 2)] },
    );
    expect(outcomes(runs)).toEqual([
      [1, 'a', 'done'],
      [3, 'a', 'skipped'],
      [2, 'b', 'skipped'],
    ]);
    expect(runs[1]?.error).toMatchObject({ code: 'unreachable' });
    expect(exitCode('run', runs)).toBe(3);
  });

  it('a connection that is lost in a step: what was done is listed, and the step is proven over a new one', async () => {
    const here = world();
    let scripts = 0;
    const connect: typeof here.engine.connect = async (host) => {
      const session = await here.engine.connect(host);
      return {
        ...session,
        run: async (script, options) => {
          const result = await session.run(script, options);
          const changes = String(script).includes('PAYLOAD');
          if (!changes || ++scripts !== 2) return result;
          const cut = result.stdout.indexOf('change 0 done');
          return { ...result, stdout: result.stdout.subarray(0, cut), end: 'lost', code: null };
        },
      };
    };
    const engine = { ...here.engine, connect };
    const runs = await go({ ...here, engine }, { steps: [step('a', 1), step('a', 2), step('a', 3)] });
    expect(outcomes(runs).map(([, , outcome]) => outcome)).toEqual(['done', 'done', 'done']);
    scripts = 0;
    const unproven = await go({ ...here, engine }, { steps: [step('a', 4), step('a', 9), step('a', 10)] });
    expect(outcomes(unproven).map(([, , outcome]) => outcome)).toEqual(['done', 'unknown', 'skipped']);
    expect(unproven[0]?.error).toMatchObject({ code: 'unreachable', begun: true });
    expect(unproven[0]?.error?.hint).toContain('run the procedure again');
    expect(exitCode('run', unproven)).toBe(3);
  });

  it('refuses a tree: its questions would be about the system that holds it', async () => {
    const here = world();
    const engine = testEngine();
    const runs = await go({ ...here, engine }, { steps: [step('a', 1)] }, { dryRun: true });
    expect(runs).toMatchObject([{ host: 'a', steps: [], error: { code: 'refused' } }]);
  });
});
