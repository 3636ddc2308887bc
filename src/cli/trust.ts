import { join } from 'node:path';
import { ProvisionError } from '../model/errors.ts';
import { type HostKey, pinKeys, pinnedKeys, scanKeys } from '../remote/trust.ts';
import { visibleLine } from '../report/visible.ts';
import type { CommonOptions } from './options.ts';
import { hostNamed, openSite } from './site.ts';
import type { Terminal } from './terminal.ts';

type TrustOptions = CommonOptions & { readonly fingerprint?: string };

/** Shows the keys of a host and pins them after a yes, or pins the one that was named. Never in silence, never "the first". */
export async function trustCommand(
  terminal: Terminal,
  options: TrustOptions,
  [name = '']: readonly string[],
): Promise<number> {
  const expected = options.fingerprint;
  if (expected === undefined && !terminal.interactive) {
    throw new ProvisionError(
      'input',
      `a key is trusted by a person or by name, and there is no terminal to ask on`,
      {
        hint: 'give the fingerprint that the machine itself shows: --fingerprint SHA256:...',
      },
    );
  }
  if (expected !== undefined && !/^SHA256:[A-Za-z0-9+/]{43}$/.test(expected)) {
    throw new ProvisionError('input', `"${expected}" is not a fingerprint`, {
      hint: 'it reads SHA256: and 43 characters; `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the machine prints it',
    });
  }
  const site = await openSite(options, terminal);
  const host = await hostNamed(site, name);
  if (host.connection.session === 'local' || host.connection.session === 'root') {
    throw new ProvisionError(
      'input',
      `${name} is reached without ssh (${host.connection.session}): it has no key to trust`,
    );
  }
  const contact = { knownHosts: join(options.inventory, 'known_hosts'), env: { ...terminal.env } };
  const keys = await scanKeys(host, contact);
  const before = pinnedKeys(host, contact);
  const unchanged = keys.filter((key) => before.some((pin) => pin.fingerprint === key.fingerprint));
  if (expected === undefined && unchanged.length === keys.length) {
    terminal.out(`${name} is trusted already; it shows the keys that are pinned.\n`);
    return 0;
  }
  const chosen = expected === undefined ? keys : keys.filter((key) => key.fingerprint === expected);
  if (chosen.length === 0) {
    throw new ProvisionError('refused', `${name} does not show the key ${expected}`, {
      host: name,
      hint: `it shows ${keys.map((key) => `${key.type} ${key.fingerprint}`).join(', ')}. Nothing was pinned`,
    });
  }
  if (expected === undefined && !(await agreed(name, keys, before, terminal))) {
    terminal.err('Nothing was pinned.\n');
    return 1;
  }
  pinKeys(host, chosen, contact);
  terminal.out(`Pinned in ${contact.knownHosts}: ${chosen.map((key) => key.fingerprint).join(', ')}\n`);
  return 0;
}

async function agreed(
  name: string,
  keys: readonly HostKey[],
  before: ReturnType<typeof pinnedKeys>,
  terminal: Terminal,
): Promise<boolean> {
  terminal.err(trustText(name, keys, before));
  return (await terminal.ask('Are these the same? Only "yes" pins them: ')).trim() === 'yes';
}

/** What a person needs to decide. A changed key is the one moment in which an attack would show. */
export function trustText(
  name: string,
  keys: readonly HostKey[],
  before: readonly { readonly type: string; readonly fingerprint: string; readonly from: string }[],
): string {
  const known = (key: HostKey) => before.some((pin) => pin.fingerprint === key.fingerprint);
  const gone = before.filter((pin) => !keys.some((key) => key.fingerprint === pin.fingerprint));
  const lines = [
    `${name} shows these keys:`,
    ...keys.map((key) => `  ${key.type}  ${key.fingerprint}${known(key) ? '  (pinned)' : ''}`),
    ...(gone.length > 0 ? ['WARNING: other keys are pinned for it now, and would be replaced:'] : []),
    ...gone.map((pin) => `  ${pin.type}  ${pin.fingerprint}  (${pin.from})`),
    'Compare with what the machine itself prints, at its console:',
    '  for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done',
  ];
  return `${lines.map(visibleLine).join('\n')}\n`;
}
