/** What a page shows to be typed: files, and commands with what they print. */
export type Step =
  | { readonly kind: 'file'; readonly line: number; readonly path: string; readonly text: string }
  | {
      readonly kind: 'command';
      readonly line: number;
      readonly command: string;
      /** From `# exit N` behind the command. */
      readonly exit: number;
      /** Lines of its output in their order; `...` stands for any number of others. */
      readonly output: readonly string[];
    };

/**
 * The steps of a page, in their order: ```console blocks are commands after `$ ` and their output, ```yaml blocks whose first line is
 * `# PATH` are files. Other blocks (```sh among them) are only read.
 */
export function steps(page: string): Step[] {
  const found: Step[] = [];
  let line = 1;
  for (const [index, part] of page.split(/^```/m).entries()) {
    if (index % 2 === 1) found.push(...block(part, line));
    line += part.split('\n').length - 1;
  }
  return found;
}

function block(part: string, line: number): Step[] {
  const [language, ...lines] = part.replace(/\n$/, '').split('\n');
  const path = /^# ([\w./-]+\.yaml)$/.exec(lines[0] ?? '')?.[1];
  if (language === 'yaml' && path !== undefined)
    return [{ kind: 'file', line, path, text: `${lines.join('\n')}\n` }];
  if (language !== 'console') return [];
  const found: { kind: 'command'; line: number; command: string; exit: number; output: string[] }[] = [];
  for (const [index, text] of lines.entries()) {
    const command = /^\$ (.*)$/.exec(text)?.[1];
    const last = found.at(-1);
    if (command !== undefined) {
      const exit = Number(/ # exit (\d+)\b/.exec(command)?.[1] ?? 0);
      found.push({ kind: 'command', line: line + index + 1, command, exit, output: [] });
    } else if (last === undefined) throw new Error(`line ${line + index + 1}: output without a command`);
    else last.output.push(text);
  }
  return found;
}

/** Lines that the page shows and the program did not print, in this order. Blanks at the ends and runs of blanks do not count. */
export function unsaid(shown: readonly string[], printed: string): string[] {
  const lines = printed.split('\n').map(squeezed);
  let at = 0;
  return shown.filter((line) => {
    if (line.trim() === '...' || line.trim() === '') return false;
    const found = lines.findIndex((one, index) => index >= at && one.startsWith(squeezed(line)));
    if (found < 0) return true;
    at = found + 1;
    return false;
  });
}

function squeezed(text: string): string {
  return text
    .replace(/\x1b\[[0-9;]*m/g, '')
    .trim()
    .replace(/\s+/g, ' ');
}
