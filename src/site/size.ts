const factors: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4, P: 5 };

/** `64 GB` -> 64e9, `64 GiB` -> 64 * 2 ** 30; undefined for anything else. */
export function bytes(size: string | undefined): number | undefined {
  const [, number, letter = '', binary] = /^([0-9]+(?:\.[0-9]+)?) ?([KMGTP])(i?)B$/.exec(size ?? '') ?? [];
  const power = factors[letter];
  if (number === undefined || power === undefined) return undefined;
  return Number(number) * (binary === 'i' ? 1024 : 1000) ** power;
}
