import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';
import { causeOf } from './task-log-causes.ts';

export interface StorageActiveSpec {
  readonly storage_active: string;
}

/** Seconds for the one question about all storages; one that hangs holds up the answer about all. */
const limit = 30;

/** Whether Proxmox VE can use a storage now. */
export const storage_active = defineType<StorageActiveSpec>({
  name: 'storage_active',
  about:
    'Whether a storage of Proxmox VE can be used now, as `pvesm status` says: active, inactive, disabled, or not there. What it complains of is told.',
  example: 'storage_active: pbs-pihanga\n',
  checkOnly: true,
  needsLive: true,
  tools: ['pvesm'],
  schema: {
    type: 'object',
    required: ['storage_active'],
    additionalProperties: false,
    properties: {
      storage_active: {
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9._-]*$',
        description: 'Id of the storage.',
      },
    },
  },
  limit: () => limit + 5,
  identity: (spec) => spec.storage_active,
  want: () => ({ status: 'active' }),
  observe,
  read,
  symptoms,
  steps: () => [],
});

/**
 * The exit code is 0 whatever the storages do, and what is wrong with one stands on stderr, often without its name. A line there that
 * begins with the name of another storage, or quotes it, is about that one.
 */
function observe(specs: readonly StorageActiveSpec[]): Sh {
  const ids = specs.map((spec) => `id\t${spec.storage_active}`);
  return sh`scratch
rc=0
said=$(ask pvesm ${limit} ${question} "$SCRATCH/pvesm") || rc=$?
{
printf 'rc\t%s\n' "$rc"
printf '%s\n' "$said"
printf '%s\n' ${ids}
} | awk ${judge}`;
}

const question = `rc=0
pvesm status 2>"$1" || rc=$?
sed 's/^/E /' "$1"
exit "$rc"`;

const judge = String.raw`
/^rc\t/ && rc == "" { rc = substr($0, 4); next }
/^id\t/ { ids[++n] = substr($0, 4); next }
/^E / { said[++m] = substr($0, 3); next }
$3 ~ /^(active|inactive|disabled)$/ { status[$1] = $3; next }
/^Name +Type +Status/ { head = 1 }
function about(text, id) { return index(text, id ":") == 1 || index(text, "'" id "'") > 0 }
END {
  for (i = 1; i <= n; i++) {
    id = ids[i]
    if (rc == 124) { print id "\tunknown\tno answer in ${limit} s: a storage of this node hangs"; continue }
    if (rc != 0 || !head) { print id "\tunknown\tpvesm status ended with " rc (m ? ": " said[1] : ""); continue }
    print id "\tstatus\t" (id in status ? status[id] : "absent")
    if (status[id] == "active") continue
    for (j = 1; j <= m; j++) {
      other = 0
      for (one in status) if (one != id && about(said[j], one)) other = 1
      gsub(/[\t\r]/, " ", said[j])
      if (!other || about(said[j], id)) print id "\tsaid\t" substr(said[j], 1, 400)
    }
  }
}`;

function read(facts: Facts): Observed {
  const status = facts.get('status');
  if (status === undefined || !['active', 'inactive', 'disabled', 'absent'].includes(status))
    return { unknown: 'pvesm status gave no answer that can be read' };
  const said = facts.all('said');
  const mend = causeOf(said.join('\n'));
  return {
    have: {
      status,
      ...(said.length === 0 ? {} : { says: said.join('\n') }),
      ...(mend === undefined ? {} : { mend: `${mend.cause}; ${mend.remedy}` }),
    },
  };
}

/** One that was switched off, or is not there, is a matter of this host's configuration. */
function symptoms(observed: Observed, spec: StorageActiveSpec): Symptom[] {
  if ('unknown' in observed || observed.have?.status !== 'inactive') return [];
  const says = String(observed.have.says ?? 'pvesm status calls it inactive');
  const code = causeOf(says)?.code === 'fingerprint' ? 'fingerprint' : 'storage-inactive';
  return [{ code, of: `storage:${spec.storage_active}`, says }];
}
