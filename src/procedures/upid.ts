/** A task of Proxmox: `UPID:node:PID:PSTART:STARTTIME:type:id:user:`, numbers in hexadecimal. */
export interface Upid {
  readonly text: string;
  readonly node: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: only together with it a process number means this one process. */
  readonly start: number;
  /** Epoch seconds. */
  readonly began: number;
  readonly type: string;
  /** The guest; '' for a job over several. */
  readonly id: string;
}

const form =
  /^UPID:([A-Za-z0-9-]+):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8}):([^:/\s]+):([^:/\s]*):([^:/\s]+):$/;

/** null for what is none. */
export function parseUpid(text: string): Upid | null {
  const [, node = '', pid = '', start = '', began = '', type = '', id = ''] = form.exec(text) ?? [];
  if (type === '') return null;
  const number = (hex: string): number => Number.parseInt(hex, 16);
  return { text, node, pid: number(pid), start: number(start), began: number(began), type, id };
}
