import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** Seconds for reading below /etc/pve: a FUSE mount whose daemon waits for the cluster answers nobody. */
export const pmxcfsLimit = 5;

/**
 * Shell that sets `pmxcfs` to the type of what is mounted at /etc/pve, empty when nothing is. The table of mounts is read, the mount is not
 * touched. While pve-cluster does not run, /etc/pve is an ordinary directory: what is missing there is not gone, and what is written there
 * succeeds, is not seen later, and keeps the file system from being mounted again.
 */
export const pmxcfsType: Sh = sh`pmxcfs=
while read -r _ _ _ _ point rest; do
  [ "$point" != /etc/pve ] || { pmxcfs=\${rest##* - }; pmxcfs=\${pmxcfs%% *}; }
done </proc/self/mountinfo`;

export const notMounted =
  '/etc/pve is not the cluster file system of Proxmox VE: pve-cluster does not run, or has not mounted it';

export const noQuorum =
  'this node has no quorum: until enough nodes of the cluster see each other, /etc/pve refuses every write, even of root';

export const membersUnread =
  '/etc/pve/.members could not be read: whether this node may write is not known; nothing was changed';

/**
 * Shell that sets `quorum` to yes, no or unread out of the text of .members in `members`, without its blanks. A node that never joined a
 * cluster has no word of a quorum there and is always quorate; right after a change the kernel may cut that file at its former length.
 */
export const judgeMembers: Sh = sh`case $members in
  '{"nodename"'*'"quorate":0'*'}') quorum=no ;;
  '{"nodename"'*'"quorate":1'*'}') quorum=yes ;;
  *'"cluster"'*) quorum=unread ;;
  '{"nodename"'*'}') quorum=yes ;;
  *) quorum=unread ;;
esac`;

/** Shell that ends a step unless /etc/pve is the mounted cluster file system and the node may write there now. */
export const stopUnlessWritable: Sh = sh`${pmxcfsType}
[ "$pmxcfs" = fuse ] || { say ${`${notMounted}; nothing was changed`}; exit 1; }
members=$(timeout -k 1 ${pmxcfsLimit} cat ./etc/pve/.members | tr -d ' \\t\\n')
${judgeMembers}
case $quorum in
  yes) ;;
  no) say ${`${noQuorum}; nothing was changed`}; exit 1 ;;
  *) say ${membersUnread}; exit 1 ;;
esac`;
