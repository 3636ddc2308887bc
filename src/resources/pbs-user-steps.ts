import type { Change, Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import { at, lines, sh } from '../shell/sh.ts';
import { letProxyRead, option } from './pbs-cfg.ts';
import { type PbsToken, type PbsUserSpec, rightName, tokenName } from './pbs-user-spec.ts';

/** Where the secret of a new token lies until somebody fetches it. */
const tokenDirectory = '/etc/provision/tokens';

/** The user first, then its tokens, then what they may do. */
export function userSteps(change: Change<PbsUserSpec>): Step[] {
  const { spec, have, differs } = change;
  const user = spec.pbs_user;
  const tokens = spec.tokens ?? [];
  const made = tokens.filter(({ name }) => have?.[tokenName(name)] === undefined);
  return [
    ...account(change),
    ...made.map((token) => ({
      about: `make the token ${user}!${token.name}; its secret goes to ${tokenDirectory}/${user}!${token.name}`,
      run: generate(user, token),
    })),
    ...tokens.filter((token) => !made.includes(token)).flatMap((token) => changeToken(user, token, differs)),
    ...(spec.acl ?? [])
      .filter((right) => differs.includes(rightName(right)))
      .map((right) => {
        const who = right.token === undefined ? user : `${user}!${right.token}`;
        const words = [option('auth-id', who), option('propagate', right.propagate ?? true)];
        return {
          about: `give ${who} the role ${right.role} at ${right.path}`,
          run: sh`proxmox-backup-manager acl update ${right.path} ${right.role} ${words}`,
        };
      }),
    ...(differs.includes('proxy_reads') && have !== null
      ? [{ about: 'let the proxy read user.cfg and acl.cfg', run: readable }]
      : []),
  ];
}

const readable = lines([
  sh`if [ -f ./etc/proxmox-backup/user.cfg ]; then
${letProxyRead('user')}
fi
if [ -f ./etc/proxmox-backup/acl.cfg ]; then
${letProxyRead('acl')}
fi`,
]);

function account({ spec, have, differs }: Change<PbsUserSpec>): Step[] {
  const user = spec.pbs_user;
  const { comment, email, enable = true, expire = 0 } = spec;
  if (have === null || have.missing === true) {
    const named = Object.entries({ comment, email }).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [option(key, value)],
    );
    const words = [...named, option('enable', enable), option('expire', expire)];
    return [{ about: `make the user ${user}`, run: sh`proxmox-backup-manager user create ${user} ${words}` }];
  }
  const words = Object.entries({ comment, email, enable, expire }).flatMap(([key, value]) => {
    if (value === undefined || !differs.includes(key)) return [];
    return [value === '' ? option('delete', key) : option(key, value)];
  });
  if (words.length === 0) return [];
  return [{ about: `change the user ${user}`, run: sh`proxmox-backup-manager user update ${user} ${words}` }];
}

/**
 * What the server says of a new token goes into a file that only root can read: it says it once, and a log or an argument would keep it.
 * Should this end in the middle, the answer lies there as it was given.
 */
function generate(user: string, token: PbsToken): Sh {
  const words = [
    ...(token.comment === undefined || token.comment === '' ? [] : [option('comment', token.comment)]),
    ...(token.enable === false ? [option('enable', false)] : []),
  ];
  const file = `${tokenDirectory}/${user}!${token.name}`;
  const answer = `${tokenDirectory}/.${user}!${token.name}.answer`;
  return sh`[ -d ./etc/provision ] || mkdir -m 0755 ./etc/provision
[ -d ${at(tokenDirectory)} ] || mkdir -m 0700 ${at(tokenDirectory)}
trusted ${at(tokenDirectory)} || { say ${`others than root can write to ${tokenDirectory}; no token was made`}; exit 1; }
rm -f -- ${at(answer)}
if said=$(proxmox-backup-manager user generate-token ${user} ${token.name} ${words} 2>&1 >${at(answer)}); then :
else
  rm -f -- ${at(answer)}
  say "$said"
  exit 1
fi
sed -n 's/.*"value": *"\\([^"]*\\)".*/\\1/p' ${at(answer)} | tr -d '\\n' >"$STAGE/token.$CHANGE"
[ -s "$STAGE/token.$CHANGE" ] || { say ${`the answer of the server was not understood; it lies in ${answer}`}; exit 1; }
put "$STAGE/token.$CHANGE" ${at(file)} 0600 root:root
rm -f -- ${at(answer)} "$STAGE/token.$CHANGE"
say ${`the secret of ${user}!${token.name} is in ${file}`}`;
}

/** There is no command of the manager for it: the API takes it. */
function changeToken(user: string, token: PbsToken, differs: readonly string[]): Step[] {
  const name = tokenName(token.name);
  const words = [
    ...(differs.includes(name) ? [option('enable', token.enable ?? true), option('expire', 0)] : []),
    ...(differs.includes(`${name} comment`) ? [option('comment', token.comment ?? '')] : []),
  ];
  if (words.length === 0) return [];
  return [
    {
      about: `change the token ${user}!${token.name}`,
      run: sh`proxmox-backup-debug api set ${`/access/users/${user}/token/${token.name}`} ${words}`,
    },
  ];
}
