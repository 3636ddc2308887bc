/** All that a command gets from the process it runs in. Clock, randomness and the environment enter here and nowhere else. */
export interface Terminal {
  /** Standard output: the report, and nothing but the report. */
  out(text: string): void;
  /** Standard error: errors, questions, progress. */
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** A person can be asked: there is a keyboard, and a screen for the question. */
  readonly interactive: boolean;
  /** One line typed by a person, without its line break; '' at the end of input. `hidden`: nothing typed is shown. */
  ask(question: string, options?: { readonly hidden?: boolean }): Promise<string>;
  /** All of standard input. */
  input(): Promise<Buffer>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** 32 random hexadecimal characters. */
  nonce(): string;
  /** `user@machine`, told to hosts for "locked by". */
  readonly controller: string;
  /** Columns and rows of standard error. */
  size(): { readonly columns: number; readonly rows: number };
  /** Calls `handler` on ^C in place of ending at once; returns how to stop that. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process now, for ^C. */
  end(code: number): void;
}
