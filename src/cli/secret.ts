import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decryptTexts, encryptText, newIdentity } from '../inventory/age.ts';
import { errno, reason } from '../inventory/read.ts';
import { ProvisionError } from '../model/errors.ts';
import { plural } from '../report/summary.ts';
import { editText } from './editor.ts';
import type { CommonOptions } from './options.ts';
import { identityFile } from './places.ts';
import { openSecrets } from './secrets-file.ts';
import type { Terminal } from './terminal.ts';

/** Makes a key pair. The identity goes into a file of its own, never over one that is there: that would lose every secret. */
export async function keygenCommand(
  terminal: Terminal,
  options: CommonOptions & { readonly out?: string },
): Promise<number> {
  const file = options.out ?? identityFile(terminal.env);
  if (file === undefined) {
    throw new ProvisionError('input', 'it is not known where to keep the key', {
      hint: 'say it with --out FILE',
    });
  }
  const { identity, recipient } = await newIdentity();
  const text = `# public key: ${recipient}\n${identity}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const message =
      errno(error) === 'EEXIST'
        ? `${file} is there already; it is left as it is`
        : `the key cannot be written to ${file}: ${reason(error)}`;
    throw new ProvisionError('input', message, { hint: 'choose another place with --out FILE' });
  }
  terminal.out(`${recipient}\n`);
  terminal.err(
    `The key is in ${file}: keep a copy where the backups do not need it to be opened.\n` +
      'The line above is its public half; put it under "recipients:" in secrets.yaml.\n',
  );
  return 0;
}

/** Encrypts a value into secrets.yaml. The value comes from the keyboard or standard input, never from an argument. */
export async function setCommand(
  terminal: Terminal,
  options: CommonOptions,
  [name = '']: readonly string[],
): Promise<number> {
  const secrets = await openSecrets(options.inventory, name, identityFile(terminal.env));
  const value = terminal.interactive
    ? await terminal.ask(`Value of ${name} (not shown): `, { hidden: true })
    : (await terminal.input()).toString('utf8').replace(/\r?\n$/, '');
  await secrets.write(await encryptText(checked(name, value), secrets.recipients));
  terminal.err(`${name} is encrypted in ${secrets.file} for ${plural(secrets.recipients.length, 'key')}.\n`);
  return 0;
}

/** Opens the value in the editor of the user. */
export async function editCommand(
  terminal: Terminal,
  options: CommonOptions,
  [name = '']: readonly string[],
): Promise<number> {
  if (!terminal.interactive) {
    throw new ProvisionError('input', 'there is no terminal to edit on', {
      hint: `pipe the value into \`provision secret set ${name}\``,
    });
  }
  const key = identityFile(terminal.env);
  const secrets = await openSecrets(options.inventory, name, key);
  const before = secrets.armored === undefined ? '' : (await decryptTexts([secrets.armored], key))[0];
  if (before === undefined) {
    throw new ProvisionError('input', `the secret ${name} cannot be decrypted with the key in ${key}`, {
      hint: `to replace it without reading it: provision secret set ${name}`,
    });
  }
  const after = await editText(before, terminal.env);
  if (after === before) {
    terminal.err('Nothing was changed.\n');
    return 0;
  }
  await secrets.write(await encryptText(checked(name, after), secrets.recipients));
  terminal.err(`${name} is encrypted in ${secrets.file}.\n`);
  return 0;
}

function checked(name: string, value: string): string {
  if (value === '') throw new ProvisionError('input', `the value of ${name} is empty; nothing was written`);
  if (value.includes('\0'))
    throw new ProvisionError('input', `the value of ${name} holds a NUL byte; nothing was written`);
  return value;
}
