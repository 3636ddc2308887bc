import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.ts';
import type { Terminal } from './terminal.ts';

/** Lets the user edit a text in $VISUAL or $EDITOR. The text lies in memory (/dev/shm) meanwhile where there is such a place. */
export async function editText(text: string, env: Terminal['env']): Promise<string> {
  const place = await access('/dev/shm', constants.W_OK).then(
    () => '/dev/shm',
    () => tmpdir(),
  );
  const directory = await mkdtemp(join(place, 'provision-'));
  try {
    const file = join(directory, 'value');
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
    await edit(file, env.VISUAL || env.EDITOR || 'vi', env);
    const edited = await readFile(file, 'utf8');
    // Editors end the last line; a password did not have that.
    return text.endsWith('\n') ? edited : edited.replace(/\r?\n$/, '');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function edit(file: string, editor: string, env: Terminal['env']): Promise<void> {
  return new Promise((resolve, reject) => {
    // $EDITOR may hold options ("code --wait"): it is a command line by tradition, so the user's own shell splits it.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit', env });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new ProvisionError('input', `the editor (${editor}) ended with ${code}; nothing was changed`));
    });
  });
}
