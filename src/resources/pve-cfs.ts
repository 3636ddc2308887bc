import type { Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { judgeMembers, membersUnread, noQuorum, notMounted, pmxcfsLimit, pmxcfsType } from './pmxcfs.ts';

/**
 * Runs shell text in ./etc/pve for resources with these identities; what it prints is afterwards in $seen. $lost says why there is
 * nothing, and has been told. Where the node may not write, or that could not be read, `quorum no` or `quorum unread` is printed.
 */
export function readCfs(identities: readonly string[], text: string): Sh {
  const inside = `cd ./etc/pve 2>/dev/null || exit 3
members=$(tr -d ' \\t\\n' <.members)
${judgeMembers.text}
echo "$quorum"
${text}`;
  return sh`${pmxcfsType}
rc=3
[ "$pmxcfs" != fuse ] || { rc=0; seen=$(ask pmxcfs ${pmxcfsLimit} ${inside}) || rc=$?; }
lost= quorum=
case $rc in
  0) ;;
  3) lost=${notMounted} ;;
  124) lost='no answer in ${pmxcfsLimit} s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac
[ -n "$lost" ] || quorum=\${seen%%[!a-z]*}
case $lost$quorum in
  yes | no | unread) seen=\${seen#"$quorum"}; seen=\${seen#?} ;;
  *) quorum=yes; lost=\${lost:-/etc/pve could not be read} ;;
esac
for identity in ${identities}; do
  [ -z "$lost" ] || printf '%s\\tunknown\\t%s\\n' "$identity" "$lost"
  [ "$quorum" = yes ] || printf '%s\\tquorum\\t%s\\n' "$identity" "$quorum"
done`;
}

/** Where nothing below /etc/pve can be written, every command that would is refused. */
export function unlessQuorate(facts: Facts, observed: Observed): Observed {
  const quorum = facts.get('quorum');
  if ('unknown' in observed || quorum === undefined) return observed;
  return { have: observed.have, blocked: quorum === 'no' ? noQuorum : membersUnread };
}
