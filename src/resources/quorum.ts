import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Observed } from '../model/state.ts';
import { sh } from '../shell/sh.ts';

export interface QuorumSpec {
  readonly quorum: true;
}

/** Seconds for reading below /etc/pve. */
const limit = 5;

/** Whether a node of Proxmox VE may change anything below /etc/pve. */
export const quorum = defineType<QuorumSpec>({
  name: 'quorum',
  about:
    'Whether /etc/pve is the cluster file system and the node has a say in it. Without quorum every write there fails, even for root; with the service down /etc/pve is an ordinary, empty directory. A node on its own is always quorate.',
  example: 'quorum: true\n',
  checkOnly: true,
  needsLive: true,
  schema: {
    type: 'object',
    required: ['quorum'],
    additionalProperties: false,
    properties: { quorum: { const: true, description: 'Always `true`: there is one for each node.' } },
  },
  limit: () => limit + 2,
  identity: () => '/etc/pve',
  want: () => ({ mounted: true, quorate: true }),
  observe: () => sh`awk '
  $5 == "/etc/pve" { split(substr($0, index($0, " - ") + 3), part, " "); type = part[1] }
  END { print "/etc/pve\tmounted\t" (type ~ /^fuse/ ? "yes" : "no") }
' /proc/self/mountinfo
rc=0
said=$(ask pmxcfs ${limit} 'tr "\n\t" "  " </etc/pve/.members') || rc=$?
case $rc in
  0) printf '/etc/pve\tmembers\t%s\n' "$said" ;;
  124) printf '/etc/pve\tunknown\tno answer in %s s: the cluster file system hangs\n' ${limit} ;;
esac`,
  read,
  symptoms,
  steps: () => [],
});

function read(facts: Facts): Observed {
  const mounted = facts.get('mounted');
  if (mounted === 'no')
    return {
      have: {
        mounted: false,
        quorate: false,
        says: 'pve-cluster does not run, or its file system is not mounted',
      },
    };
  if (mounted !== 'yes') return { unknown: 'the table of mounts could not be read' };
  const members = parsed(facts.get('members') ?? '');
  if (members === undefined) return { unknown: '/etc/pve/.members could not be read' };
  // A node that never joined a cluster has no such part, and is always quorate.
  const { cluster } = members;
  if (cluster === undefined) return { have: { mounted: true, quorate: true } };
  const quorate = [1, '1', true].includes(cluster.quorate as number);
  return { have: { mounted: true, quorate, cluster: String(cluster.name ?? '') } };
}

interface Members {
  readonly nodename: unknown;
  readonly cluster?: { readonly name?: unknown; readonly quorate?: unknown };
}

function parsed(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'nodename' in value
      ? (value as Members)
      : undefined;
  } catch {
    return undefined;
  }
}

function symptoms(observed: Observed): Symptom[] {
  if ('unknown' in observed || observed.have === null || observed.have.quorate === true) return [];
  const { cluster, mounted } = observed.have;
  const says = mounted === true ? 'the cluster has no quorum' : 'the cluster file system is not mounted';
  return [{ code: 'no-quorum', of: `cluster:${cluster ?? 'node'}`, says }];
}
