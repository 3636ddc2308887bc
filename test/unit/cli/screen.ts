import type { Terminal } from '../../../src/cli/terminal.ts';

export interface Screen extends Terminal {
  /** What was printed so far. */
  readonly printed: { out: string; err: string };
  readonly asked: string[];
  readonly ended: number[];
  /** Presses ^C. */
  interrupt(): void;
}

/** A terminal, or a pipe, that keeps what is printed and types what it is told to. */
export function screen(
  over: Partial<Terminal> & { readonly answers?: readonly string[]; readonly typed?: string } = {},
): Screen {
  const printed = { out: '', err: '' };
  const asked: string[] = [];
  const ended: number[] = [];
  const answers = [...(over.answers ?? [])];
  let handlers: (() => void)[] = [];
  return {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    outIsTerminal: false,
    errIsTerminal: false,
    interactive: false,
    ask: async (question) => {
      asked.push(question);
      return answers.shift() ?? '';
    },
    input: async () => Buffer.from(over.typed ?? ''),
    env: {},
    now: () => 1_700_000_000_000,
    nonce: () => '0123456789abcdef0123456789abcdef',
    controller: 'root@desk.lan',
    size: () => ({ columns: 80, rows: 24 }),
    onInterrupt: (handler) => {
      handlers.push(handler);
      return () => {
        handlers = handlers.filter((one) => one !== handler);
      };
    },
    end: (code) => {
      ended.push(code);
    },
    ...over,
    printed,
    asked,
    ended,
    interrupt: () => {
      for (const handler of handlers) handler();
    },
  };
}
