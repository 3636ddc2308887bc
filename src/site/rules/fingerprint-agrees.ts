import { hostAt, type Picture, type PictureHost } from '../picture.ts';
import { defineRule } from '../rule.ts';

export const fingerprintAgrees = defineRule(
  {
    code: 'fingerprint-agrees',
    level: 'error',
    about: 'A storage pins the certificate that the backup server is said to have.',
    why: 'With another fingerprint, or none, every backup ends with "certificate validation failed".',
    compares: [
      'fingerprint of the storage',
      'the fingerprint that the role pbs or a check of the certificate names',
    ],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      host.storages
        .filter(({ type }) => type === 'pbs')
        .flatMap(({ id, server, fingerprint, where }) => {
          const pbs = hostAt(picture, server ?? '');
          const has = pbs && certificateOf(picture, pbs);
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
              procedure: `provision run pbs/accept-fingerprint --host ${pbs.name}`,
            },
          ];
        }),
    ),
);

/** What the server itself is said to have, else what a check of it expects. */
function certificateOf({ hosts }: Picture, pbs: PictureHost): PictureHost['fingerprint'] {
  const checked = hosts
    .flatMap(({ certificates }) => certificates)
    .filter(({ server }) => server === pbs.name);
  return pbs.fingerprint ?? checked[0];
}

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
