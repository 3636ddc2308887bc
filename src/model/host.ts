import type { Where } from './errors.ts';

export const platforms = ['pve', 'pbs', 'synology', 'truenas', 'linux'] as const;
export type Platform = (typeof platforms)[number];

/** A value that must not be seen: prints as dots, refuses JSON. `reveal()` is called only where bytes go to a host. */
export interface Secret {
  readonly name: string;
  reveal(): string;
}

export const sessionKinds = ['ssh', 'openssh', 'local', 'root'] as const;
export type SessionKind = (typeof sessionKinds)[number];

/** How a host is reached. */
export interface Connection {
  readonly session: SessionKind;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** 'none': log in as root. 'sudo': `sudo -n`; with a password it is written to sudo's standard input. */
  readonly become: 'none' | 'sudo';
  readonly password?: Secret | undefined;
  readonly identityFile?: string | undefined;
  /** Directory tree that a `root` session applies into. */
  readonly root?: string | undefined;
  /** Pinned /etc/machine-id: the right key on the wrong machine (a cloned disk) is refused. */
  readonly machineId?: string | undefined;
}

export interface Host {
  readonly name: string;
  readonly platform: Platform;
  readonly connection: Connection;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly from: Where;
}

/** What a resource type may know about the host it is on, besides its spec. */
export interface Context {
  readonly host: string;
  readonly platform: Platform;
  /** false in a `root` session: there is a file tree but no running system, so nothing can be active or mounted. */
  readonly live: boolean;
}
