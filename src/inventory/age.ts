import { stat } from 'node:fs/promises';
import { ProvisionError } from '../model/errors.ts';
import { readText } from './read.ts';

export const armorHead = '-----BEGIN AGE ENCRYPTED FILE-----';

/** A new key pair: `identity` is the secret half (AGE-SECRET-KEY-1...), `recipient` the public one (age1...). */
export async function newIdentity(): Promise<{ identity: string; recipient: string }> {
  const age = await import('age-encryption');
  const identity = await age.generateX25519Identity();
  return { identity, recipient: await age.identityToRecipient(identity) };
}

/** The public halves of the keys in an identity file. */
export async function recipientsOf(identityFile: string): Promise<string[]> {
  const age = await import('age-encryption');
  return Promise.all((await identities(identityFile)).map((identity) => age.identityToRecipient(identity)));
}

/** Encrypts a text for all recipients (age1...); the result is armored, ready for secrets.yaml. */
export async function encryptText(clear: string, recipients: readonly string[]): Promise<string> {
  const age = await import('age-encryption');
  if (recipients.length === 0) {
    throw new ProvisionError('input', 'there is nobody to encrypt for', {
      hint: 'list public keys (age1...) under "recipients:" in secrets.yaml',
    });
  }
  const encrypter = new age.Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new ProvisionError('input', `"${recipient}" is not an age public key`, {
        hint: 'public keys start with age1; age-keygen -y KEYFILE prints yours',
      });
    }
  }
  return age.armor.encode(await encrypter.encrypt(clear));
}

/**
 * Decrypts armored texts with the keys of the identity file. A text that no key opens is undefined in the result; a missing or
 * useless identity file is an input error.
 */
export async function decryptTexts(
  armored: readonly string[],
  identityFile: string | undefined,
): Promise<(string | undefined)[]> {
  const keys = await identities(identityFile);
  const age = await import('age-encryption');
  const decrypter = new age.Decrypter();
  for (const key of keys) decrypter.addIdentity(key);
  return Promise.all(
    armored.map(async (text) => {
      try {
        return await decrypter.decrypt(age.armor.decode(text), 'text');
      } catch {
        return undefined;
      }
    }),
  );
}

async function identities(file: string | undefined): Promise<string[]> {
  const how =
    'get the key of this site from whoever keeps it; PROVISION_AGE_KEY_FILE names another place for it';
  if (file === undefined) throw new ProvisionError('input', 'no age key file was given', { hint: how });
  const content = await readText(file);
  if (content === undefined) {
    throw new ProvisionError('input', `the age key file ${file} is missing`, { hint: how });
  }
  // Like ssh: a key that others can read is no longer a secret, and nobody looks at a warning.
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new ProvisionError('input', `the age key file ${file} has mode ${octal}: others can read it`, {
      hint: `chmod 600 ${file}`,
    });
  }
  const keys = content
    .split('\n')
    .flatMap((line) => (line.startsWith('AGE-SECRET-KEY-') ? [line.trim()] : []));
  if (keys.length > 0) return keys;
  throw new ProvisionError('input', `the age key file ${file} holds no line AGE-SECRET-KEY-...`, {
    hint: 'keys of age-keygen are read; SSH keys and keys with a passphrase are not',
  });
}
