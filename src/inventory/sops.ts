import { execFile } from 'node:child_process';
import { ProvisionError, type Where } from '../model/errors.ts';
import { isRecord } from './schema.ts';
import type { Keys } from './secrets.ts';

/** What a SOPS file holds, decrypted by the `sops` program: its own key groups, KMS and so on keep working. */
export async function decryptSops(
  file: string,
  where: Where,
  { identityFile, env: own = {} }: Keys,
): Promise<ReadonlyMap<string, string>> {
  const json = await new Promise<string>((resolve, reject) => {
    const env = {
      ...own,
      ...(identityFile === undefined ? {} : { SOPS_AGE_KEY_FILE: identityFile }),
    };
    const args = ['--decrypt', '--output-type', 'json', file];
    execFile('sops', args, { env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      if (error.code === 'ENOENT') return reject(missing(where));
      const said = stderr.trim().split('\n')[0] ?? '';
      reject(
        new ProvisionError('input', `sops could not decrypt the file: ${said}`, {
          where,
          hint: 'check that your key is among those the file is encrypted for',
        }),
      );
    });
  });
  const values = new Map<string, string>();
  const all: unknown = JSON.parse(json);
  if (!isRecord(all)) return values;
  for (const [name, value] of Object.entries(isRecord(all.secrets) ? all.secrets : all)) {
    if (typeof value === 'string') values.set(name, value);
  }
  return values;
}

function missing(where: Where): ProvisionError {
  return new ProvisionError(
    'input',
    'this file is encrypted with SOPS and the program sops is not installed',
    {
      where,
      hint: 'install sops, or keep the values encrypted with age instead (docs/inventory.md)',
    },
  );
}
