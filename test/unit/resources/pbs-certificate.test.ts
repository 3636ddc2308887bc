import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pbs_certificate } from '../../../src/resources/pbs-certificate.ts';
import { hasBusybox, newTree, shells } from './tree.ts';

const file = 'etc/proxmox-backup/proxy.pem';

describe.each(shells.filter((shell) => shell === 'dash' || hasBusybox))('pbs_certificate on %s', (shell) => {
  const tree = newTree(shell);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
  const make = (name: string): string => {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '9'];
    const path = tree.path(name);
    openssl('req', '-x509', ...kind, '-subj', '/CN=pbs.lan', '-keyout', tree.path('key'), '-out', path);
    return openssl('x509', '-in', path, '-noout', '-fingerprint', '-sha256').trim();
  };
  const spec = (fingerprint: string) => ({ pbs_certificate: 'pbs', fingerprint });
  const bare = (print: string): string => print.slice(-95);

  it('reads the first certificate of the file as openssl does, in whatever form the fingerprint is written', () => {
    const [first, second] = [make('first'), make('second')];
    mkdirSync(tree.path('etc/proxmox-backup'));
    expect(tree.have(pbs_certificate, spec(first))).toBeNull();
    const chain = tree.sh('printf "a remark\\n"; cat first second');
    writeFileSync(tree.path(file), chain);
    for (const print of [first, bare(first), bare(first).toLowerCase(), `SHA256:${bare(first)}`])
      expect(tree.differs(pbs_certificate, spec(print))).toEqual([]);
    expect(tree.differs(pbs_certificate, spec(second))).toEqual(['fingerprint']);
    const told = pbs_certificate.symptoms?.(tree.read(pbs_certificate, spec(second)), spec(second) as never);
    expect(told).toMatchObject([
      { code: 'certificate-changed', of: 'pbs:pbs', data: { fingerprint: bare(first).toLowerCase() } },
    ]);
  });

  it('finds no fingerprint in what is no certificate', () => {
    writeFileSync(
      tree.path(file),
      '-----BEGIN CERTIFICATE-----\nTm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n',
    );
    expect(tree.read(pbs_certificate, spec('00:'.repeat(31)))).toHaveProperty('unknown');
    writeFileSync(tree.path(file), '');
    expect(tree.read(pbs_certificate, spec('00:'.repeat(31)))).toHaveProperty('unknown');
  });
});
