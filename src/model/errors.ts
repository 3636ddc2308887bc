/** A position in a file that a person wrote; line and column count from 1. */
export interface Where {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Why a run ended as it did. Each kind has one exit code, for scripts and timers. */
export const exitCodes = {
  ok: 0,
  input: 1,
  differences: 2,
  unreachable: 3,
  failed: 4,
  refused: 5,
  changed: 6,
  locked: 7,
  unknown: 8,
} as const;

export type ErrorCode = Exclude<keyof typeof exitCodes, 'ok' | 'differences'>;

export interface ErrorDetail {
  readonly where?: Where | undefined;
  /** The host concerned, where there is one. */
  readonly host?: string | undefined;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** Something on the host had begun to change, or may have. */
  readonly begun?: boolean | undefined;
}

/** The one error of the program: for the person at 3 in the morning, not for a stack trace. */
export class ProvisionError extends Error {
  readonly code: ErrorCode;
  readonly where: Where | undefined;
  readonly host: string | undefined;
  readonly hint: string | undefined;
  readonly begun: boolean;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message);
    this.name = 'ProvisionError';
    this.code = code;
    this.where = detail.where;
    this.host = detail.host;
    this.hint = detail.hint;
    this.begun = detail.begun ?? false;
  }
}

/** Several mistakes found in one reading of the input: all are shown, not only the first. */
export class InputErrors extends Error {
  readonly errors: readonly ProvisionError[];

  constructor(errors: readonly ProvisionError[]) {
    super(`${errors.length} mistakes in the input`);
    this.name = 'InputErrors';
    this.errors = errors;
  }
}

/** `file:line:column`, as editors and terminals understand it. */
export function showWhere(where: Where): string {
  return `${where.file}:${where.line}:${where.column}`;
}
