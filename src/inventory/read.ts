import { readFile, stat } from 'node:fs/promises';
import { ProvisionError, type Where } from '../model/errors.ts';

/** No file that a person writes is longer; a longer one is a mistake (a log, an image) and would only take the memory. */
const largest = 4 * 1024 * 1024;

/**
 * A text file of the repository: UTF-8 without byte order mark, lines ended by LF, no NUL.
 * Throws an input error with the position of what is wrong, or undefined in place of a file that is not there.
 */
export async function readText(file: string): Promise<string | undefined> {
  const bytes = await readBytes(file);
  if (bytes === undefined) return undefined;
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw mistake(file, bytes, 0, 'the file starts with a byte order mark', 'save it as UTF-8 without BOM');
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) {
    const at = firstBadByte(bytes);
    const hex = (bytes[at] ?? 0).toString(16).padStart(2, '0');
    throw mistake(file, bytes, at, `the byte 0x${hex} is not UTF-8`, 'save the file as UTF-8');
  }
  const carriage = bytes.indexOf('\r');
  if (carriage >= 0) {
    const hint = 'save the file with LF line ends (for instance: sed -i "s/\\r$//" FILE)';
    throw mistake(file, bytes, carriage, 'the line ends with a carriage return (CR LF)', hint);
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw mistake(file, bytes, zero, 'the file holds a NUL byte', 'it is not a text file');
  return text;
}

async function readBytes(file: string): Promise<Buffer | undefined> {
  const start: Where = { file, line: 1, column: 1 };
  try {
    const about = await stat(file);
    if (!about.isFile()) {
      const what = about.isDirectory() ? 'a directory' : 'a device or a pipe';
      throw new ProvisionError('input', `this is ${what}; a file is wanted`, { where: start });
    }
    if (about.size > largest) {
      const size = `${Math.ceil(about.size / 1024 / 1024)} MiB`;
      throw new ProvisionError('input', `the file has ${size}; at most 4 MiB are read`, { where: start });
    }
    return await readFile(file);
  } catch (error) {
    if (error instanceof ProvisionError) throw error;
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return undefined;
    throw new ProvisionError('input', `the file cannot be read: ${reason(error)}`, { where: start });
  }
}

/** `ENOENT`, `EACCES`, ... of an error of the file system, or its text. */
export function errno(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return String(error);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is not a directory, or a part of its path is none',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ELOOP: 'its symbolic links go round in a circle',
};

/** Why a file could not be read or written, in words where the name of the error alone would not help. */
export function reason(error: unknown): string {
  const name = errno(error);
  return reasons[name] ?? name;
}

function mistake(file: string, bytes: Buffer, at: number, message: string, hint: string): ProvisionError {
  const before = bytes.subarray(0, at);
  const lineStart = before.lastIndexOf(10) + 1;
  let line = 1;
  for (const byte of before) if (byte === 10) line++;
  const column = before.subarray(lineStart).toString('utf8').length + 1;
  return new ProvisionError('input', message, { where: { file, line, column }, hint });
}

/** Offset of the first byte that starts no UTF-8 sequence. */
function firstBadByte(bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) return at;
    at += length;
  }
  return at;
}

function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0) return 0;
  const piece = bytes.subarray(at, at + length);
  return Buffer.from(piece.toString('utf8'), 'utf8').equals(piece) ? length : 0;
}
