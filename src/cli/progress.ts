import { visibleLine } from '../report/visible.ts';
import type { Terminal } from './terminal.ts';

/** What each host is doing while it works, on standard error; nothing at all when that is not a terminal. */
export interface Progress {
  /** '' means that the host is finished. */
  set(host: string, doing: string): void;
  /** Takes the lines away, for a report or a question; the next `set` brings them back. */
  clear(): void;
}

interface Doing {
  readonly doing: string;
  readonly since: number;
}

/** Draws with log-update, which is loaded only for a terminal. Call `clear` before anything else is printed. */
export async function startProgress(terminal: Terminal): Promise<Progress> {
  if (!terminal.errIsTerminal || terminal.env.TERM === 'dumb') return { set: () => {}, clear: () => {} };
  const { createLogUpdate } = await import('log-update');
  const screen = createLogUpdate(process.stderr, { showCursor: true });
  const hosts = new Map<string, Doing>();
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    const lines = progressLines(hosts, terminal.now(), terminal.size());
    if (lines.length > 0) screen(lines.join('\n'));
    else screen.clear();
  };
  return {
    set: (host, doing) => {
      if (doing === '') hosts.delete(host);
      else if (hosts.get(host)?.doing !== doing) hosts.set(host, { doing, since: terminal.now() });
      // A timer of its own for "since"; it must not keep the process alive.
      timer ??= setInterval(draw, 1000).unref();
      draw();
    },
    clear: () => {
      clearInterval(timer);
      timer = undefined;
      hosts.clear();
      screen.clear();
    },
  };
}

/** One line per host, cut to the screen: a line that wraps or a list that scrolls cannot be redrawn. */
export function progressLines(
  hosts: ReadonlyMap<string, Doing>,
  now: number,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const width = Math.max(0, ...[...hosts.keys()].map((host) => visibleLine(host).length));
  const lines = [...hosts].map(([host, { doing, since }]) => {
    const seconds = `${Math.max(0, Math.floor((now - since) / 1000))} s`;
    const head = `${visibleLine(host).padEnd(width)}  ${seconds.padStart(6)}  `;
    return `${head}${visibleLine(doing)}`.slice(0, Math.max(1, columns - 1));
  });
  const room = Math.max(1, rows - 2);
  if (lines.length <= room) return lines;
  return [...lines.slice(0, room - 1), `and ${lines.length - room + 1} more hosts`.slice(0, columns - 1)];
}
