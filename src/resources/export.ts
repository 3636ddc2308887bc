import type { Context } from '../model/host.ts';
import { type Change, defineType, type Facts, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed, State } from '../model/state.ts';
import { eachPath } from '../shell/paths.ts';
import { at, blob, sh, sha256 } from '../shell/sh.ts';
import {
  type Client,
  canonicalClient,
  canonicalClients,
  clientPattern,
  exportsFile,
  exportsText,
  optionPattern,
  parseClient,
} from './export-options.ts';
import { pathSchema, stateWord } from './properties.ts';
import { readStat } from './stat.ts';

export interface ExportSpec {
  readonly export: string;
  readonly clients?: readonly Client[];
  readonly state?: 'present' | 'absent';
}

/** A directory that the NFS server of this host exports. */
export const nfsExport = defineType<ExportSpec>({
  name: 'export',
  about:
    'A directory that the NFS server exports, with the whole set of its clients. It has a file of its own in /etc/exports.d; what the server really exports is compared by meaning.',
  example: `export: /srv/nfs
clients:
  - {client: 10.10.0.0/24, options: [rw, no_root_squash]}
  - {client: 10.10.0.151, options: [ro]}
`,
  schema: {
    type: 'object',
    required: ['export'],
    additionalProperties: false,
    if: { not: { properties: { state: { const: 'absent' } }, required: ['state'] } },
    // biome-ignore lint/suspicious/noThenProperty: a word of JSON Schema
    then: { required: ['clients'] },
    properties: {
      export: { ...pathSchema, description: 'Absolute path of the directory.' },
      clients: {
        type: 'array',
        minItems: 1,
        description: 'All clients; one that is not listed here is no longer served.',
        items: {
          type: 'object',
          required: ['client', 'options'],
          additionalProperties: false,
          properties: {
            client: {
              type: 'string',
              pattern: clientPattern,
              description: 'Address, network (10.10.0.0/24), full host name, *, or @netgroup.',
            },
            options: {
              type: 'array',
              minItems: 1,
              items: { type: 'string', pattern: optionPattern },
              description: 'As in exports(5): rw, no_root_squash, ...',
            },
          },
        },
      },
      state: { ...stateWord, description: '`absent` stops exporting it (default present).' },
    },
  },
  stepLimit: 60,
  shared: ['live'],
  identity: (spec) => spec.export,
  provides: (spec) => {
    const file = exportsFile(spec.export);
    const places = [`export:${spec.export}`, `path:${file}`];
    return spec.state === 'absent' ? places : [...places, `content:${file}`];
  },
  needs: (spec) => [`path:${spec.export}`, 'path:/etc/exports.d', 'package:nfs-kernel-server'],
  want: wanted,
  observe,
  read,
  refuse,
  steps,
  text: (spec) =>
    spec.state === 'absent'
      ? null
      : { path: exportsFile(spec.export), content: exportsText(spec.export, spec.clients ?? []) },
});

function wanted(spec: ExportSpec, context: Context): State | null {
  if (spec.state === 'absent') return null;
  const clients = spec.clients ?? [];
  const file = {
    file: sha256(exportsText(spec.export, clients)),
    mode: '0644',
    owner: 'root',
    group: 'root',
    elsewhere: 'no',
  };
  return context.live ? { ...file, clients: canonicalClients(clients) } : file;
}

/**
 * Our files by their path, the table of exports, and other files that name the same directory. The table is read from
 * /var/lib/nfs/etab: `exportfs -s` prints from it, but older versions leave out `insecure`.
 */
function observe(specs: readonly ExportSpec[]): Sh {
  const rows = specs.map((spec) => `${spec.export}\t${exportsFile(spec.export)}`);
  const files = eachPath(
    specs.map((spec) => exportsFile(spec.export)),
    'stat_paths "$@"\nhash_paths "$@"',
  );
  return sh`export ROOT
{
printf 'export\t%s\n' ${rows}
{
${files}
} | awk '{ print "file\t" $0 }'
if [ -n "$ROOT" ]; then :
elif ! command -v exportfs >/dev/null; then printf 'server\tno exportfs\n'
elif [ -f /var/lib/nfs/etab ] && [ ! -r /var/lib/nfs/etab ]; then printf 'server\tunreadable\n'
elif [ -f /var/lib/nfs/etab ]; then awk '{ print "live\t" $0 }' /var/lib/nfs/etab; fi
set +f
for f in ./etc/exports ./etc/exports.d/*.exports; do
  [ ! -f "$f" ] || awk -v file="\${f#.}" '
    { gsub(/\t/, " "); line = line $0 }
    sub(/\\\\$/, "", line) { next }
    { sub(/^ +/, "", line); if (line != "" && line !~ /^#/) print "elsewhere\t" file "\t" line; line = "" }' "$f"
done
} | awk ${judge}`;
}

const judge = `BEGIN { FS = "\\t"; OFS = "\\t" }
function plain(text,  out) {
  out = ""
  while (match(text, /\\\\[0-7][0-7][0-7]/)) {
    out = out substr(text, 1, RSTART - 1) sprintf("%c", substr(text, RSTART + 1, 1) * 64 + substr(text, RSTART + 2, 1) * 8 + substr(text, RSTART + 3, 1))
    text = substr(text, RSTART + 4)
  }
  return out text
}
function first(line,  end) {
  if (substr(line, 1, 1) == "\\"") { line = substr(line, 2); end = index(line, "\\"") } else end = index(line, " ")
  return plain(end ? substr(line, 1, end - 1) : line)
}
$1 == "export" { n++; id[n] = $2; file[n] = $3; next }
$1 == "file" { m = ++facts[$2]; fact[$2, m] = $3 "\\t" $4; next }
$1 == "server" { server = $2; next }
$1 == "live" { p = plain($2); live[p] = live[p] "\\n" $3; next }
$1 == "elsewhere" { p = first($3); where[p] = where[p] "\\n" $2 }
END {
  for (i = 1; i <= n; i++) {
    for (j = 1; j <= facts[file[i]]; j++) print id[i], fact[file[i], j]
    if (server == "unreadable") print id[i], "unknown", "/var/lib/nfs/etab could not be read"
    else if (server != "") print id[i], "server", server
    m = split(live[id[i]], part, "\\n")
    for (j = 2; j <= m; j++) print id[i], "live", part[j]
    m = split(where[id[i]], part, "\\n")
    for (j = 2; j <= m; j++) if (part[j] != file[i]) print id[i], "elsewhere", part[j]
  }
}`;

function read(facts: Facts, spec: ExportSpec, context: Context): Observed {
  const file = readStat(facts, {});
  if ('unknown' in file) return file;
  const clients = canonicalClients(
    facts.all('live').map((text) => named(parseClient(text), spec.clients ?? [])),
  );
  const elsewhere = facts.get('elsewhere');
  if (file.have === null && clients === '' && (spec.state === 'absent' || elsewhere === undefined))
    return { have: null };
  return {
    have: {
      ...(file.have ?? {}),
      ...(file.have === null ? {} : { file: facts.get('sha256') ?? String(file.have.type) }),
      ...(context.live ? { clients } : {}),
      elsewhere: elsewhere ?? 'no',
    },
  };
}

/** The server turns a host's short name into its full one: it is the same client. */
function named(live: Client, wanted: readonly Client[]): Client {
  const name = canonicalClient(live.client);
  const short = wanted.find(
    ({ client }) => name.startsWith(`${canonicalClient(client)}.`) && /[a-z]/i.test(client),
  );
  return short === undefined ? live : { ...live, client: short.client };
}

function refuse({ spec, have, context }: Change<ExportSpec>): string | null {
  if (context.platform === 'truenas')
    return 'any file in /etc/exports.d keeps TrueNAS from starting its NFS server; use its own NFS shares';
  if (context.platform === 'synology')
    return 'DSM writes /etc/exports from its own NFS rules and would undo this; set the rules of the share there';
  if (typeof have?.elsewhere === 'string' && have.elsewhere !== 'no')
    return `${spec.export} is also exported by ${have.elsewhere}; remove it there first, or its clients would be mixed`;
  if (have?.type !== undefined && have.type !== 'file')
    return `${exportsFile(spec.export)} is a ${have.type}, not a file`;
  return null;
}

function steps({ spec, have, want, differs, context }: Change<ExportSpec>): Step[] {
  const file = exportsFile(spec.export);
  const write = ['file', 'mode', 'owner', 'group'].some((name) => differs.includes(name));
  const steps: Step[] = [];
  if (want === null && have?.file !== undefined)
    steps.push({ about: `remove ${file} (a copy is kept)`, run: sh`take_away ${at(file)}` });
  const names = (spec.clients ?? []).map(({ client }) => client).filter(isName);
  if (want !== null && context.live && names.length > 0)
    steps.push({ about: 'resolve the names of the clients', run: sh`${resolve}\nresolve ${names}` });
  if (want !== null && write)
    steps.push({
      about: `write ${file}`,
      run: sh`[ -d ./etc/exports.d ] || mkdir -m 0755 ./etc/exports.d
put ${blob(exportsText(spec.export, spec.clients ?? []))} ${at(file)} 0644 root:root`,
    });
  if (context.live) steps.push({ about: 'exportfs -ra', run: reexport });
  return steps;
}

/** A full host name: no address, network, wildcard or netgroup. */
function isName(client: string): boolean {
  return /[A-Za-z]/.test(client) && !/[:*?@/]/.test(client);
}

/** Before anything is written: with a name that does not resolve, the clients of today would lose what they have mounted. */
const resolve = sh`resolve() {
  command -v getent >/dev/null || return 0
  for name do
    timeout -k 1 10 getent ahosts "$name" >/dev/null || { say "the client $name does not resolve; nothing was changed"; exit 1; }
  done
}`;

/** Its exit code is 0 for a client that cannot be resolved: any text is a failure, except a remark about a default we share. */
const reexport = sh`command -v exportfs >/dev/null || {
  say 'exportfs is not installed: this host has no NFS server (nfs-kernel-server)'
  exit 1
}
said=$(exportfs -ra 2>&1) && rc=0 || rc=$?
said=$(printf '%s\n' "$said" | awk '
  /Neither .subtree_check. or .no_subtree_check. specified/ { skip = 1; next }
  skip && /^ *(Assuming default|NOTE:)/ { next }
  { skip = 0 }
  $0 != "" { print }')
[ "$rc" -eq 0 ] && [ -z "$said" ] || { say "exportfs -ra: $said"; exit 1; }`;
