import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabHost } from '../lab/lab.ts';
import { inventoryFor } from '../lab/site.ts';

/** The work that is measured, per hundred resources: 40 templated files, 20 directories, 20 lines, 20 links. */
export const role = {
  role: 'bench',
  about: 'Work to measure: files, directories, lines and links.',
  platforms: ['linux'],
  variables: {
    numbers: {
      type: 'array',
      items: { type: 'integer' },
      description: 'One block of five resources per number.',
    },
    settings: { type: 'array', items: { type: 'integer' }, description: 'What is in each file.' },
    lines: { type: 'array', items: { type: 'integer' }, description: 'One line each.' },
  },
  resources: [
    { directory: '/srv/bench', mode: '0755' },
    { each: '${numbers}', directory: '/srv/bench/${item}', mode: '0755' },
    { each: '${numbers}', file: '/srv/bench/${item}/a.conf', template: 'bench/file.hbs', mode: '0644' },
    { each: '${numbers}', file: '/srv/bench/${item}/b.conf', template: 'bench/file.hbs', mode: '0640' },
    { each: '${numbers}', link: '/srv/bench/${item}/link', to: 'a.conf' },
    { each: '${lines}', line: '/srv/bench.lines', key: 'key${item}', value: 'value ${item}', separator: '=' },
  ],
};

export const template = `# File {{line item}} of {{line host.name}}
{{#each settings}}
setting_{{line this}} = value {{line this}} of a file of ordinary length
{{/each}}
`;

/** A site in which every host has `count` resources (a multiple of 100, and the one directory they lie in). */
export function benchSite(hosts: readonly LabHost[], count: number): string {
  const numbers = Array.from({ length: count / 5 }, (_, index) => index + 1);
  return inventoryFor(hosts, {
    roles: ['bench'],
    vars: { bench: { numbers, lines: [...numbers], settings: numbers.slice(0, 20) } },
    files: { 'roles/bench/role.yaml': role, 'templates/bench/file.hbs': template },
  });
}

/** The same work for ansible: an inventory, a configuration and a playbook; answers with the directory. */
export function ansibleSite(host: LabHost, dir: string): string {
  const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
  const write = (name: string, text: string): void => writeFileSync(join(dir, name), text);
  write('known_hosts', host.hostKeys.map((line) => `${line}\n`).join(''));
  write(
    'hosts.ini',
    `bench1 ansible_host=${host.address} ansible_user=root ansible_ssh_private_key_file=${host.identityFile} ansible_python_interpreter=/usr/bin/python3\n`,
  );
  const settings = (more: string): string =>
    `[defaults]\ninventory=hosts.ini\nhost_key_checking=True\nforks=10\n${more}[ssh_connection]\npipelining=True\nssh_args=-o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${join(dir, 'known_hosts')}\n`;
  write('pipelining.cfg', settings(''));
  write(
    'mitogen.cfg',
    settings(
      'strategy_plugins=/usr/share/ansible-mitogen/ansible_mitogen/plugins/strategy\nstrategy=mitogen_linear\n',
    ),
  );
  write(
    'file.j2',
    `# File {{ item }} of bench1\n${numbers.map((n) => `setting_${n} = value ${n} of a file of ordinary length\n`).join('')}`,
  );
  write('play.yaml', playbook(numbers));
  return dir;
}

function playbook(numbers: readonly number[]): string {
  const loop = `loop: [${numbers.join(', ')}]`;
  return `- hosts: bench1
  gather_facts: false
  tasks:
    - file: {path: /srv/bench, state: directory, mode: "0755"}
    - file: {path: "/srv/bench/{{ item }}", state: directory, mode: "0755"}
      ${loop}
    - template: {src: file.j2, dest: "/srv/bench/{{ item }}/a.conf", mode: "0644"}
      ${loop}
    - template: {src: file.j2, dest: "/srv/bench/{{ item }}/b.conf", mode: "0640"}
      ${loop}
    - file: {src: a.conf, dest: "/srv/bench/{{ item }}/link", state: link}
      ${loop}
    - lineinfile: {path: /srv/bench.lines, regexp: "^key{{ item }}=", line: "key{{ item }}=value {{ item }}", create: true}
      ${loop}
`;
}
