import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { InputErrors } from '../../../src/model/errors.ts';
import { type Expanded, expandHost } from '../../../src/roles/expand.ts';
import type { Site } from '../../../src/roles/site.ts';
import { complaints, shipped } from './fleet.ts';
import { broken, tricky } from './hostile.ts';
import { freePlaces, freeTexts, type Leaf, place, withText } from './leaves.ts';
import { samples, type Tree } from './samples.ts';
import { parseVzdumpConf } from './vzdump-conf.ts';

const directory = mkdtempSync(join(tmpdir(), 'hostile-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** One host for every attempt: reading a site once is cheap, reading it a thousand times is not. */
interface Attempt {
  readonly host: string;
  readonly leaf: Leaf;
  readonly text: string;
  readonly never: boolean;
}

test('every shipped role has a sample', () => {
  const roles = readdirSync(new URL('../../../roles/', import.meta.url));
  expect(Object.keys(samples).sort()).toEqual(roles.sort());
});

describe.each(Object.entries(samples))('%s', (role, sample) => {
  const inventory = join(directory, role, 'inventory');

  const write = (host: string, vars: Tree) => {
    mkdirSync(join(inventory, 'hosts'), { recursive: true });
    const connection = { session: 'ssh', address: '10.10.0.9' };
    const guests = sample.guests === undefined ? {} : { guests: sample.guests };
    const file = {
      host,
      platform: sample.platform,
      connection,
      roles: [role],
      vars: { [role]: vars },
      ...guests,
    };
    writeFileSync(join(inventory, 'hosts', `${host}.yaml`), stringify(file));
  };

  const start = async () => {
    write('usual', sample.vars);
    writeFileSync(join(inventory, 'site.yaml'), stringify({ site: 'lab', groups: ['all'] }));
    const site = await shipped(inventory);
    return { site, schema: site.roles.get(role)?.schema };
  };

  test('the sample is accepted and says something everywhere', { timeout: 30_000 }, async () => {
    const { site, schema } = await start();
    const expanded = await expandHost(site, 'usual').catch((error: unknown) => complaints(error));
    expect(Array.isArray(expanded) ? expanded : []).toEqual([]);
    const said = new Set(freeTexts(sample.vars, schema).map(place));
    const places = freePlaces(schema);
    expect(places.filter((one) => !said.has(one))).toEqual([]);
  });

  test('no text does anything but be itself', { timeout: 120_000 }, async () => {
    const { schema } = await start();
    const attempts = freeTexts(sample.vars, schema).flatMap((leaf, index) => [
      ...broken(leaf.value).map((text, at) => ({ host: `b-${index}-${at}`, leaf, text, never: true })),
      ...tricky(leaf.value).map((text, at) => ({ host: `t-${index}-${at}`, leaf, text, never: false })),
    ]);
    for (const { host, leaf, text } of attempts) write(host, withText(sample.vars, leaf.path, text));
    const refused = await refusedHosts(inventory);
    for (const host of refused) rmSync(join(inventory, 'hosts', `${host}.yaml`));
    const site = await shipped(inventory);
    const usual = await expandHost(site, 'usual');
    const accepted = attempts.filter((attempt) => !refused.has(attempt.host));
    const problems: string[] = [];
    const looks: string[] = [];
    for (const attempt of accepted) {
      const expanded = await expandOrNot(site, attempt.host);
      if (expanded === undefined) continue;
      const about = `${place(attempt.leaf)} = ${JSON.stringify(attempt.text.slice(0, 80))}`;
      if (attempt.never) problems.push(`${about}: accepted`);
      else problems.push(...harm(expanded, usual, attempt).map((one) => `${about}: ${one}`));
      looks.push(...expanded.resources.map(({ type, spec }) => type.observe([spec] as never).text));
    }
    expect(problems).toEqual([]);
    execFileSync('sh', ['-n'], { input: looks.map((look) => `(\n${look}\n)\n`).join('') });
  });
});

/** Hosts with a mistake that is known without expanding; the whole site is refused for them. */
async function refusedHosts(inventory: string): Promise<Set<string>> {
  const error = await shipped(inventory).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputErrors)) throw error ?? new Error('nothing was refused');
  return new Set(error.errors.map((one) => one.host ?? basename(one.where?.file ?? '', '.yaml')));
}

async function expandOrNot(site: Site, host: string): Promise<Expanded | undefined> {
  try {
    return await expandHost(site, host);
  } catch (error) {
    complaints(error);
    return undefined;
  }
}

/** What differs from the usual besides the text itself, at the places where it would do something. */
function harm(expanded: Expanded, usual: Expanded, attempt: Attempt): string[] {
  const contents = contentsOf(expanded);
  const before = contentsOf(usual);
  return [
    ...scripts(expanded)
      .filter((script) => !scripts(usual).includes(script))
      .map((script) => `a script of a check became ${JSON.stringify(script)}`),
    ...[...contents].flatMap(([path, content]) =>
      contentHarm(
        path,
        content,
        before.get(path === attempt.text ? attempt.leaf.value : path) ?? '',
        attempt,
      ),
    ),
    // A path in a variable may be where a file goes; nothing else may become one.
    ...[...contents.keys()]
      .filter((path) => !before.has(path) && path !== attempt.text)
      .map((path) => `writes ${path}`),
  ];
}

function contentHarm(path: string, content: string, before: string, attempt: Attempt): string[] {
  if (path === '/etc/vzdump.conf') return vzdumpHarm(content, before, attempt);
  const lines = content.split('\n');
  const usual = before.split('\n');
  if (lines.length !== usual.length) return [`${path} has ${lines.length} lines, not ${usual.length}`];
  const unit = attempt.text.replaceAll('%', '%%');
  const perl = attempt.text.replace(/[\\']/g, '\\$&');
  const itself = (line: string) => [attempt.text, unit, perl].some((form) => line.includes(form));
  return lines
    .filter((line, index) => line !== usual[index] && !itself(line))
    .map((line) => `${path}: ${line}`);
}

function vzdumpHarm(content: string, before: string, { text }: Attempt): string[] {
  const conf = parseVzdumpConf(content);
  const usual = parseVzdumpConf(before);
  const others = [...conf.values].filter(
    ([key, value]) => key !== 'exclude-path' && value !== usual.values.get(key),
  );
  const said = [...others.map(([, value]) => value), ...others.flatMap(([, value]) => value.split(','))];
  const words = conf.excludePath.filter((word, index) => word !== usual.excludePath[index]);
  const keys = [...conf.values.keys()].join(' ');
  return [
    ...conf.complaints,
    ...(keys === [...usual.values.keys()].join(' ') ? [] : [`keys: ${keys}`]),
    ...(others.length + words.length > 1 ? ['more than one value changed'] : []),
    ...(conf.excludePath.length === usual.excludePath.length ? [] : ['another number of exclude-path']),
    ...(others.length === 0 || said.includes(text) ? [] : [`became ${JSON.stringify(said)}`]),
    ...(words.length === 0 || words.includes(text) ? [] : [`became ${JSON.stringify(words)}`]),
  ];
}

function contentsOf(expanded: Expanded): ReadonlyMap<string, string> {
  return new Map(
    expanded.resources.flatMap(({ spec }) => {
      const { file, content } = spec as { file?: string; content?: string };
      return file === undefined
        ? []
        : [[file, (content ?? '').replaceAll(expanded.host.name, 'HOST')] as const];
    }),
  );
}

/** What shells are given to run by checks. */
function scripts(expanded: Expanded): string[] {
  return expanded.checks.flatMap(({ resource }) => {
    const { command = [] } = resource.spec as { command?: readonly string[] };
    return command[0] === 'sh' ? [command.slice(0, 3).join(' ')] : [];
  });
}
