import { ProvisionError, type Where } from '../model/errors.ts';
import type { Secret } from '../model/host.ts';
import { armorHead, decryptTexts } from './age.ts';
import { type Entry, type MapNode, type Node, texts } from './node.ts';
import { readText } from './read.ts';
import { secret } from './secret.ts';
import { decryptSops } from './sops.ts';
import { didYouMean, listed, shown } from './wording.ts';
import { parseYaml } from './yaml.ts';

/** The secrets of a site. Nothing is decrypted before a host needs it: whoever touches no secret needs no key. */
export interface Secrets {
  readonly file: string;
  readonly names: readonly string[];
  readonly recipients: readonly string[];
  /** Where a secret stands in the file. */
  where(name: string): Where | undefined;
  /** The decrypted secret, or undefined before `open` was asked for it. */
  get(name: string): Secret | undefined;
  /** Decrypts the named ones. Throws an input error naming the key file when that cannot be done. */
  open(names: readonly string[]): Promise<void>;
}

/** What opens secrets: it comes from the user, not from the repository. */
export interface Keys {
  /** Secret keys of age; read only when a secret is needed. */
  readonly identityFile?: string | undefined;
  /** For `sops`, which has ways of its own to keys. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** `encrypted`: name -> armored age text, or SOPS's own text when `sops` is true. */
interface Sealed {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly recipients: readonly string[];
  readonly sops: boolean;
}

const empty: Sealed = { entries: new Map(), recipients: [], sops: false };

/** The secrets of a site that could not be read. */
export const noSecrets: Secrets = {
  file: 'secrets.yaml',
  names: [],
  recipients: [],
  where: () => undefined,
  get: () => undefined,
  open: async () => {},
};

export async function readSecrets(file: string, keys: Keys, mistakes: ProvisionError[]): Promise<Secrets> {
  const sealed = await readSealed(file, mistakes);
  const opened = new Map<string, Secret>();
  return {
    file,
    names: [...sealed.entries.keys()],
    recipients: sealed.recipients,
    where: (name) => sealed.entries.get(name)?.key,
    get: (name) => opened.get(name),
    open: async (names) => {
      const wanted = names.filter((name) => !opened.has(name));
      if (wanted.length === 0) return;
      for (const [name, clear] of await decrypt(file, sealed, wanted, keys)) {
        opened.set(
          name,
          secret(name, () => clear),
        );
      }
    },
  };
}

/** An input error for `${secrets.name}` where there is no such secret. */
export function unknownSecret(secrets: Secrets, name: string, where: Where): ProvisionError {
  return new ProvisionError('input', `there is no secret ${shown(name)} in ${secrets.file}`, {
    where,
    hint:
      didYouMean(name, secrets.names) ??
      `known: ${listed(secrets.names)}; add it with: provision secret set NAME`,
  });
}

async function readSealed(file: string, mistakes: ProvisionError[]): Promise<Sealed> {
  try {
    const content = await readText(file);
    if (content === undefined) return empty;
    const root = parseYaml(file, content);
    if (root.kind === 'map' && root.entries.has('sops')) return sopsForm(root);
    return ageForm(root, mistakes);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    mistakes.push(error);
    return empty;
  }
}

function sopsForm(root: MapNode): Sealed {
  const inner = root.entries.get('secrets')?.node;
  const entries = new Map((inner?.kind === 'map' ? inner : root).entries);
  entries.delete('sops');
  return { entries, recipients: [], sops: true };
}

function ageForm(root: Node, mistakes: ProvisionError[]): Sealed {
  const say = (message: string, where: Where, hint?: string) =>
    mistakes.push(new ProvisionError('input', message, { where, hint }));
  const form = 'write two keys: "recipients: [age1...]" and "secrets: {name: encrypted text}"';
  if (root.kind !== 'map') {
    say('the file is not a map', root.where, form);
    return empty;
  }
  for (const [key, entry] of root.entries) {
    if (key !== 'secrets' && key !== 'recipients')
      say(`unknown key ${shown(key)}; allowed: recipients, secrets`, entry.key, form);
  }
  const inner = root.entries.get('secrets')?.node;
  const entries = inner?.kind === 'map' ? inner.entries : new Map<string, Entry>();
  if (inner?.kind === 'list' || (inner?.kind === 'scalar' && inner.value !== null))
    say('"secrets" is not a map', inner.where, form);
  for (const [name, { key, node }] of entries) {
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      say(`the name ${shown(name)} is not allowed; allowed: a-z, 0-9 and _, starting with a letter`, key);
    // The value itself must not be shown: it may be a password in clear.
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || !node.value.startsWith(armorHead))
      say(
        `the secret ${shown(name)} is not encrypted`,
        node.where,
        'encrypt it (provision secret set NAME), and change it everywhere if it was ever committed in clear',
      );
  }
  return { entries, recipients: texts(root.entries.get('recipients')?.node), sops: false };
}

async function decrypt(
  file: string,
  sealed: Sealed,
  names: readonly string[],
  keys: Keys,
): Promise<[string, string][]> {
  const place = (name: string): Where => sealed.entries.get(name)?.key ?? { file, line: 1, column: 1 };
  const clear = sealed.sops
    ? await fromSops(file, names, place, keys)
    : await fromAge(sealed, names, place, keys);
  return names.map((name, index) => {
    const value = clear[index];
    if (value !== undefined && !value.includes('\0')) return [name, value];
    const problem = value === undefined ? 'cannot be decrypted with the key at hand' : 'holds a NUL byte';
    throw new ProvisionError('input', `the secret ${shown(name)} ${problem}`, {
      where: place(name),
      hint: `it is encrypted for other keys than those in ${keys.identityFile ?? 'your key file'}, or was damaged`,
    });
  });
}

async function fromAge(
  sealed: Sealed,
  names: readonly string[],
  place: (name: string) => Where,
  { identityFile }: Keys,
): Promise<(string | undefined)[]> {
  const armored = names.map((name) => {
    const node = sealed.entries.get(name)?.node;
    return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : '';
  });
  try {
    return await decryptTexts(armored, identityFile);
  } catch (error) {
    if (!(error instanceof ProvisionError) || error.where !== undefined) throw error;
    const message = `the secret ${shown(names[0] ?? '')} is needed and ${error.message}`;
    throw new ProvisionError('input', message, { where: place(names[0] ?? ''), hint: error.hint });
  }
}

async function fromSops(
  file: string,
  names: readonly string[],
  place: (name: string) => Where,
  keys: Keys,
): Promise<(string | undefined)[]> {
  const values = await decryptSops(file, place(names[0] ?? ''), keys);
  return names.map((name) => values.get(name));
}
