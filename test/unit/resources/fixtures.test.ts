import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Context, type Platform, platforms } from '../../../src/model/host.ts';
import { differences, type State } from '../../../src/model/state.ts';
import { resourceTypes } from '../../../src/resources/index.ts';
import { facts } from '../../../src/shell/facts.ts';

/**
 * test/resources/NAME/CASE.json: what a host printed for a spec, and all that follows from it without a host. With
 * UPDATE_FIXTURES=1 everything but spec, platform, live and output is written anew, to be read before it is committed.
 */
interface Fixture {
  spec: unknown;
  platform?: Platform;
  live?: boolean;
  output: string[];
  unknown?: string;
  have?: State | null;
  want?: State | null;
  differs?: string[];
  refuse?: string;
  /** A line `# about` before the lines of each step. */
  steps?: string[];
}

const folder = new URL('../../resources/', import.meta.url);

const cases = readdirSync(folder).flatMap((name) =>
  readdirSync(new URL(`${name}/`, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name, file: new URL(`${name}/${file}`, folder), title: `${name}/${file}` })),
);

it('lists the types by name, each once, and has fixtures for every one', () => {
  const names = resourceTypes.map((type) => type.name);
  expect(names).toEqual([...new Set(names)].sort());
  expect([...new Set(cases.map((one) => one.name))].sort()).toEqual(names);
});

describe.each(cases)('$title', ({ name, file }) => {
  const fixture = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
  const found = follow(name, fixture);
  if (process.env.UPDATE_FIXTURES === '1') {
    const { spec, platform, live, output } = fixture;
    writeFileSync(file, `${JSON.stringify({ spec, platform, live, output, ...found }, null, 2)}\n`);
  }
  it('follows from what was printed', () => {
    const { spec: _s, platform: _p, live: _l, output: _o, ...expected } = fixture;
    expect(found).toEqual(expected);
  });
});

function follow(name: string, fixture: Fixture) {
  const type = resourceTypes.find((one) => one.name === name);
  if (type === undefined) throw new Error(`no type ${name}`);
  const { spec, platform = 'linux', live = true } = fixture;
  const context: Context = { host: 'pve9', platform, live };
  const want = type.want(spec, context);
  const seen = type.read(facts(fixture.output), spec, context);
  if ('unknown' in seen) return { unknown: seen.unknown, want };
  const have = seen.have;
  const change = { spec, have, want, differs: differences(want, have), context };
  const refuse = change.differs.length > 0 ? type.refuse?.(change) : null;
  if (refuse) return { have, want, differs: change.differs, refuse };
  const steps = change.differs.length > 0 ? type.steps(change) : [];
  const text = steps.flatMap((step) => [`# ${step.about}`, ...step.run.text.split('\n')]);
  return { have, want, differs: change.differs, steps: text };
}

describe.each(resourceTypes.map((type) => ({ name: type.name, type })))('$name', ({ name, type }) => {
  it('has a schema that takes its own example and refuses an unknown key', () => {
    const validate = new Ajv({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      strictTuples: false,
    }).compile(type.schema);
    const { template, ...example } = parse(type.example);
    if (template !== undefined) example.content = 'rendered\n';
    validate(example);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...example, surprise: 1 })).toBe(false);
    expect(type.schema.required).toContain(name);
  });

  it('describes every key, for its page', () => {
    const properties = Object.values(type.schema.properties as Record<string, { description?: string }>);
    for (const property of properties) expect(property.description ?? '').not.toBe('');
  });

  it('gives its example an identity of one line and asks about it in shell that names it', () => {
    const { template: _, ...example } = parse(type.example);
    expect(type.identity(example)).toMatch(/^[^\t\n]+$/);
    expect(type.observe([example]).text).not.toBe('');
    for (const platform of platforms) {
      const want = type.want(example, { host: 'pve9', platform, live: true });
      for (const value of Object.values(want ?? {})) expect(typeof value).not.toBe('object');
    }
  });
});
