export interface PbsToken {
  readonly name: string;
  readonly comment?: string;
  readonly enable?: boolean;
}

export interface PbsAclEntry {
  readonly path: string;
  readonly role: string;
  readonly propagate?: boolean;
  readonly token?: string;
}

export interface PbsUserSpec {
  readonly pbs_user: string;
  readonly comment?: string;
  readonly email?: string;
  readonly enable?: boolean;
  readonly expire?: number;
  readonly tokens?: readonly PbsToken[];
  readonly acl?: readonly PbsAclEntry[];
  readonly state?: 'present';
}

/** Names of properties of a user's state. */
export function tokenName(name: string): string {
  return `token ${name}`;
}

export function rightName({ path, role, token }: PbsAclEntry): string {
  return token === undefined ? `${role} at ${path}` : `${role} at ${path} of token ${token}`;
}
