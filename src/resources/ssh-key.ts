import { createHash } from 'node:crypto';
import { defineType } from '../model/resource.ts';
import { lines } from '../shell/sh.ts';
import { stateWord } from './properties.ts';
import { editKeys, observeKeys } from './ssh-key-shell.ts';

export interface SshKeySpec {
  readonly ssh_key: string;
  readonly user: string;
  readonly key: string;
  readonly options?: string;
  readonly state?: 'present' | 'absent';
}

/** One key that may log in as a user. Keys of others in the same file stay as they are. */
export const sshKey = defineType<SshKeySpec>({
  name: 'ssh_key',
  about:
    "One key in a user's authorized_keys; all other keys stay. `safe` means that sshd accepts the file: nobody else can write to it or to its directory.",
  example:
    'ssh_key: pve2\nuser: backup\nkey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC1Jd7NR4MZ0Ql5nW3tFdVOmgYpX0bZ6HhVqDq1c2u4R\noptions: restrict,command="rrsync /srv/backup"\n',
  schema: {
    type: 'object',
    required: ['ssh_key', 'user', 'key'],
    additionalProperties: false,
    properties: {
      ssh_key: {
        type: 'string',
        pattern: '^[^\\x00-\\x1f\\x7f]+$',
        maxLength: 200,
        description: 'A name for it; written behind the key as its comment.',
      },
      user: {
        type: 'string',
        pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,63}$',
        description: 'Who may log in with it; the user must exist.',
      },
      key: {
        type: 'string',
        pattern: '^(sk-)?(ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]{20,}={0,2}( [^\\x00-\\x1f\\x7f]*)?$',
        description: 'The public key: type and base64; a comment behind it is ignored.',
      },
      options: {
        type: 'string',
        pattern: '^[^\\x00-\\x1f\\x7f]*$',
        description: 'What it is restricted to, as in authorized_keys (default: nothing).',
      },
      state: { ...stateWord, description: '`absent` removes the key (default present).' },
    },
  },
  stepLimit: 30,
  identity,
  needs: (spec) => (spec.state === 'absent' ? [] : [`user:${spec.user}`]),
  want: (spec) => (spec.state === 'absent' ? null : { options: (spec.options ?? '').trim(), safe: true }),
  observe: (specs) => {
    const users = [...new Set(specs.map((spec) => spec.user))];
    return lines(
      users.map((user) =>
        observeKeys(
          user,
          specs
            .filter((spec) => spec.user === user)
            .map((spec) => ({ identity: identity(spec), key: plain(spec.key) })),
        ),
      ),
    );
  },
  read: (facts, spec) => {
    const reason = facts.get('unknown');
    if (reason !== undefined) return { unknown: reason };
    const blocked = facts.get('blocked');
    if (blocked !== undefined) return { have: { blocked } };
    const options = facts.get('options');
    if (options !== undefined) return { have: { options, safe: facts.get('unsafe') === undefined } };
    if (facts.get('none') === undefined) return { unknown: `the keys of ${spec.user} could not be read` };
    return { have: null };
  },
  refuse: ({ have }) => (have?.blocked === undefined || have.blocked === null ? null : String(have.blocked)),
  steps: ({ spec, want }) => {
    const entry = [(spec.options ?? '').trim(), plain(spec.key), spec.ssh_key]
      .filter((part) => part !== '')
      .join(' ');
    return [
      {
        about: `${want === null ? 'remove' : 'put'} the key ${spec.ssh_key} ${want === null ? 'from' : 'among'} the keys of ${spec.user}`,
        run: editKeys(spec.user, plain(spec.key), want === null ? null : entry),
      },
    ];
  },
});

/** "ssh-ed25519 AAAA...", without a comment. */
function plain(key: string): string {
  return key.split(' ', 2).join(' ');
}

function identity(spec: SshKeySpec): string {
  return `${spec.user}:${fingerprint(spec.key)}`;
}

/** As `ssh-keygen -l` prints it. */
function fingerprint(key: string): string {
  const bytes = Buffer.from(key.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
}
