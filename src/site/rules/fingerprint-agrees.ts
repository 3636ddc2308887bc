import { hostAt } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const fingerprintAgrees = defineRule(
  {
    code: 'fingerprint-agrees',
    level: 'error',
    about: 'A storage pins the certificate that the backup server is said to have.',
    why: 'With another fingerprint, or none, every backup ends with "certificate validation failed".',
    compares: ['fingerprint of the storage', 'fingerprint of the role pbs'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.storages
        .filter(({ type }) => type === 'pbs')
        .flatMap(({ id, server, fingerprint, where }) => {
          const pbs = hostAt(picture, server ?? '');
          const has = pbs?.fingerprint;
          if (pbs === undefined || has === undefined) return [];
          if (fingerprint !== undefined && bare(fingerprint) === bare(has.value)) return [];
          const pins = fingerprint === undefined ? 'pins no fingerprint' : `pins ${short(fingerprint)}`;
          return [
            {
              hosts: [host.name, pbs.name],
              about: `storage:${id}`,
              message: `the storage ${id} of ${host.name} ${pins}, and the certificate of ${pbs.name} has ${short(has.value)}`,
              hint: `compare with what ${pbs.name} shows on its own console, then write that into both places`,
              where,
              against: has.where,
              procedure: `provision run pbs/accept-fingerprint --host ${host.name}`,
            },
          ];
        }),
    ),
);

/** Written in either case, with the prefix of openssl or without. */
function bare(fingerprint: string): string {
  return fingerprint
    .replace(/^.*=/, '')
    .replace(/[^0-9a-fA-F]/g, '')
    .toLowerCase();
}

function short(fingerprint: string): string {
  return `${fingerprint.toLowerCase().slice(0, 23)}...`;
}
