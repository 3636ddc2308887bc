import { type Change, defineType, type Facts, type SpecMistake } from '../model/resource.ts';
import type { Observed, State, Value } from '../model/state.ts';
import { pbsRoles, plainPath, reaches, readAcl } from './pbs-acl.ts';
import { lookCfg, proxyReads, readCfg, sharedFacts } from './pbs-cfg.ts';
import { type PbsUserSpec, rightName, tokenName } from './pbs-user-spec.ts';
import { userSteps } from './pbs-user-steps.ts';
import { type Section, valueIn } from './section-config.ts';

const text = {
  type: 'string',
  pattern: '^[^\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]*$',
  maxLength: 128,
} as const;
const word = '[A-Za-z0-9_][A-Za-z0-9._-]*';
const token = { type: 'string', pattern: `^${word}$`, maxLength: 32 } as const;

/** A user of a backup server with tokens and rights. What is there and not named stays. */
export const pbsUser = defineType<PbsUserSpec>({
  name: 'pbs_user',
  about:
    'A user of Proxmox Backup Server with API tokens and permissions. A token is made once; its secret is written to a file below /etc/provision/tokens on the server, which only root can read, and nowhere else. Users, tokens and permissions that are not named are left alone.',
  example: `pbs_user: pve@pbs
comment: nodes of the cluster
tokens:
  - {name: ruapehu}
acl:
  - {path: /datastore/pbs-datastore, role: DatastoreBackup}
  - {path: /datastore/pbs-datastore, role: DatastoreBackup, token: ruapehu}
`,
  schema: {
    type: 'object',
    required: ['pbs_user'],
    additionalProperties: false,
    properties: {
      pbs_user: {
        type: 'string',
        pattern: `^[^\\s:/!,@\\x00-\\x1f\\x7f]+@${word}$`,
        maxLength: 64,
        description: 'User and realm: pve@pbs, root@pam. One of the realm pbs has no password from here.',
      },
      comment: { ...text, description: 'For people.' },
      email: { ...text, description: 'Mail address.' },
      enable: { type: 'boolean', description: 'May log in (default true).' },
      expire: {
        type: 'integer',
        minimum: 0,
        description: 'Epoch seconds after which it may not; 0: never (default).',
      },
      tokens: {
        type: 'array',
        description: 'API tokens. Each has the rights of its own that its user has too.',
        items: {
          type: 'object',
          required: ['name'],
          additionalProperties: false,
          properties: {
            name: { ...token, description: 'Name; the id is USER@REALM!NAME.' },
            comment: { ...text, description: 'For people.' },
            enable: { type: 'boolean', description: 'May be used (default true).' },
          },
        },
      },
      acl: {
        type: 'array',
        description: 'Permissions it must have; others stay.',
        items: {
          type: 'object',
          required: ['path', 'role'],
          additionalProperties: false,
          properties: {
            path: {
              type: 'string',
              pattern: '^/$|^(/[A-Za-z0-9_][A-Za-z0-9._-]*)+$',
              description: 'Where: /, /datastore/NAME, /datastore/NAME/NAMESPACE, /remote/NAME.',
            },
            role: {
              enum: pbsRoles,
              description: 'DatastoreBackup: back up and restore own backups, no pruning.',
            },
            propagate: { type: 'boolean', description: 'Below the path too (default true).' },
            token: { ...token, description: 'Name of the token it is for; left out: the user.' },
          },
        },
      },
      state: { const: 'present', description: 'A user is never removed here.' },
    },
  },
  needsLive: true,
  tools: ['proxmox-backup-manager'],
  stepLimit: 120,
  shared: sharedFacts,
  mistakes,
  identity: (spec) => spec.pbs_user,
  provides: (spec) => [`pbs-user:${spec.pbs_user}`],
  needs: (spec) =>
    [...new Set((spec.acl ?? []).flatMap(({ path }) => /^\/datastore\/([^/]+)/.exec(path)?.[1] ?? []))]
      .map((store) => `datastore:${store}`)
      .concat([
        'unit:proxmox-backup.service',
        'unit:proxmox-backup-proxy.service',
        'package:proxmox-backup-server',
      ]),
  want: wanted,
  observe: (specs) =>
    lookCfg(
      specs.flatMap(({ pbs_user: id, tokens, acl }) => {
        const names = [
          ...new Set([...(tokens ?? []).map(({ name }) => name), ...(acl ?? []).map((one) => one.token)]),
        ];
        const ids = names.flatMap((name) => (name === undefined ? [] : [`${id}!${name}`]));
        return [
          { identity: id, file: 'user' as const, own: [`user: ${id}`, ...ids.map((one) => `token: ${one}`)] },
          { identity: id, file: 'acl' as const, own: [id, ...ids] },
        ];
      }),
    ),
  read,
  refuse,
  steps: userSteps,
});

function mistakes({ pbs_user: user, tokens = [], acl = [] }: PbsUserSpec): SpecMistake[] {
  const names = tokens.map(({ name }) => name);
  const twice = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ at: ['tokens', String(index), 'name'], says: `is ${name} for the second time` }],
  );
  const lame = acl.flatMap((right, index) => {
    // root@pam may do everything, so its tokens may do what they were given.
    if (right.token === undefined || user === 'root@pam') return [];
    const path = plainPath(right.path);
    const covered = acl.some(
      (own) => own.token === undefined && reaches(plainPath(own.path), own.propagate ?? true, path),
    );
    if (covered) return [];
    return [
      {
        at: ['acl', String(index)],
        says: `gives the token ${right.token} a role at ${path} where ${user} has none: a token may only do what its user may do too`,
        hint: `add {path: ${path}, role: ${right.role}} without a token`,
      },
    ];
  });
  return [...twice, ...lame];
}

function wanted({ comment, email, enable, expire, tokens = [], acl = [] }: PbsUserSpec): State {
  const want: Record<string, Value> = { enable: enable ?? true, expire: expire ?? 0 };
  if (comment !== undefined) want.comment = comment;
  if (email !== undefined) want.email = email;
  for (const one of tokens) {
    want[tokenName(one.name)] = one.enable === false ? 'disabled' : 'enabled';
    if (one.comment !== undefined) want[`${tokenName(one.name)} comment`] = one.comment;
  }
  for (const right of acl) want[rightName(right)] = right.propagate === false ? 'this path' : 'propagates';
  want.proxy_reads = true;
  return want;
}

function read(facts: Facts, spec: PbsUserSpec): Observed {
  const file = readCfg(facts, 'user');
  if ('unknown' in file) return file;
  const rights = readAcl(facts);
  if ('unknown' in rights) return rights;
  const user = spec.pbs_user;
  const section = file.sections.find(({ id, type }) => id === user && type === 'user');
  const have: Record<string, Value> = {};
  for (const { name } of spec.tokens ?? []) {
    const found = file.sections.find(({ id, type }) => id === `${user}!${name}` && type === 'token');
    if (found === undefined) continue;
    have[tokenName(name)] = isEnabled(found) ? 'enabled' : 'disabled';
    have[`${tokenName(name)} comment`] = valueIn(found, 'comment') ?? '';
    // A token that ended at a time is as good as one that was switched off.
    const expire = Number(valueIn(found, 'expire') ?? 0);
    if (expire !== 0 && isEnabled(found)) have[tokenName(name)] = `until ${expire}`;
  }
  for (const right of spec.acl ?? []) {
    const who = right.token === undefined ? user : `${user}!${right.token}`;
    const path = plainPath(right.path);
    const found = rights.filter((one) => one.who === who && one.role === right.role && one.path === path);
    const last = found.at(-1);
    if (last !== undefined) have[rightName(right)] = last.propagate ? 'propagates' : 'this path';
  }
  // root@pam is there without being written down.
  if (section === undefined && user !== 'root@pam' && Object.keys(have).length === 0) return { have: null };
  return {
    have: {
      ...(section === undefined && user !== 'root@pam' ? { missing: true } : { ...userState(section) }),
      ...have,
      proxy_reads: file.proxyReads && proxyReads(facts, 'acl'),
    },
  };
}

function userState(section: Section | undefined): State {
  return {
    enable: section === undefined || isEnabled(section),
    expire: Number(valueIn(section, 'expire') ?? 0),
    comment: valueIn(section, 'comment') ?? '',
    email: valueIn(section, 'email') ?? '',
  };
}

function isEnabled(section: Section): boolean {
  return valueIn(section, 'enable') !== '0';
}

function refuse({ spec, want, differs }: Change<PbsUserSpec>): string | null {
  if (spec.pbs_user === 'root@pam' && want?.enable === false && differs.includes('enable'))
    return 'without root@pam nobody may administer this server; it is not switched off here';
  return null;
}
