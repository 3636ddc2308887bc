import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from '../model/errors.ts';
import { errno, reason } from './read.ts';

export interface FileText {
  readonly file: string;
  readonly text: string;
}

/** Larger files hold no line that a person wrote. */
const largest = 1024 * 1024;

/** Every text file below those of these directories that are there. Throws an input error for what cannot be read. */
export async function textsBelow(directories: readonly string[]): Promise<FileText[]> {
  const found = await Promise.all(directories.map(filesBelow));
  const texts = await Promise.all(found.flat().sort().map(readText));
  return texts.flatMap((one) => one ?? []);
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if (errno(error) === 'ENOENT') return [];
      throw unreadable(directory, error);
    },
  );
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}

async function readText(file: string): Promise<FileText | undefined> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  if (bytes.length > largest || bytes.includes(0)) return undefined;
  return { file, text: bytes.toString('utf8') };
}

function unreadable(path: string, error: unknown): ProvisionError {
  return new ProvisionError('input', `${path} cannot be read: ${reason(error)}`);
}
