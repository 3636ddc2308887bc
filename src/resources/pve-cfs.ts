import type { Sh } from '../model/sh.ts';
import { sh } from '../shell/sh.ts';

/** Seconds for reading below /etc/pve: a FUSE mount whose daemon waits for the cluster answers nobody. */
const readLimit = 5;

/**
 * Runs shell text in ./etc/pve; what it prints is afterwards in $seen, $lost says why there is nothing. While pve-cluster does not run,
 * /etc/pve is an ordinary empty directory, and what is missing there is not gone: only the mounted one has the files `.version` and
 * `.members`.
 */
export function readCfs(text: string): Sh {
  const inside = `cd ./etc/pve 2>/dev/null && { [ -e .version ] || [ -e .members ]; } || exit 3
${text}`;
  return sh`rc=0
seen=$(ask pmxcfs ${readLimit} ${inside}) || rc=$?
lost=
case $rc in
  0) ;;
  3) lost='/etc/pve is not mounted: pve-cluster does not run on this host' ;;
  124) lost='no answer in ${readLimit} s: /etc/pve hangs' ;;
  *) lost='/etc/pve could not be read' ;;
esac`;
}
