/** One named part of what a script printed; `bytes` are exact. */
export interface Frame {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Cuts a script's output into its frames. A frame starts with the line `NONCE name`; the nonce is random for every run, so
 * banners, profile noise and hostile file contents cannot forge one. What comes before the first frame is noise and dropped.
 */
export function parseFrames(output: Buffer, nonce: string): Frame[] {
  const mark = Buffer.from(`\n${nonce} `);
  const frames: Frame[] = [];
  let at = output.indexOf(mark);
  while (at >= 0) {
    const nameStart = at + mark.length;
    const nameEnd = output.indexOf(0x0a, nameStart);
    if (nameEnd < 0) break;
    const next = output.indexOf(mark, nameEnd);
    frames.push({
      name: output.toString('utf8', nameStart, nameEnd),
      bytes: output.subarray(nameEnd + 1, next < 0 ? output.length : next),
    });
    at = next;
  }
  return frames;
}

/** Only this frame, printed last, says that a script ran to its end. An exit code says nothing: ssh loses and invents them. */
export function ended(frames: readonly Frame[]): boolean {
  return frames.at(-1)?.name === 'end';
}

/** Bytes of the first frame of this name. */
export function frame(frames: readonly Frame[], name: string): Buffer | undefined {
  return frames.find((candidate) => candidate.name === name)?.bytes;
}
