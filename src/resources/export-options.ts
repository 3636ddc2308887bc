/** Who may mount, and how. */
export interface Client {
  readonly client: string;
  readonly options: readonly string[];
}

/** Words that exclude each other, the default first. */
const choices = [
  ['ro', 'rw'],
  ['sync', 'async'],
  ['wdelay', 'no_wdelay'],
  ['hide', 'nohide'],
  ['nocrossmnt', 'crossmnt'],
  ['no_subtree_check', 'subtree_check'],
  ['secure', 'insecure'],
  ['root_squash', 'no_root_squash'],
  ['no_all_squash', 'all_squash'],
  ['secure_locks', 'insecure_locks'],
  ['acl', 'no_acl'],
  ['no_pnfs', 'pnfs'],
  ['rdirplus', 'nordirplus'],
  ['', 'security_label'],
] as const;

const valued: Readonly<Record<string, string>> = { anonuid: '65534', anongid: '65534', sec: 'sys' };

/** Everything that may be written between the parentheses. A misspelt option drops its whole line, and with it the export. */
export const optionPattern = `^(${choices
  .flat()
  .filter((word) => word !== '')
  .join(
    '|',
  )}|anonuid=[0-9]{1,10}|anongid=[0-9]{1,10}|sec=(sys|krb5|krb5i|krb5p)(:(sys|krb5|krb5i|krb5p))*|fsid=([0-9]+|root|[0-9a-fA-F:-]{16,36})|(mountpoint|mp)(=/[^\\s,()"\\\\#]+)?)$`;

/** Address, network, host name, wildcard, netgroup: nothing that could end the word or open a parenthesis. */
export const clientPattern =
  '^(\\*|@[A-Za-z0-9._-]+|[A-Za-z0-9*?._-]+|[0-9.]+/[0-9.]+|[0-9A-Fa-f:]+(/[0-9]{1,3})?)$';

/**
 * One form for what means the same: defaults left out, the access word first, the rest sorted. `["no_root_squash", "rw", "sync"]`
 * -> "rw,no_root_squash". Later words win, as for the kernel's table, which repeats some after `sec=`.
 */
export function canonicalOptions(options: readonly string[]): string {
  let access = 'ro';
  const kept = new Map<string, string>();
  for (const option of options.filter((word) => word !== '')) {
    if (option === 'ro' || option === 'rw') {
      access = option;
      continue;
    }
    const choice = choices.find((words) => (words as readonly string[]).includes(option));
    if (choice !== undefined) {
      if (option === choice[0]) kept.delete(choice[1]);
      else kept.set(choice[1], option);
      continue;
    }
    const [name = '', ...rest] = option
      .replace(/^mp(?==|$)/, 'mountpoint')
      .replace(/^fsid=root$/, 'fsid=0')
      .split('=');
    const value = rest.join('=');
    if (valued[name] === value) kept.delete(name);
    else kept.set(name, rest.length > 0 ? `${name}=${value}` : name);
  }
  return [access, ...[...kept.values()].sort()].join(',');
}

/** One name for what means the same client: "<world>" -> "*", "10.1.2.3/255.255.0.0" -> "10.1.0.0/16", IPv6 compressed. */
export function canonicalClient(client: string): string {
  if (client === '<world>') return '*';
  const [address = '', mask] = client.split('/');
  if (/^[0-9.]+$/.test(address)) return ipv4(address, mask);
  if (!address.includes(':')) return client.toLowerCase();
  const host = URL.canParse(`http://[${address}]/`)
    ? new URL(`http://[${address}]/`).hostname
    : `[${address}]`;
  const short = host.slice(1, -1);
  return mask === undefined || mask === '128' ? short : `${short}/${mask}`;
}

function ipv4(address: string, mask: string | undefined): string {
  const number = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const bits = mask?.includes('.') ? 32 - Math.log2(2 ** 32 - number(mask)) : Number(mask ?? 32);
  if (bits === 32 || !Number.isInteger(bits) || bits < 0 || bits > 32) return address;
  const size = 2 ** (32 - bits);
  const base = Math.floor(number(address) / size) * size;
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256);
  return `${parts.join('.')}/${bits}`;
}

/** "10.10.0.0/24(rw,no_root_squash) *(ro)": the whole set, in an order of its own. */
export function canonicalClients(clients: readonly Client[]): string {
  return clients
    .map(({ client, options }) => `${canonicalClient(client)}(${canonicalOptions(options)})`)
    .sort()
    .join(' ');
}

/** `10.10.0.0/24(rw,sync)` as the table of exports writes it. */
export function parseClient(text: string): Client {
  const [, client = '', options = ''] = /^(.*?)(?:\((.*)\))?$/.exec(text) ?? [];
  return { client, options: options.split(',') };
}

/** Path as /etc/exports carries it: blanks, quotes and the mark of a comment in octal. */
function exportsPath(path: string): string {
  return path.replace(/[\s"#\\]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** The one line of our file. `no_subtree_check` is written out: left to its default, exportfs warns about every line. */
export function exportsText(path: string, clients: readonly Client[]): string {
  const words = clients.map(({ client, options }) => {
    const check = options.some((option) => option.endsWith('subtree_check')) ? [] : ['no_subtree_check'];
    return ` ${client}(${[...options, ...check].join(',')})`;
  });
  return `# Kept by provision: changes made here are undone.\n${exportsPath(path)}${words.join('')}\n`;
}

/** /etc/exports.d/provision-srv-nfs.exports. Other endings, and names with a dot in front, are ignored without a word. */
export function exportsFile(path: string): string {
  const name = path
    .slice(1)
    .replace(/[^A-Za-z0-9./_]/gu, (letter) =>
      [...Buffer.from(letter)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    )
    .replaceAll('/', '-');
  return `/etc/exports.d/provision-${name}.exports`;
}
