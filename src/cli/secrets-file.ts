import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Document, isMap, isSeq, parseDocument, Scalar } from 'yaml';
import { recipientsOf } from '../inventory/age.ts';
import { errno, reason } from '../inventory/read.ts';
import { ProvisionError } from '../model/errors.ts';

/** secrets.yaml, opened at one name. */
export interface SecretsFile {
  readonly file: string;
  readonly recipients: readonly string[];
  /** What is there under the name, encrypted. */
  readonly armored: string | undefined;
  /** Puts a new encrypted value under the name; everything else, comments included, stays as it is. */
  write(armored: string): Promise<void>;
}

/** Opens or begins secrets.yaml of an inventory. A new one is for the key of the user who begins it. */
export async function openSecrets(
  inventory: string,
  name: string,
  key: string | undefined,
): Promise<SecretsFile> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new ProvisionError('input', `"${name}" cannot be the name of a secret`, {
      hint: 'use a-z, 0-9 and _, starting with a letter',
    });
  }
  if (!(await stat(inventory).catch(() => undefined))?.isDirectory()) {
    throw new ProvisionError('input', `there is no inventory in ${inventory}`, {
      hint: 'say where with --inventory DIR',
    });
  }
  const file = join(inventory, 'secrets.yaml');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return undefined;
    throw new ProvisionError('input', `${file} cannot be read: ${reason(error)}`);
  });
  const document = text === undefined ? await begun(key) : parsed(text, file);
  const list = document.get('recipients');
  const recipients = isSeq(list)
    ? list.items.map((item) => String(item instanceof Scalar ? item.value : item))
    : [];
  const armored = document.getIn(['secrets', name]);
  return {
    file,
    recipients,
    armored: typeof armored === 'string' ? armored : undefined,
    write: async (value) => {
      const scalar = new Scalar(value.endsWith('\n') ? value : `${value}\n`);
      scalar.type = Scalar.BLOCK_LITERAL;
      if (!isMap(document.get('secrets'))) document.set('secrets', document.createNode({}));
      document.setIn(['secrets', name], scalar);
      // In one step: an interrupted write must not lose the other secrets.
      const next = `${file}.new`;
      await writeFile(next, document.toString({ lineWidth: 0 }), { mode: 0o644 });
      await rename(next, file);
    },
  };
}

async function begun(key: string | undefined): Promise<Document> {
  if (key === undefined || (await stat(key).catch(() => undefined)) === undefined) {
    throw new ProvisionError('input', 'there is no secrets.yaml yet and no key to begin it with', {
      hint: 'make a key with: provision secret keygen',
    });
  }
  return new Document({ recipients: await recipientsOf(key), secrets: {} });
}

function parsed(text: string, file: string): Document {
  const document = parseDocument(text);
  const [mistake] = document.errors;
  if (mistake) {
    const [start] = mistake.linePos ?? [];
    const where = { file, line: start?.line ?? 1, column: start?.col ?? 1 };
    throw new ProvisionError('input', `this is not YAML: ${mistake.message.split('\n')[0]}`, { where });
  }
  if (document.has('sops')) {
    throw new ProvisionError('input', `${file} is kept by sops`, { hint: `edit it with: sops ${file}` });
  }
  return document as Document;
}
