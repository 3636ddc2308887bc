/** What a line of a backup log points to. */
export interface LogCause {
  /** A word of the closed list that states and symptoms use. */
  readonly code: string;
  /** `failure`: the backup cannot be relied on; `warning`: it was made, with something to know; `note`: as it should be. */
  readonly weight: 'failure' | 'warning' | 'note';
  readonly pattern: RegExp;
  /** Where the trouble lies: the storage the backup goes to, the guest, or the node as a whole. */
  readonly of: 'storage' | 'guest' | 'node';
  readonly cause: string;
  readonly remedy: string;
}

/**
 * Texts of vzdump, rsync, tar, zstd, QEMU and the backup client, each with what it means. The first pattern that fits a line counts, so
 * what is more exact stands above what is more general.
 */
export const logCauses: readonly LogCause[] = [
  {
    code: 'lock-timeout',
    weight: 'failure',
    pattern: /can't acquire lock '[^']*vzdump\.lock'|got unexpected control message/,
    of: 'node',
    cause: 'another vzdump on this node held the global lock until the waiting was given up',
    remedy:
      'find the worker that holds it and end it with `provision run vzdump/unstick`; never remove the lock file, it means nothing by being there',
  },
  {
    code: 'chunk-store',
    weight: 'failure',
    pattern: /unable to open chunk store\b/,
    of: 'storage',
    cause:
      'the backup server cannot open its chunk store: the mount is gone, or the server holds handles of one that is gone',
    remedy:
      'run the checks of the backup server; with a healthy mount restart it by `provision run pbs/restart-stale`, else mend the mount by `provision run pbs/remount`',
  },
  {
    code: 'fingerprint',
    weight: 'failure',
    pattern:
      /fingerprint was not confirmed|fingerprint '[^']*' not verified|certificate (validation|verify) failed/i,
    of: 'storage',
    cause:
      'the certificate of the backup server is not the one that the storage of this node was told to expect',
    remedy: 'compare both and accept the new one by `provision run pbs/accept-fingerprint`',
  },
  {
    code: 'no-space',
    weight: 'failure',
    pattern: /no space left on device|disk quota exceeded|not enough (free )?space/i,
    of: 'storage',
    cause: 'there was no room left, on the storage or where vzdump keeps its temporary files',
    remedy: 'see which of the two is full; prune and collect garbage there, or give it more room',
  },
  {
    code: 'guest-locked',
    weight: 'failure',
    pattern:
      /\b(VM|CT)( \d+)? is (already )?locked\b|can't lock file '[^']*(lock-\d+\.conf|pve-config-\d+\.lock)'/i,
    of: 'guest',
    cause:
      'the guest is locked by something that runs, or by something that ended without taking its lock away',
    remedy: 'see who holds it, and unlock it once nothing runs, by `provision run vzdump/unstick`',
  },
  {
    code: 'storage-unreachable',
    weight: 'failure',
    pattern:
      /\b(connection refused|connection timed out|no route to host|can't connect to|tcp connect error|network is unreachable)\b/i,
    of: 'storage',
    cause: 'the server of the storage was not reached',
    remedy: 'see whether it runs and whether its address is still the one of the storage',
  },
  {
    code: 'storage-offline',
    weight: 'failure',
    pattern:
      /storage '[^']*' is not (online|available)|could not activate storage|unable to activate storage|storage '[^']*' does not exist|storage '[^']*' is disabled|error fetching datastores|is not online$/i,
    of: 'storage',
    cause: 'the storage could not be used',
    remedy: 'see with `pvesm status` what it says, and whether its server answers',
  },
  {
    code: 'stale-mount',
    weight: 'failure',
    pattern: /stale (NFS )?file handle|input\/output error|transport endpoint is not connected/i,
    of: 'storage',
    cause: 'the mount of the storage, or a disk of the guest, gave an error when it was read or written',
    remedy: 'see whether the mount answers, and whether the pool below the guest has errors',
  },
  {
    code: 'denied',
    weight: 'failure',
    pattern:
      /\b40[13]:? (unauthorized|permission|authentication)|authentication failed|permission check failed|missing permissions/i,
    of: 'storage',
    cause:
      'the backup server does not let this user do what was asked; pruning counts too, and then the whole backup counts as failed',
    remedy:
      'see the rights of its token; a token that may only back up must not be made to prune (`prune_backups: {keep-all: true}`)',
  },
  {
    code: 'not-permitted',
    weight: 'failure',
    pattern: /operation not permitted/i,
    of: 'storage',
    cause:
      'owners, modes or times could not be set where the files went: the export squashes root, or its ACL mode forbids it',
    remedy:
      'keep temporary files on a local disk (`tmpdir`), and mend the export by `provision run nfs/repair-permissions`',
  },
  {
    code: 'file-vanished',
    weight: 'warning',
    pattern: /file has vanished|some files vanished before they could be transferred/i,
    of: 'guest',
    cause: 'files went away while they were copied: the guest was busy',
    remedy: 'back this guest up in mode stop',
  },
  {
    code: 'mode-fallback',
    weight: 'warning',
    pattern: /mode failure - some volumes do not support snapshots|trying 'suspend' mode instead/,
    of: 'guest',
    cause:
      'a volume of the container has no snapshots, so that the whole of it was copied with rsync while it went on working',
    remedy: 'give it mode stop, or move the volume to a storage with snapshots',
  },
  {
    code: 'agent-silent',
    weight: 'warning',
    pattern:
      /guest-fsfreeze-(freeze|thaw)' failed|guest agent is not running|skipping guest-agent 'fs-freeze'/i,
    of: 'guest',
    cause: 'the guest agent did not answer: file systems were not frozen',
    remedy: 'see whether the agent runs in the guest, or say `agent: false` for it',
  },
  {
    code: 'hook-failed',
    weight: 'failure',
    pattern: /hook script|command '[^']*hook[^']*' failed/i,
    of: 'node',
    cause: 'the hook script ended with an error',
    remedy: 'see what it wrote, and whether it may be executed',
  },
  {
    code: 'interrupted',
    weight: 'failure',
    pattern: /interrupted by signal|received interrupt|backup cancelled|job was canceled/i,
    of: 'guest',
    cause: 'somebody or something ended it',
    remedy: 'start it once more',
  },
  {
    code: 'excluded-bind',
    weight: 'note',
    pattern: /excluding (bind|device|volume) mount point/,
    of: 'guest',
    cause: 'a mount point is not in the backup, as configured',
    remedy: '',
  },
];

/** The first cause that fits a line. */
export function causeOf(line: string): LogCause | undefined {
  return logCauses.find(({ pattern }) => pattern.test(line));
}
