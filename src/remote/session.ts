/** What one script may take, and who wants to see its output early. */
export interface RunOptions {
  /** Milliseconds the whole command may take; then `end: 'lost'`. */
  readonly limit: number;
  /** Called with stdout bytes as they arrive (progress). */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface RunResult {
  /** The exact bytes, in front of them whatever a login shell printed. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /**
   * 'lost': the connection went away or the limit passed; what the host did is not known.
   * An `openssh` session cannot tell a signal or a silent cut from `exit 255`: only the end marker of a script proves its end.
   */
  readonly end: 'exit' | 'signal' | 'lost';
  /** null unless `end` is 'exit'. */
  readonly code: number | null;
}

/** One way to a host. Sends a script to `/bin/sh -s` there. */
export interface Session {
  /** `/`, or the tree of a `root` session: absolute, links resolved. */
  readonly root: string;
  /** false when there is a tree but no running system. */
  readonly live: boolean;
  /**
   * Rejects with ProvisionError (unreachable, refused) only when the script certainly did not start; afterwards it resolves,
   * exactly once, within `limit`.
   */
  run(script: string | Buffer, options: RunOptions): Promise<RunResult>;
  /** May be called twice, and while a script runs: that run ends 'lost'. Never hangs. */
  close(): Promise<void>;
}

/** What connecting needs besides the Host. */
export interface Contact {
  /** Path of the pinned keys file (inventory/known_hosts). */
  readonly knownHosts: string;
  /** HOME, SSH_AUTH_SOCK, ...: the environment enters at cli. */
  readonly env: NodeJS.ProcessEnv;
}
