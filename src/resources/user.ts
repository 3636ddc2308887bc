import { defineType } from '../model/resource.ts';
import { sh } from '../shell/sh.ts';
import { groupName, pathSchema, stateWord } from './properties.ts';
import { isNumber } from './stat.ts';
import { changeUser, createUser, observeProgram, removeUser, runningShell } from './user-shell.ts';

export interface UserSpec {
  readonly user: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly group?: string;
  readonly groups?: readonly string[];
  readonly home?: string;
  readonly shell?: string;
  readonly system?: boolean;
  readonly state?: 'present' | 'absent';
}

const number = { type: 'integer', minimum: 1, maximum: 4294967293 } as const;

/** A local user. Passwords are never set or read: people and machines come with keys. */
export const user = defineType<UserSpec>({
  name: 'user',
  about:
    'A local user without a password. Only what is named here is compared. Removing a user keeps the home directory and is refused while processes of the user run.',
  example: 'user: backup\nsystem: true\nhome: /srv/backup\nshell: /bin/sh\n',
  schema: {
    type: 'object',
    required: ['user'],
    additionalProperties: false,
    properties: {
      user: { type: 'string', pattern: '^[a-z_][a-z0-9_-]{0,31}$', description: 'Login name.' },
      uid: {
        ...number,
        description: 'Number for a new user; never changed later, files would lose their owner.',
      },
      gid: { ...number, description: 'Number for the group of the same name, made with the user.' },
      group: {
        ...groupName,
        description: 'Primary group, which must exist (default: one of the same name is made).',
      },
      groups: {
        type: 'array',
        items: groupName,
        uniqueItems: true,
        description: 'Groups the user must be in; other memberships are left alone.',
      },
      home: { ...pathSchema, description: 'Home directory; an existing one is not moved.' },
      shell: { ...pathSchema, description: 'Login shell.' },
      system: { type: 'boolean', description: 'A low number and no home directory made (default false).' },
      state: { ...stateWord, description: '`absent` removes the user, never the home (default present).' },
    },
  },
  stepLimit: 60,
  identity: (spec) => spec.user,
  provides: (spec) =>
    spec.group === undefined ? [`user:${spec.user}`, `group:${spec.user}`] : [`user:${spec.user}`],
  needs: (spec) =>
    spec.state === 'absent'
      ? []
      : [...(spec.group === undefined ? [] : [spec.group]), ...(spec.groups ?? [])]
          .filter((name) => name !== spec.user)
          .map((name) => `group:${name}`),
  want: (spec) => {
    if (spec.state === 'absent') return null;
    const { uid, gid, group, home, shell } = spec;
    const named = Object.entries({ uid, gid, group, home, shell }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    const groups = spec.groups === undefined ? {} : { groups: [...spec.groups].sort().join(' ') };
    return { type: 'user', ...Object.fromEntries(named), ...groups };
  },
  observe: (specs) => {
    const leaving = specs.filter((spec) => spec.state === 'absent').map((spec) => spec.user);
    return sh`[ ! -r ./etc/passwd ] || [ ! -r ./etc/group ] || printf '%s\n' ${specs.map((spec) => spec.user)} | awk ${observeProgram}
${leaving.length > 0 ? runningShell(leaving) : sh``}`;
  },
  read: (facts, spec) => {
    if (facts.get('absent') !== undefined) return { have: null };
    const entry = facts.get('passwd');
    if (entry === undefined) return { unknown: '/etc/passwd or /etc/group could not be read' };
    const [uid = '', gid = '', home = '', shell = ''] = entry.split(':');
    const primary = facts.get('primary') ?? gid;
    const member = new Set([primary, gid, ...facts.all('member')]);
    const running = facts.get('running');
    return {
      have: {
        type: 'user',
        uid: Number(uid),
        gid: Number(gid),
        group: isNumber(spec.group) ? gid : primary,
        groups: (spec.groups ?? [])
          .filter((name) => member.has(name))
          .sort()
          .join(' '),
        home,
        shell,
        ...(running === undefined ? {} : { running: running === 'yes' }),
      },
    };
  },
  refuse: ({ spec, want, have, differs, context }) => {
    if (context.platform === 'synology' || context.platform === 'truenas')
      return `${context.platform} keeps its users in a database of its own; make ${spec.user} in its user interface`;
    if (have === null) return null;
    if (want === null && have.uid === 0) return 'root is not removed';
    if (want === null && have.running === true)
      return `processes of ${spec.user} are running; stop them before the user is removed`;
    const fixed = differs.filter((name) => want !== null && (name === 'uid' || name === 'gid'));
    if (fixed.length > 0)
      return `${spec.user} has ${fixed.map((name) => `${name} ${have[name]}`).join(' and ')}; a number is never changed, files would lose their owner`;
    return null;
  },
  steps: (change) => {
    const { spec, want, have } = change;
    if (want === null)
      return [{ about: `remove the user ${spec.user} (the home stays)`, run: removeUser(spec) }];
    if (have === null) return [{ about: `make the user ${spec.user}`, run: createUser(spec) }];
    return [
      {
        about: `change ${change.differs.join(', ')} of the user ${spec.user}`,
        run: changeUser(spec, change.differs),
      },
    ];
  },
});
