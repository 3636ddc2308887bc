import { exitCodes, type ProvisionError } from '../model/errors.ts';
import { errorText, knownErrors } from '../report/errors.ts';
import { jsonErrors } from '../report/json.ts';
import { junitErrors } from '../report/junit.ts';
import { tapErrors } from '../report/tap.ts';
import { visible } from '../report/visible.ts';
import { paletteFor } from './colours.ts';
import type { CommonOptions, Format } from './options.ts';
import type { Terminal } from './terminal.ts';

type FailureOptions = CommonOptions & { readonly format?: Format };

/** A command that ended before it had hosts to report on: prints why, and gives the exit code. */
export function failure(
  command: string,
  error: unknown,
  options: FailureOptions,
  terminal: Terminal,
): number {
  const colours = paletteFor('err', options.color, terminal);
  const errors = knownErrors(error);
  if (errors === null) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    terminal.err(
      `${colours.bad('error:')} this is a mistake in provision itself; please report it.\n${visible(text)}\n`,
    );
    return exitCodes.unknown;
  }
  const code = exitCodes[errors[0]?.code ?? 'input'];
  terminal.err(errorText(errors, colours));
  const document = failureDocument(command, code, errors, options.format);
  if (document !== null) terminal.out(document);
  return code;
}

/** The same in the format that was asked for, so that a script finds a document and not an empty file. */
function failureDocument(
  command: string,
  code: number,
  errors: readonly ProvisionError[],
  format: Format | undefined,
): string | null {
  if (format === 'json') return jsonErrors(command, code, errors);
  if (format === 'junit') return junitErrors(command, errors);
  return format === 'tap' ? tapErrors(errors) : null;
}
