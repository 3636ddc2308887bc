import { InvalidArgumentError } from 'commander';

export const formats = ['text', 'json', 'junit', 'tap'] as const;
export type Format = (typeof formats)[number];

export const colourWishes = ['auto', 'always', 'never'] as const;

/** Options that every command understands. */
export interface CommonOptions {
  readonly inventory: string;
  readonly color: (typeof colourWishes)[number];
  readonly verbose: boolean;
}

/** Which hosts and what of them. Hosts and groups add up; roles and ids narrow. */
export interface SelectionOptions {
  readonly host: readonly string[];
  readonly group: readonly string[];
  readonly role: readonly string[];
  readonly only: readonly string[];
}

export interface ReportOptions extends CommonOptions {
  readonly format: Format;
}

export interface WorkOptions extends ReportOptions, SelectionOptions {
  readonly forks: number;
}

/** `--host a --host b,c` -> [a, b, c] */
export function names(value: string, before: readonly string[] = []): readonly string[] {
  const more = value.split(',').map((name) => name.trim());
  if (more.includes('')) throw new InvalidArgumentError('It has an empty name in it.');
  return [...new Set([...before, ...more])];
}

/** `--only a --only b` -> [a, b]; ids may hold commas. */
export function ids(value: string, before: readonly string[] = []): readonly string[] {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return [...new Set([...before, value])];
}

/** `--set guest=111 --set name=db` -> {guest: '111', name: 'db'} */
export function settings(
  value: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, name, text] = /^([A-Za-z_][A-Za-z0-9_-]*)=(.*)$/s.exec(value) ?? [];
  if (name === undefined || text === undefined) throw new InvalidArgumentError('Write it as NAME=VALUE.');
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is set twice.`);
  return { ...before, [name]: text };
}

/** A parser for whole numbers between two bounds. */
export function whole(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[0-9]+$/.test(value) || number < least || number > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}
