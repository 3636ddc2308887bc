import type { Blob, Sh } from '../model/sh.ts';
import { brace, type ObserveOptions, observePrelude, opening } from './observe.ts';
import { at, sh } from './sh.ts';
import { distinct, tar } from './tar.ts';

/** Contents up to this many bytes are fetched for a text diff. */
export const textLimit = 256 * 1024;

/** Seconds a validator may take. */
export const validatorLimit = 60;

/** What to read more closely about one change. */
export interface Detail {
  /** Path whose bytes are wanted. */
  readonly path: string | null;
  /** Command to try on new bytes that are not in place yet. */
  readonly validator: { readonly argv: readonly string[]; readonly blob: Blob } | null;
}

/**
 * The second look that only a host with differences gets: old contents for the text diff, and validators run on the new bytes,
 * staged in a private directory that is gone when the script ends. Frames: `text INDEX` (base64) and `valid INDEX CODE` (output).
 */
export function detailScript(details: readonly Detail[], options: ObserveOptions): string {
  const blobs = distinct(details.flatMap((detail) => (detail.validator ? [detail.validator.blob] : [])));
  return brace(
    [
      opening(options),
      observePrelude,
      ...(blobs.length > 0 ? [stage(blobs)] : []),
      ...details.map(part),
      'frame end',
    ].join('\n'),
  );
}

/** argv with `{file}` replaced by the path of the staged bytes. */
export function withFile(argv: readonly string[], blob: Blob): Sh {
  const words = argv.map((word) => {
    const [head = '', ...tail] = word.split('{file}');
    const pieces = tail.map((text) => `${sh`${blob}`.text}${text === '' ? '' : sh`${text}`.text}`);
    return `${head === '' && pieces.length > 0 ? '' : sh`${head}`.text}${pieces.join('')}`;
  });
  return { text: words.join(' '), blobs: [blob] };
}

function stage(blobs: readonly Blob[]): string {
  const payload = tar(blobs.map(({ hash, bytes }) => ({ name: hash, bytes })))
    .toString('base64')
    .replace(/.{76}/g, '$&\n');
  return `scratch || { frame no-space; exit 1; }
STAGE=$SCRATCH/stage
mkdir "$STAGE" || { frame no-space; exit 1; }
base64 -d <<'PAYLOAD' | tar -x -f - -C "$STAGE"
${payload}
PAYLOAD`;
}

function part(detail: Detail, index: number): string {
  const text = detail.path === null ? '' : readText(detail.path, index);
  if (detail.validator === null) return text;
  const command = withFile(detail.validator.argv, detail.validator.blob).text;
  return `${text}
rc=0
timeout -k 1 ${validatorLimit} ${command} >"$SCRATCH/said" 2>&1 || rc=$?
frame "valid ${index} $rc"
head -c 4000 "$SCRATCH/said"`;
}

function readText(path: string, index: number): string {
  const file = at(path).text;
  return `frame "text ${index}"
if [ -f ${file} ] && [ ! -L ${file} ]; then head -c ${textLimit + 1} ${file} | base64; fi 2>/dev/null`;
}
