import { createHash } from 'node:crypto';
import type { Symptom } from '../model/finding.ts';
import { defineType, type Facts } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { eachPath } from '../shell/paths.ts';
import { lines, sh } from '../shell/sh.ts';
import { pathSchema } from './properties.ts';

export interface PbsCertificateSpec {
  readonly pbs_certificate: string;
  readonly fingerprint: string;
  readonly path?: string;
}

const usual = '/etc/proxmox-backup/proxy.pem';

/** Whether the certificate of a backup server is still the one that its clients were told of. */
export const pbs_certificate = defineType<PbsCertificateSpec>({
  name: 'pbs_certificate',
  about:
    'Whether the certificate of a Proxmox Backup Server is the one with the fingerprint that its clients expect. Upper or lower case, with or without a prefix, is all the same.',
  example:
    'pbs_certificate: pbs\nfingerprint: 8f:6d:0b:5c:1f:2a:3e:4d:5c:6b:7a:89:98:a7:b6:c5:d4:e3:f2:01:10:2f:3e:4d:5c:6b:7a:89:98:a7:b6:c5\n',
  checkOnly: true,
  schema: {
    type: 'object',
    required: ['pbs_certificate', 'fingerprint'],
    additionalProperties: false,
    properties: {
      pbs_certificate: {
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
        description: 'Name of the server in the inventory.',
      },
      fingerprint: {
        type: 'string',
        pattern: '^([A-Za-z0-9() -]*[:=] ?)?([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$',
        description:
          'SHA-256 of the certificate in pairs of hexadecimal digits, as `proxmox-backup-manager cert info` or `openssl x509 -fingerprint -sha256` print it.',
      },
      path: { ...pathSchema, description: `File of the certificate (default ${usual}).` },
    },
  },
  identity: (spec) => spec.pbs_certificate,
  needs: (spec) => [`path:${spec.path ?? usual}`],
  want: (spec) => ({ fingerprint: plainFingerprint(spec.fingerprint) }),
  observe: (specs) => lines(specs.map(look)),
  read,
  symptoms,
  steps: () => [],
});

/** "sha256 Fingerprint=AB:CD" and "ab:cd" are one fingerprint. */
function plainFingerprint(text: string): string {
  return text.slice(-95).toLowerCase();
}

/** The file may hold a chain: its first certificate is the one that is shown to clients. */
function look(spec: PbsCertificateSpec): Sh {
  return sh`${eachPath([spec.path ?? usual], body)} | awk -v id=${spec.pbs_certificate} 'BEGIN { FS = "\t"; OFS = "\t" } { $1 = id; print }'`;
}

const body = String.raw`for p do
  if [ -f "$p" ] && [ -r "$p" ]; then
    printf '%s\tcertificate\t' "${'$'}{p#.}"
    awk '/-----END CERTIFICATE-----/ { exit } on { gsub(/[^A-Za-z0-9+\/=]/, ""); printf "%s", $0 } /-----BEGIN CERTIFICATE-----/ { on = 1 }' "$p"
    echo
  else why_missing "$p"; fi
done`;

function read(facts: Facts): Observed {
  if (facts.get('absent') !== undefined) return { have: null };
  const text = facts.get('certificate');
  if (text === undefined) return { unknown: 'the certificate was not looked at' };
  const der = Buffer.from(text, 'base64');
  // A certificate is a sequence of its own length: anything else has no fingerprint worth comparing.
  if (der.length < 64 || der[0] !== 0x30)
    return { unknown: 'the file holds no certificate that can be read' };
  const hex = createHash('sha256').update(der).digest('hex');
  return { have: { fingerprint: hex.replace(/(..)(?=.)/g, '$1:') } };
}

function symptoms(observed: Observed, spec: PbsCertificateSpec): Symptom[] {
  if ('unknown' in observed) return [];
  const of = `pbs:${spec.pbs_certificate}`;
  const found = observed.have?.fingerprint;
  if (typeof found !== 'string')
    return [{ code: 'certificate-missing', of, says: 'the server has no certificate' }];
  if (found === plainFingerprint(spec.fingerprint)) return [];
  const says = `its certificate has the fingerprint ${found}`;
  return [{ code: 'certificate-changed', of, says, data: { fingerprint: found } }];
}
