import { defineType } from '../model/resource.ts';
import { sh } from '../shell/sh.ts';
import { stateWord } from './properties.ts';

export interface PortSpec {
  readonly port: string;
  readonly address?: string;
  readonly state?: 'present' | 'absent';
}

/** Whether something listens, read from the kernel's own tables: no `ss` or `netstat` is needed. */
export const port = defineType<PortSpec>({
  name: 'port',
  about:
    'Something listens on a port, or nothing does. For checks. A port that is bound is not yet one that answers.',
  example: 'port: tcp:2049\n',
  checkOnly: true,
  needsLive: true,
  schema: {
    type: 'object',
    required: ['port'],
    additionalProperties: false,
    properties: {
      port: {
        type: 'string',
        pattern: '^(tcp|udp):[1-9][0-9]{0,4}$',
        description: '`tcp:22` or `udp:111`; IPv4 and IPv6 alike.',
      },
      address: {
        type: 'string',
        pattern: '^[0-9a-f.:]{2,45}$',
        description:
          'Must be reachable at this address: bound to it or to all addresses of its family (default: any).',
      },
      state: { ...stateWord, description: '`absent`: nothing may listen there (default present).' },
    },
  },
  identity,
  want: (spec) => {
    if (spec.state === 'absent') return null;
    return spec.address === undefined ? { listening: true } : { listening: true, address: spec.address };
  },
  observe: (specs) => {
    const rows = specs.map((spec) => {
      const [protocol = '', number = ''] = spec.port.split(':');
      const hex = Number(number).toString(16).toUpperCase().padStart(4, '0');
      return [identity(spec), protocol, hex].join('\t');
    });
    return sh`[ -n "$ROOT" ] || printf '%s\n' ${rows} | awk -F'\t' ${program}`;
  },
  read: (facts, spec, context) => {
    if (!context.live) return { unknown: 'there is no running system in a file tree' };
    if (facts.get('sockets') === undefined) return { unknown: 'the tables in /proc/net could not be read' };
    const bound = facts.all('bound').map(address);
    const serving = bound.filter((one) => spec.address === undefined || serves(one, spec.address));
    if (spec.state === 'absent')
      return { have: serving.length === 0 ? null : { listening: true, addresses: serving.join(', ') } };
    if (bound.length === 0) return { have: null };
    return {
      have: {
        listening: true,
        address: serving.length > 0 ? (spec.address ?? '') : bound.join(', '),
        addresses: bound.join(', '),
      },
    };
  },
  symptoms: (observed, spec) =>
    spec.port === nfs && spec.state !== 'absent' && 'have' in observed && observed.have === null
      ? [{ code: 'nfs-down', of: 'service:nfs', says: `nothing listens on ${nfs}` }]
      : [],
  steps: () => [],
});

/** The port of NFS: others wait for ever when nothing answers there. */
const nfs = 'tcp:2049';

function identity(spec: PortSpec): string {
  return spec.address === undefined ? spec.port : `${spec.port}@${spec.address}`;
}

/** A TCP socket listens in state 0A, a UDP socket that is not connected is in state 07. One row `sockets` says that we could look. */
const program = String.raw`
{ n++; id[n] = $1; want[n] = $2 ":" $3 }
END {
  split("tcp tcp6 udp udp6", tables, " ")
  for (t = 1; t <= 4; t++) {
    file = "./proc/net/" tables[t]
    protocol = substr(tables[t], 1, 3)
    state = protocol == "tcp" ? "0A" : "07"
    while ((getline text < file) > 0) {
      read[protocol] = 1
      split(text, part, /[ ]+/)
      offset = part[1] == "" ? 1 : 0
      split(part[2 + offset], place, ":")
      if (part[4 + offset] != state) continue
      name = protocol ":" place[2]
      if (seen[name, place[1]]++) continue
      found[name] = found[name] " " place[1]
    }
    close(file)
  }
  for (i = 1; i <= n; i++) {
    if (!(substr(want[i], 1, 3) in read)) continue
    print id[i] "\tsockets\tread"
    m = split(found[want[i]], list, " ")
    for (k = 1; k <= m; k++) print id[i] "\tbound\t" list[k]
  }
}`;

/** "0100007F" -> "127.0.0.1": the kernel prints each 32 bits of an address as a number in the byte order of a little-endian host. */
export function address(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return hex;
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255)
    return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return compress(groups);
}

/** The longest run of zero groups (two or more, the first of equals) becomes `::`. */
function compress(groups: readonly string[]): string {
  let best = { at: 0, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let length = 0;
    while (groups[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length < 2) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

function serves(bound: string, asked: string): boolean {
  if (bound === asked) return true;
  return asked.includes(':') ? bound === '::' : bound === '0.0.0.0' || bound === '::';
}
