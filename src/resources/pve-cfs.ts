import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { noQuorum, notMounted, pmxcfsLimit } from './pmxcfs.ts';

/**
 * Runs shell text in ./etc/pve for resources with these identities; what it prints is afterwards in $seen. $lost says why there is
 * nothing, and has been told. Of a node without quorum `quorum no` is printed. While pve-cluster does not run, /etc/pve is an ordinary
 * empty directory, and what is missing there is not gone: only the mounted one has the files `.version` and `.members`.
 */
export function readCfs(identities: readonly string[], text: string): Sh {
  const inside = `cd ./etc/pve 2>/dev/null && { [ -e .version ] || [ -e .members ]; } || exit 3
members=
[ ! -e .members ] || members=$(tr -d ' \\t\\n' <.members)
case $members in *'"quorate":0'*) echo no ;; *) echo yes ;; esac
${text}`;
  return sh`rc=0
seen=$(ask pmxcfs ${pmxcfsLimit} ${inside}) || rc=$?
lost=
case $rc in
  0) ;;
  3) lost=${notMounted} ;;
  124) lost='no answer in ${pmxcfsLimit} s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
quorum=yes
case $seen in
  yes*) ;;
  no*) quorum=no ;;
  *) [ -n "$lost" ] || lost='/etc/pve could not be read' ;;
esac
seen=\${seen#"$quorum"}
seen=\${seen#?}
for identity in ${identities}; do
  [ -z "$lost" ] || printf '%s\\tunknown\\t%s\\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\\tquorum\\tno\\n' "$identity"
done`;
}

/** Without quorum nothing below /etc/pve can be written, and every command that would is refused. */
export function unlessQuorate(facts: Facts, observed: Observed): Observed {
  if ('unknown' in observed || facts.get('quorum') !== 'no') return observed;
  return { have: observed.have, blocked: noQuorum };
}
