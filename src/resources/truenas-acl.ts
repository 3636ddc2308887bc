import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { lines, sh } from '../shell/sh.ts';
import { midcltLimit, poolPathPattern } from './midclt.ts';

export interface TruenasAclSpec {
  readonly truenas_acl: string;
  readonly trivial: true;
}

/** Whether a directory has an ACL that says more than its mode. Observed, never changed: taking it away changes who may read the data. */
export const truenasAcl = defineType<TruenasAclSpec>({
  name: 'truenas_acl',
  about:
    'Whether a directory on TrueNAS has no ACL beyond its mode. With one, a chmod fails under aclmode RESTRICTED, and new files inherit it. The procedure nfs/repair-permissions takes it away.',
  example: 'truenas_acl: /mnt/tank/backup\ntrivial: true\n',
  checkOnly: true,
  needsLive: true,
  tools: ['midclt'],
  schema: {
    type: 'object',
    required: ['truenas_acl', 'trivial'],
    additionalProperties: false,
    properties: {
      truenas_acl: {
        type: 'string',
        pattern: poolPathPattern,
        maxLength: 1023,
        description: 'Absolute path of the directory.',
      },
      trivial: { enum: [true], description: 'It has no ACL beyond its mode.' },
    },
  },
  limit: () => midcltLimit + 2,
  identity: (spec) => spec.truenas_acl,
  want: () => ({ trivial: true }),
  observe,
  read,
  steps: () => [],
});

function observe(specs: readonly TruenasAclSpec[]): Sh {
  const paths = [...new Set(specs.map((spec) => spec.truenas_acl))];
  return lines(
    paths.map(
      (
        path,
      ) => sh`said=$(ask midclt ${midcltLimit} 'midclt call filesystem.getacl "$1" 2>&1' ${path}) && rc=0 || rc=$?
case $rc:$said in
  124:*) printf '%s\tunknown\tno answer in ${midcltLimit} s: the middleware does not answer\n' ${path} ;;
  0:*'"trivial": true'* | 0:*'"trivial":true'*) printf '%s\ttrivial\tyes\n' ${path} ;;
  0:*'"trivial": false'* | 0:*'"trivial":false'*) printf '%s\ttrivial\tno\n' ${path} ;;
  *) printf '%s\tunknown\tfilesystem.getacl of the middleware failed: %s\n' ${path} "$(printf '%s\n' "$said" | head -n 1)" ;;
esac`,
    ),
  );
}

function read(facts: Facts): Observed {
  const trivial = facts.get('trivial');
  if (trivial !== 'yes' && trivial !== 'no') return { unknown: 'filesystem.getacl was not answered' };
  return { have: { trivial: trivial === 'yes' } };
}
