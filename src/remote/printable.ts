/** What a host says may hold control characters that drive the terminal. At most 500 characters. */
export function printable(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ')
    .trim()
    .slice(0, 500);
}
