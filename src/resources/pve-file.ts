import { defineType, type Facts, type SpecMistake } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { at, blob, lines, sh, sha256 } from '../shell/sh.ts';
import { noQuorum, notMounted, pmxcfsLimit, pmxcfsType, stopUnlessWritable } from './pmxcfs.ts';
import { parent, stateWord } from './properties.ts';

export interface PveFileSpec {
  readonly pve_file: string;
  readonly content?: string;
  readonly verify?: readonly string[];
  readonly state?: 'present' | 'absent';
}

const ofRoot = /^\/etc\/pve\/(nodes\/[^/]+\/)?priv\//;

/** The cluster file system takes no larger one. */
const largest = 1024 * 1024;

/** A file in the cluster file system of Proxmox VE. */
export const pveFile = defineType<PveFileSpec>({
  name: 'pve_file',
  about:
    'A file below /etc/pve, the cluster file system of Proxmox VE: at most 1 MiB, without mode and owner, which that sets itself. It is written only while it is mounted and the node has quorum, beside its place and then renamed. All nodes of a cluster have the same files: one node keeps each.',
  example: 'pve_file: /etc/pve/firewall/cluster.fw\ntemplate: firewall/cluster.fw.hbs\n',
  schema: {
    type: 'object',
    required: ['pve_file'],
    additionalProperties: false,
    if: { not: { properties: { state: { const: 'absent' } }, required: ['state'] } },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { required: ['content'] },
    properties: {
      pve_file: {
        type: 'string',
        pattern: '^/etc/pve(/(?!\\.{1,2}(/|$))[^/\\x00-\\x1f\\x7f]+)+$',
        maxLength: 255,
        description: 'Absolute path below /etc/pve. The directory it lies in must be there.',
      },
      content: {
        type: 'string',
        description: 'The whole content, usually given as `template:`. At most 1 MiB.',
      },
      verify: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description:
          'Command that must succeed on the new bytes before they are put in place; `{file}` stands for their path.',
      },
      state: { ...stateWord, description: '`absent` removes the file; a copy is kept (default present).' },
    },
  },
  needsLive: true,
  stepLimit: 60,
  mistakes,
  identity: (spec) => spec.pve_file,
  provides: (spec) =>
    spec.state === 'absent'
      ? [`path:${spec.pve_file}`]
      : [`path:${spec.pve_file}`, `content:${spec.pve_file}`],
  needs: (spec) => (spec.state === 'absent' ? [] : [`path:${parent(spec.pve_file)}`]),
  want: (spec) => (spec.state === 'absent' ? null : { type: 'file', sha256: sha256(spec.content ?? '') }),
  observe,
  read,
  refuse: ({ spec, have, context }) => {
    if (context.platform !== 'pve') return 'only Proxmox VE has the cluster file system in /etc/pve';
    if (have === null || have.type === 'file') return null;
    return `${spec.pve_file} is a ${have.type}, not a file; it is never removed to make room`;
  },
  steps: ({ spec, want }) => {
    const path = at(spec.pve_file);
    if (want === null)
      return [
        {
          about: `remove ${spec.pve_file} (a copy is kept)`,
          run: lines([stopUnlessWritable, sh`take_away ${path}`]),
        },
      ];
    return [{ about: `write ${spec.pve_file}`, run: lines([stopUnlessWritable, write(spec)]) }];
  },
  // Below priv/ lies what only root may read: what is there now may be a secret that the inventory does not know, and a report is kept.
  text: (spec) =>
    spec.state === 'absent' || ofRoot.test(spec.pve_file)
      ? null
      : { path: spec.pve_file, content: spec.content ?? '' },
  validator: (spec) =>
    spec.verify && spec.content !== undefined ? { argv: spec.verify, content: spec.content } : null,
});

/** Files that Proxmox locks, checks and writes anew itself: to write them directly is to lose its changes or ours. */
const owned: readonly (readonly [RegExp, string])[] = [
  [/^storage\.cfg$/, 'use pve_storage'],
  [/^jobs\.cfg$/, 'use pve_backup_job'],
  [/^(nodes\/[^/]+\/)?(qemu-server|lxc)\//, 'it is the configuration of a guest; use pve_guest_option'],
  [/^user\.cfg$|^domains\.cfg$|^priv\/(shadow|tfa|token|acme)/, 'users and rights are changed with pveum'],
  [
    /^corosync\.conf/,
    'a wrong one takes the whole cluster down; it is changed by hand, with its version raised',
  ],
  [/^priv\/storage\//, 'it belongs to a storage; use pve_storage'],
  [/^priv\/lock(\/|$)/, 'these are the locks of the cluster'],
  [
    /(^|\/)(authkey|pve-root-ca|pve-www|pve-ssl|pveproxy-ssl)\b/,
    'keys and certificates are made by Proxmox: pvecm updatecerts, pvenode cert',
  ],
  [/^\.|^local(\/|$)/, 'it is made by the file system itself'],
];

function mistakes(spec: PveFileSpec): SpecMistake[] {
  const path = spec.pve_file.slice('/etc/pve/'.length);
  const owner = owned.find(([pattern]) => pattern.test(path));
  const found: SpecMistake[] = [];
  if (owner !== undefined)
    found.push({ at: ['pve_file'], says: 'is a file that Proxmox keeps itself', hint: owner[1] });
  const size = Buffer.byteLength(spec.content ?? '');
  if (size > largest)
    found.push({ at: [], says: `has ${size} bytes, and the cluster file system takes at most ${largest}` });
  return found;
}

/** One question for all files: `file HASH`, `absent`, `no-directory`, or `kind` for what is no file; and whether writes are possible. */
function observe(specs: readonly PveFileSpec[]): Sh {
  const paths = specs.map((spec) => spec.pve_file);
  const question = sh`case "$(tr -d ' \\t\\n' <./etc/pve/.members)" in
  '{"nodename"'*'"quorate":0'*'}') quorate=no ;;
  '{"nodename"'*'"quorate":1'*'}') quorate=yes ;;
  *'"cluster"'*) exit 3 ;;
  '{"nodename"'*'}') quorate=yes ;;
  *) exit 3 ;;
esac
for path in ${paths}; do
  printf '%s\\tquorate\\t%s\\n' "$path" "$quorate"
  if [ -d ".$path" ]; then printf '%s\\tkind\\tdirectory\\n' "$path"
  elif [ -f ".$path" ]; then
    hash=$(sha256sum <".$path") && printf '%s\\tsha256\\t%s\\n' "$path" "\${hash%% *}" || printf '%s\\tunknown\\tit could not be read\\n' "$path"
  elif [ -e ".$path" ] || [ -L ".$path" ]; then printf '%s\\tkind\\tlink or device\\n' "$path"
  else
    printf '%s\\tabsent\\t1\\n' "$path"
    [ -d ".\${path%/*}" ] || printf '%s\\tno-directory\\t1\\n' "$path"
  fi
done`;
  return sh`${pmxcfsType}
if [ "$pmxcfs" != fuse ]; then
  for path in ${paths}; do printf '%s\\tmounted\\t%s\\n' "$path" "\${pmxcfs:-no}"; done
else
  rc=0
  seen=$(ask pmxcfs ${pmxcfsLimit} ${question.text}) || rc=$?
  case $rc in
    0) printf '%s\\n' "$seen" ;;
    124) for path in ${paths}; do printf '%s\\tunknown\\tno answer in ${pmxcfsLimit} s: /etc/pve hangs\\n' "$path"; done ;;
    *) for path in ${paths}; do printf '%s\\tunknown\\t/etc/pve/.members could not be read\\n' "$path"; done ;;
  esac
fi`;
}

/** What is not seen in an /etc/pve that is not mounted is not gone. */
function read(facts: Facts): Observed {
  if (facts.get('mounted') !== undefined) return { unknown: notMounted };
  const reason = facts.get('unknown');
  if (reason !== undefined) return { unknown: reason };
  const quorate = facts.get('quorate');
  if (quorate !== 'yes' && quorate !== 'no') return { unknown: 'the host said nothing about it' };
  const blocked = quorate === 'no' ? { blocked: `${noQuorum}; nothing is changed` } : {};
  const kind = facts.get('kind');
  if (kind !== undefined) return { have: { type: kind }, ...blocked };
  const hash = facts.get('sha256');
  if (hash !== undefined) return { have: { type: 'file', sha256: hash }, ...blocked };
  if (facts.get('absent') === undefined) return { unknown: 'the host said nothing about it' };
  if (facts.get('no-directory') === undefined) return { have: null, ...blocked };
  return {
    have: null,
    blocked: 'the directory it belongs in does not exist, and no resource makes it',
    ...blocked,
  };
}

/** No mode, owner or flushing: the file system has its own, and refuses others. The temporary name must lie in the same directory. */
function write(spec: PveFileSpec): Sh {
  const path = at(spec.pve_file);
  const above = at(parent(spec.pve_file));
  return sh`inside ${above}
temp=${above}/.provision.$RUN.$CHANGE.new
printf '%s\\n' "$temp" >>"$RUNDIR/temps"
keep ${path}
if (set -C; cat ${blob(spec.content ?? '')} >"$temp") && mv -T -- "$temp" ${path}; then :; else
  rm -f -- "$temp"
  say ${`${spec.pve_file} could not be written; it is as it was`}
  exit 1
fi`;
}
