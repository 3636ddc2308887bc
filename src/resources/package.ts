import { defineType } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { lines, sh } from '../shell/sh.ts';
import { stateWord } from './properties.ts';

export interface PackageSpec {
  readonly package: string;
  readonly version?: string;
  readonly replaces?: readonly string[];
  readonly state?: 'present' | 'absent';
}

/** Never asks, keeps configuration files as they are, waits a minute for another apt to finish, and says only what went wrong. */
const aptGet =
  'DEBIAN_FRONTEND=noninteractive APT_LISTCHANGES_FRONTEND=none NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confold';

/** A Debian package. */
export const debianPackage = defineType<PackageSpec>({
  name: 'package',
  about:
    'A Debian package that is installed, or not. Configuration files stay as they are. Nothing is installed or removed for which apt would remove another one.',
  example: 'package: nfs-kernel-server\n',
  schema: {
    type: 'object',
    required: ['package'],
    additionalProperties: false,
    properties: {
      package: {
        type: 'string',
        pattern: '^[a-z0-9][a-z0-9+.-]{1,100}$',
        description: 'Name of a real package, not of one that others provide.',
      },
      version: {
        type: 'string',
        pattern: '^[0-9][A-Za-z0-9.+:~-]*$',
        description: 'Exactly this version (default: any; it is not upgraded).',
      },
      replaces: {
        type: 'array',
        items: { type: 'string', pattern: '^[a-z0-9][a-z0-9+.-]{1,100}$' },
        uniqueItems: true,
        description: 'Packages that may be removed when this one is installed (default: none).',
      },
      state: {
        ...stateWord,
        description: '`absent` removes it and keeps its configuration (default present).',
      },
    },
  },
  tools: ['dpkg-query'],
  stepLimit: 900,
  identity: (spec) => spec.package,
  provides: (spec) => [`package:${spec.package}`],
  want: (spec) => {
    if (spec.state === 'absent') return null;
    return { status: 'installed', ...(spec.version === undefined ? {} : { version: spec.version }) };
  },
  observe: (specs) =>
    lines([
      sh`if [ -n "$ROOT" ]; then admin=--admindir=./var/lib/dpkg; else admin=--admindir=/var/lib/dpkg; fi
rc=0
[ -f "\${admin#*=}/status" ] && found=$(dpkg-query "$admin" -W -f='\${Package}\t\${db:Status-Status}\t\${Version}\n' -- ${names(specs)} 2>/dev/null) || rc=$?
if [ "$rc" -le 1 ] && [ -f "\${admin#*=}/status" ]; then
  printf '%s\n' "$found" ${specs.map((spec) => spec.package)} | awk -F'\t' ${program}
fi`,
      ...specs.filter((spec) => spec.state === 'absent').map((spec) => simulatedRemoval(spec.package)),
    ]),
  read: (facts) => {
    const status = facts.get('status');
    if (status === undefined) return { unknown: 'dpkg did not answer' };
    if (status === 'none') return { have: null };
    const removes = facts.all('removes');
    return {
      have: {
        status,
        version: facts.get('version') ?? '',
        ...(removes.length > 0 ? { removes: removes.join(' ') } : {}),
      },
    };
  },
  refuse: ({ spec, want, have, context }) => {
    if (!context.live)
      return 'packages are not installed or removed in a file tree: their scripts need a running system';
    if (context.platform === 'synology' || context.platform === 'truenas')
      return `${context.platform} brings its own packages; apt would break its updates`;
    if (have !== null && !['installed', 'config-files', 'not-installed'].includes(String(have.status)))
      return `dpkg left ${spec.package} ${have.status}; run \`dpkg --configure -a\` and look at what it says`;
    if (want !== null || have === null) return null;
    const others = String(have.removes ?? '')
      .split(' ')
      .filter((name) => name !== '' && name !== spec.package);
    if (have.removes === undefined) return 'apt did not say what else would be removed';
    return others.length === 0 ? null : `apt would remove more: ${others.join(' ')}`;
  },
  steps: ({ spec, want }) => {
    if (want === null)
      return [
        { about: `remove the package ${spec.package}`, run: apt(`remove --no-auto-remove ${spec.package}`) },
      ];
    const name = spec.version === undefined ? spec.package : `${spec.package}=${spec.version}`;
    return [
      {
        about: `install the package ${name}`,
        run: lines([
          sh`apt-cache show ${name} 2>/dev/null | grep -q '^Package:' || ${apt('update')}`,
          keepOthers(name, spec.replaces ?? []),
          apt(`install --no-install-recommends ${name}`),
        ]),
      },
    ];
  },
});

/** Names and versions are held by the schema to characters that no shell reads. */
function apt(words: string): Sh {
  return { text: `${aptGet} ${words}`, blobs: [] };
}

/** With -y apt removes whatever stands in the way, be it the kernel. Why it cannot install at all, it says when it is to do it. */
function keepOthers(name: string, replaces: readonly string[]): Sh {
  return sh`gone=$(${apt(`-s install --no-install-recommends ${name}`)} 2>/dev/null | awk '$1 == "Remv" { print $2 }')
for other in $gone; do
  case ${` ${replaces.join(' ')} `} in *" $other "*) continue ;; esac
  say "apt would remove $other to install "${name}"; if it may go, name it in replaces"
  exit 1
done`;
}

function names(specs: readonly PackageSpec[]): string[] {
  return [...new Set(specs.map((spec) => spec.package))];
}

/** First the rows of dpkg-query, then one name a line. Of several architectures, the one that is installed counts. */
const program = String.raw`
NF > 1 {
  if ($2 == "not-installed" || $2 == "config-files") next
  if (!($1 in status) || $2 == "installed") { status[$1] = $2; version[$1] = $3 }
  next
}
$1 == "" || done[$1]++ { next }
$1 in status { print $1 "\tstatus\t" status[$1]; print $1 "\tversion\t" version[$1]; next }
{ print $1 "\tstatus\tnone" }`;

/** Asked only for what is to go and is there. */
function simulatedRemoval(name: string): Sh {
  return sh`if [ -z "$ROOT" ] && [ "$(dpkg-query -W -f='\${db:Status-Status}' -- ${name} 2>/dev/null)" = installed ]; then
  limited 20 ${`exec apt-get -s -q --no-auto-remove remove ${name}`} | awk -v id=${name} '$1 == "Remv" { print id "\tremoves\t" $2 }'
fi`;
}
