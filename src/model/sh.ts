/** Bytes that travel inside the script and lie on the host, hash-checked, before the first change is made. */
export interface Blob {
  readonly bytes: Buffer;
  /** sha256, lower-case hex; also the file name on the host. */
  readonly hash: string;
}

/** Shell text for POSIX sh. Made only by the `sh` template (src/shell/sh.ts), which quotes every value. */
export interface Sh {
  readonly text: string;
  readonly blobs: readonly Blob[];
}
