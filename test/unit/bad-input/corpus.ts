import { base, type Tree } from './tree.ts';

const site = 'inventory/site.yaml';
const group = 'inventory/groups/web.yaml';
const host = 'inventory/hosts/one.yaml';
const role = 'roles/web/role.yaml';
const template = 'templates/web/title.hbs';

function textOf(path: string): string {
  const content = base[path];
  return typeof content === 'string' ? content : '';
}

/** The file of the base with a piece replaced. */
function edit(path: string, from: string, to: string): Tree {
  const text = textOf(path);
  if (!text.includes(from)) throw new Error(`"${from}" is not in ${path}`);
  return { [path]: text.replace(from, () => to) };
}

function add(path: string, more: string): Tree {
  return { [path]: `${textOf(path)}${more}` };
}

/** One more entry under `resources:` of the role. */
const resource = (entry: string): Tree => add(role, entry);
const checks = (entry: string): Tree => add(role, `checks:\n${entry}`);
const page = (text: string): Tree => ({ [template]: text });
const title = (value: string): Tree => edit(host, 'title: Hello', `title: ${value}`);

/** Name of the mistake -> the tree that has it. */
export const corpus: Readonly<Record<string, Tree>> = {
  // The bytes of a file
  'byte order mark': { [host]: `\ufeff${textOf(host)}` },
  'CR LF': { [host]: textOf(host).replaceAll('\n', '\r\n') },
  'not UTF-8': { [host]: Buffer.concat([Buffer.from('host: one\nplatform: p'), Buffer.from([0xe9, 0x0a])]) },
  'NUL byte': { [host]: 'host: one\nplatform: pve\0\n' },
  'NUL by escape': title('"a\\0b"'),
  'half a surrogate pair': title('"a\\ud800b"'),
  'empty file': { [host]: '' },
  'file too large': { [host]: `host: one\n${'#'.repeat(79).concat('\n').repeat(60_000)}` },
  'directory in place of a file': { [host]: null, 'inventory/hosts/one.yaml/x': 'a' },
  'site.yaml missing': { [site]: null },

  // YAML
  'tab as indentation': { [host]: 'host: one\nconnection:\n\taddress: 10.0.0.1\n' },
  'same key twice': add(host, 'host: two\n'),
  'unclosed quote': { [host]: 'host: "one\nplatform: pve\n' },
  'unclosed list': { [host]: 'host: one\nplatform: pve\ngroups: [web\n' },
  'two documents': { [host]: 'host: one\n---\nhost: two\n' },
  'unknown tag': title('!vault abc'),
  'known tag': title('!!str abc'),
  anchor: title('&a abc'),
  alias: { [host]: 'host: &h one\nplatform: *h\n' },
  'alias bomb': {
    [host]: `a: &a [x, x, x]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`).join('\n')}\n`,
  },
  'no colon': edit(host, 'platform: pve', 'platform pve'),
  'no blank behind the colon': edit(host, 'platform: pve', 'platform:pve'),
  'indented too deep': edit(host, 'groups: [web]', '  groups: [web]'),
  'indented as if below a value': edit(host, 'platform: pve', '  platform: pve'),
  'two keys on a line': title('a: b'),
  'very deep': { [host]: '['.repeat(5000) },
  'deeper than a person writes': { [host]: `${'['.repeat(60)}${']'.repeat(60)}` },
  '__proto__ as a key': { [host]: 'host: one\n__proto__: {platform: pve}\n' },
  'list as a key': { [host]: 'host: one\n? [a, b]\n: 1\n' },
  'merge key': add(host, '<<: {groups: [web]}\n'),
  'a list in place of a map': { [host]: '- host: one\n' },

  // Numbers and words that YAML reads otherwise
  'mode without quotes': resource('  - file: /a\n    content: x\n    mode: 0644\n'),
  'mode as a plain number': resource('  - file: /a\n    content: x\n    mode: 644\n'),
  'octal with o': resource('  - file: /a\n    content: x\n    mode: 0o755\n'),
  'long serial': add(host, 'disks: [{serial: 12345678901234567890}]\n'),
  'serial with e': add(host, 'disks: [{serial: 5e10}]\n'),
  'version number': title('1.10'),
  'number where text belongs': title('42'),
  'word where a number belongs': edit(host, 'address: 10.0.0.1', 'address: 10.0.0.1\n  port: "22"'),
  infinity: title('.inf'),

  // Keys and values of the inventory
  'unknown key': add(host, 'platfrom: pve\n'),
  'missing key': edit(host, 'platform: pve\n', ''),
  'wrong platform word': edit(host, 'platform: pve', 'platform: proxmox'),
  'wrong kind of value': edit(host, 'groups: [web]', 'groups: web'),
  'address that is an option': edit(host, '10.0.0.1', '-oProxyCommand=x'),
  'address missing': edit(host, '  address: 10.0.0.1', '  user: root'),
  'password in clear': edit(host, '  address: 10.0.0.1', '  address: 10.0.0.1\n  password: letmein'),
  'unknown disk key': add(host, 'disks: [{serial: A1, serail: A2}]\n'),
  'unknown group': edit(host, 'groups: [web]', 'groups: [wbe]'),
  'group file that nobody lists': { 'inventory/groups/wep.yaml': 'group: wep\n' },
  'name differs from file': edit(host, 'host: one', 'host: two'),
  'file name with capital': { 'inventory/hosts/Two.yaml': 'host: two\n' },
  'file with other ending': { 'inventory/hosts/two.yml': 'host: two\n' },
  'host name as a path': edit(host, 'host: one', 'host: ../../x'),

  // What site.yaml says of rules and data
  'two guests of one number': add(host, 'guests:\n  - {vmid: 100, type: ct}\n  - {vmid: 100, type: vm}\n'),
  'two disks of one serial': add(host, 'disks:\n  - {serial: A1}\n  - {serial: A1}\n'),
  'a use of a disk that no rule reads': add(host, 'disks:\n  - {serial: A1, use: miror rpool}\n'),
  'a mount point without a path': add(
    host,
    'guests:\n  - {vmid: 100, type: ct, mount_points: [{id: mp0, backup: true}]}\n  - {vmid: 101, type: vm, mount_points: [{id: scsi1, backup: false}]}\n',
  ),
  'silence without a reason': add(site, 'silence:\n  - {rule: guest-in-job}\n'),
  'silence with an empty reason': add(site, 'silence:\n  - {rule: guest-in-job, reason: ""}\n'),
  'silence of an unknown rule': add(site, 'silence:\n  - {rule: guests-in-job, reason: known}\n'),
  'silence for an unknown host': add(site, 'silence:\n  - {rule: guest-in-job, host: onne, reason: known}\n'),
  'silence about no component': add(
    site,
    'silence:\n  - {rule: guest-in-job, about: "1031", reason: known}\n',
  ),
  'data set without copies and without a reason': add(site, 'data_sets:\n  - name: media\n'),
  'data set excluded without a reason': add(site, 'data_sets:\n  - {name: media, excluded: ""}\n'),
  'copy on an unknown medium': add(
    site,
    'data_sets:\n  - name: media\n    copies: [{on: one, medium: sdd}]\n',
  ),
  'data set of an unknown host': add(
    site,
    'data_sets:\n  - {name: media, hosts: [onne], excluded: it can be fetched again}\n',
  ),

  // Roles and variables
  'unknown role': edit(group, 'roles: [web]', 'roles: [wbe]'),
  'role on the wrong platform': edit(host, 'platform: pve', 'platform: synology'),
  'missing variable': edit(host, '    title: Hello\n', '    level: high\n'),
  'unknown variable': edit(host, 'title: Hello', 'title: Hello\n    titel: x'),
  'variable of the wrong kind': title('[a]'),
  'variable not in the list': edit(host, 'title: Hello', 'title: Hello\n    level: hihg'),
  'variable deep inside': edit(host, 'title: Hello', 'title: Hello\n    pages: [{name: a}, {nmae: b}]'),
  'variables for a role it has not': { ...edit(host, 'groups: [web]', 'groups: []') },
  'role without a description': edit(role, 'about: A page.\n', ''),
  'folder of a role without role.yaml': { [role]: null, 'roles/web/README.md': 'A page.\n' },
  'role named otherwise than its folder': edit(role, 'role: web', 'role: wep'),
  'reserved variable name': edit(role, 'variables:', 'variables:\n  host: {type: string, default: x}'),
  'wrong schema of a variable': edit(
    role,
    '{enum: [low, high], default: low}',
    '{tpye: string, default: low}',
  ),
  'default that breaks its own schema': edit(role, 'default: low', 'default: lwo'),

  // Resources
  'unknown resource type': resource('  - fiel: /a\n    content: x\n'),
  'unknown property': resource('  - line: /a\n    key: x\n    vlaue: root\n'),
  'path that is not normal': resource('  - directory: /a/../b\n'),
  'path from a variable': {
    ...title('etc/x'),
    ...resource('  - directory: ${title}\n'),
  },
  'line break in a name': {
    ...title('"a\\nb"'),
    ...resource('  - line: /a\n    key: ${title}\n'),
    ...page('x\n'),
  },
  'same resource twice': resource('  - file: /srv/title\n    content: x\n'),
  'two owners of a path': resource('  - directory: /srv/title\n'),
  'part of a file that is owned whole': resource('  - line: /srv/title\n    key: a\n'),
  'after something that is not there': resource(
    '  - file: /a\n    content: x\n    after: ["file:/srv/titel"]\n',
  ),
  'after itself': resource('  - file: /a\n    content: x\n    after: ["file:/a"]\n'),
  'two that wait for each other': resource(
    '  - file: /a\n    content: x\n    after: ["file:/b"]\n  - file: /b\n    content: x\n    after: ["file:/a"]\n',
  ),
  'a directory that waits for what lies in it': resource(
    '  - directory: /srv\n    after: ["file:/srv/title"]\n',
  ),
  'after is a word': resource('  - file: /a\n    content: x\n    after: file:/srv/title\n'),
  'each over a word': resource('  - each: ${title}\n    file: /a\n    content: x\n'),
  'check-only type as a resource': resource('  - command: [reboot]\n'),
  'unknown condition': resource('  - file: /a\n    content: x\n    when: {is: [a, b]}\n'),
  'condition without a pair': resource('  - file: /a\n    content: x\n    when: {equals: [a]}\n'),

  // ${...}
  'unknown name': resource('  - file: /a\n    content: ${titel}\n'),
  'unknown name inside a value': resource('  - file: /a\n    content: x ${host.nmae}\n'),
  'computing in ${}': resource('  - file: /a\n    content: ${title + 1}\n'),
  '${ without end': resource('  - file: /a\n    content: "${title"\n'),
  'list inside a text': resource('  - file: /a\n    content: x ${pages}\n'),
  'shell variable': resource('  - file: /a\n    content: ${HOME}/x\n'),
  'prototype as a name': resource('  - file: /a\n    content: ${host.constructor}\n'),
  'nothing as an argument': {
    ...edit(host, 'title: Hello', 'title: Hello\n    pages: [{name: a}]'),
    ...checks('  - each: ${pages}\n    id: a\n    about: b\n    run: [test, -x, "${item.note}"]\n'),
  },
  'check without an id': checks('  - about: b\n    run: [a]\n'),
  'check twice': checks('  - {id: a, about: b, run: [a]}\n  - {id: a, about: c, run: [b]}\n'),

  // Templates
  'template outside': edit(role, 'web/title.hbs', '../../etc/passwd'),
  'template with an absolute path': edit(role, 'web/title.hbs', '/etc/passwd'),
  'template by symbolic link': { [template]: { link: '/etc/passwd' } },
  'template missing': edit(role, 'web/title.hbs', 'web/titel.hbs'),
  'template and content': edit(role, 'mode: "0644"', 'content: x'),
  'template for a type without content': resource('  - directory: /a\n    template: web/title.hbs\n'),
  'template with a name': edit(role, 'web/title.hbs', '${title}.hbs'),
  'unknown name in a template': page('a\nb {{line titel}}\n'),
  'unknown name in an if': page('{{#if titel}}x{{/if}}\n'),
  'unknown name in an each': page('{{#each title.pages}}x{{/each}}\n'),
  'bare text': page('{{title}}\n'),
  'bare text in three braces': page('{{{title}}}\n'),
  'unknown helper': page('{{lnie title}}\n'),
  'helper without a value': page('{{line}}\n'),
  'lookup helper': page('{{lookup this "title"}}\n'),
  'log helper': page('{{log title}}\n'),
  'constructor in a template': page('{{line title.constructor}}\n'),
  'constructor alone': page('{{constructor}}\n'),
  '__proto__ in a template': page('{{#with __proto__}}x{{/with}}\n'),
  partial: page('{{> ../../x}}\n'),
  'partial block': page('{{#> layout}}x{{/layout}}\n'),
  decorator: page('{{* decorate}}\n'),
  'block that does not close': page('a\n{{#if title}}\nb\n'),
  'braces that do not close': page('a\n{{line title\n'),
  'each over a text': page('{{#each title}}x{{/each}}\n'),
  'line of a list': page('{{line pages}}\n'),
  'line break in a line format': title('"a@b\\nscript: /evil"'),
  'unknown data': page('{{line @secret}}\n'),

  // Secrets
  'unknown secret': title('${secrets.nobody}'),
  'secret in clear': { 'inventory/secrets.yaml': 'secrets:\n  token: letmein\n' },
  'secrets in the wrong form': { 'inventory/secrets.yaml': 'token: letmein\n' },

  'several mistakes at once': {
    ...edit(group, 'roles: [web]', 'roles: [web]\nrolls: []'),
    ...edit(host, 'platform: pve', 'platform: pvw\nmode: 1'),
    'inventory/hosts/two.yaml': 'host: two\n',
  },
};
