import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { ruled } from '../../../src/cli/judged.ts';
import { expandHosts } from '../../../src/cli/site.ts';
import { InputErrors, ProvisionError, showWhere } from '../../../src/model/errors.ts';
import { defineType, type ResourceType } from '../../../src/model/resource.ts';
import { file } from '../../../src/resources/file.ts';
import { pathSchema } from '../../../src/resources/properties.ts';
import { type Expanded, type ExpandOptions, expandHost } from '../../../src/roles/expand.ts';
import { loadSite, type Site } from '../../../src/roles/site.ts';
import { lines } from '../../../src/shell/sh.ts';

/** Files of a site by path; `null` leaves a file of the base out, `{link}` makes a symbolic link. */
export type Tree = Readonly<Record<string, string | Buffer | null | { readonly link: string }>>;

/** A small site without mistakes: each case changes one thing in it. */
export const base: Tree = {
  'inventory/site.yaml': 'site: test\ngroups: [all, web]\n',
  'inventory/groups/all.yaml': 'group: all\n',
  'inventory/groups/web.yaml': 'group: web\nroles: [web]\n',
  'inventory/hosts/one.yaml':
    'host: one\nplatform: pve\nconnection:\n  address: 10.0.0.1\ngroups: [web]\nvars:\n  web:\n    title: Hello\n',
  'roles/web/role.yaml': `role: web
about: A page.
platforms: [pve, linux]
variables:
  title: {type: string, description: Head of the page.}
  level: {enum: [low, high], default: low}
  pages: {type: array, items: {type: object, additionalProperties: false, required: [name], properties: {name: {type: string}, note: {type: string}}}, default: []}
resources:
  - file: /srv/title
    template: web/title.hbs
    mode: "0644"
`,
  'templates/web/title.hbs': 'title: {{line title}}\n',
};

const nothing = {
  want: () => null,
  observe: () => lines([]),
  read: () => ({ have: null }),
  steps: () => [],
} as const;

const directory = defineType<{ directory: string }>({
  ...nothing,
  name: 'directory',
  about: 'A directory.',
  example: 'directory: /a\n',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['directory'],
    properties: {
      directory: pathSchema,
      mode: { type: 'string', pattern: '^[0-7]{4}$' },
    },
  },
  identity: (spec) => spec.directory,
  provides: (spec) => [`path:${spec.directory}`],
});

const line = defineType<{ line: string; key: string }>({
  ...nothing,
  name: 'line',
  about: 'A line.',
  example: 'line: /a\nkey: b\n',
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['line', 'key'],
    properties: { line: { type: 'string' }, key: { type: 'string' }, value: { type: 'string' } },
  },
  identity: (spec) => `${spec.line}#${spec.key}`,
  provides: (spec) => [`part:${spec.line}#${spec.key}`],
});

const command = defineType<{ command: readonly string[] }>({
  ...nothing,
  name: 'command',
  about: 'A command.',
  example: 'command: [a]\n',
  checkOnly: true,
  schema: {
    type: 'object',
    additionalProperties: false,
    required: ['command'],
    properties: {
      command: { type: 'array', minItems: 1, items: { type: 'string' } },
      expect: { type: 'object' },
      limit: { type: 'integer' },
    },
  },
  identity: (spec) => spec.command.join(' '),
});

export const types: readonly ResourceType[] = [file, directory, line, command];

const made: string[] = [];
afterAll(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** Writes a site into a new directory, removed when the tests of the file have ended. */
export function write(tree: Tree, over: Tree = base): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'site-')));
  made.push(root);
  for (const [path, content] of Object.entries({ ...over, ...tree })) {
    if (content === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(join(root, path), content);
    else symlinkSync(content.link, join(root, path));
  }
  return root;
}

/** `env`: what `sops` would be started with. */
export function load(root: string, identityFile?: string, env = { PATH: '/nowhere' }): Promise<Site> {
  return loadSite(
    { inventory: join(root, 'inventory'), roles: join(root, 'roles'), templates: join(root, 'templates') },
    { types, identityFile, env },
  );
}

/** Loads the site and expands one host of it. */
export async function expand(
  tree: Tree,
  options: ExpandOptions & {
    readonly host?: string;
    readonly key?: string;
    readonly env?: { readonly PATH: string };
  } = {},
): Promise<Expanded> {
  return expandHost(await load(write(tree), options.key, options.env), options.host ?? 'one', options);
}

/** What a person would read, one mistake in two or three lines, with the directory of the test taken out. */
export async function complaints(
  tree: Tree,
  options: ExpandOptions & { readonly host?: string } = {},
): Promise<string> {
  const root = write(tree);
  try {
    const site = await load(root);
    await ruled(site, await expandHosts(site, [{ name: options.host ?? 'one' }], options));
    return 'no mistake was found';
  } catch (error) {
    return told(error).replaceAll(`${root}/`, '');
  }
}

export function told(error: unknown): string {
  if (error instanceof InputErrors) return error.errors.map(told).join('\n');
  if (!(error instanceof ProvisionError)) throw error;
  const where = error.where === undefined ? '' : `${showWhere(error.where)}: `;
  const host = error.host === undefined ? '' : ` [${error.host}]`;
  const hint = error.hint === undefined ? '' : `\n    -> ${error.hint}`;
  return `${where}${error.message}${host}${hint}`;
}
