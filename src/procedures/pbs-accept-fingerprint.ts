import { showWhere } from '../model/errors.ts';
import type { Answers, ComputedProcedure, Question, Reason } from '../model/procedure.ts';
import { storageFormat } from '../resources/pve-storage-format.ts';
import { brokenIn } from '../resources/pve-storage-trouble.ts';
import { parsePerlSections } from '../resources/section-config-perl.ts';
import { sh } from '../shell/sh.ts';
import { backupServers } from './pbs-look.ts';
import { no, unknown } from './reasons.ts';
import { allFacts, fact, saidBy } from './said.ts';
import { hostAt, hostNamed, type ProcedureSite, type StorageWish } from './site.ts';

export const acceptFingerprint: ComputedProcedure<ProcedureSite> = {
  id: 'pbs/accept-fingerprint',
  about:
    'Tells every storage on a backup server the fingerprint of its new certificate, once a person has confirmed it.',
  notes: `The certificate is read on the backup server itself and its fingerprint shown. It is written nowhere before it was given with
\`--set fingerprint=...\`: compare it with what the console of the server shows (\`proxmox-backup-manager cert info\`), not with what this program
prints. Then every node of the inventory whose storage points to that server is told by \`pvesm set\`, and the lines of the inventory that
hold the old one are named: until they are changed, the next \`apply\` would put the old one back.

A certificate of a public authority changes with every renewal: such a one is not to be pinned at all.`,
  parameters: {
    fingerprint: {
      type: 'string',
      pattern: '^([0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$',
      default: null,
      description: 'SHA-256 of the certificate, as the console of the server shows it.',
    },
  },
  expands: true,
  hosts: (site) => [
    ...backupServers(site),
    ...site.hosts.filter((one) => serverOf(site, one.name)).map(({ name }) => name),
  ],
  questions: (site, host) => {
    const pbs = serverOf(site, host) ?? host;
    return [
      certificateQuestion(pbs),
      ...storagesOn(site, pbs).map(({ node, storage }) => storageQuestion(node, storage.id)),
    ];
  },
  plan: (site, host, { fingerprint }, answers) => {
    const pbs = serverOf(site, host) ?? host;
    const refuse = (refused: Reason, found: readonly string[] = []) => ({ found, steps: [], refused });
    const now = certificateIn(answers, pbs);
    if (typeof now !== 'string') return refuse(now);
    const storages = storagesOn(site, pbs);
    const seen = storages.map((one) => ({ ...one, has: storageIn(answers, one.node, one.storage.id) }));
    const found = [
      `the certificate of ${pbs} has the fingerprint ${now}`,
      ...seen.map(({ node, storage, has }) =>
        typeof has === 'string'
          ? `the storage ${storage.id} of ${node} ${has === now ? 'has it' : has === '' ? 'has none' : `has ${has}`}`
          : has.why,
      ),
      ...storages.flatMap(({ node, storage }) =>
        plain(storage.fingerprint ?? '') === now
          ? []
          : [
              `to be changed in the inventory, ${showWhere(storage.from)}: fingerprint of ${storage.id} for ${node}: ${now}`,
            ],
      ),
      ...declaredLine(site, pbs, now),
    ];
    if (seen.length === 0) return refuse(no(`no storage of the inventory is on ${pbs}`), found);
    const broken = storages.flatMap(({ node, storage }) => brokenOn(answers, node, storage.id) ?? [])[0];
    if (broken) return refuse(broken, found);
    const lost = seen.find(({ has }) => typeof has !== 'string')?.has;
    if (lost !== undefined && typeof lost !== 'string') return refuse(lost, found);
    if (fingerprint === undefined) {
      const how = `compare it with what the console of ${pbs} shows (proxmox-backup-manager cert info), then add --set fingerprint=... Nothing was changed`;
      return refuse(no('the fingerprint has to be confirmed by a person', how), found);
    }
    if (plain(String(fingerprint)) !== now) {
      const how =
        'somebody may stand in between, or it was changed once more: find out before anything trusts it. Nothing was changed';
      return refuse(no(`${String(fingerprint)} is not the fingerprint of ${pbs}`, how), found);
    }
    return {
      found,
      steps: storages.map(({ node, storage }) => ({
        host: node,
        about: `tell the storage ${storage.id} of ${node} the new fingerprint`,
        run: sh`pvesm set ${storage.id} --fingerprint ${now}`,
        limit: 60,
        questions: [certificateQuestion(pbs), storageQuestion(node, storage.id)],
        guard: (answer: Answers) => {
          const certificate = certificateIn(answer, pbs);
          if (typeof certificate !== 'string') return certificate;
          return certificate === now
            ? brokenOn(answer, node, storage.id)
            : no(`the certificate of ${pbs} has changed once more: ${certificate}`);
        },
        verify: (answer: Answers) => {
          const has = storageIn(answer, node, storage.id);
          if (typeof has !== 'string') return has;
          return has === now ? null : no(`it has ${has || 'none'}`);
        },
        within: 15,
      })),
    };
  },
};

/** The inventory also says what certificate the server itself has; half of a change would be two that differ. */
function declaredLine(site: ProcedureSite, pbs: string, now: string): string[] {
  const declared = hostNamed(site, pbs)?.values.get('pbs')?.fingerprint;
  if (typeof declared !== 'string' || plain(declared) === now) return [];
  return [
    `to be changed in the inventory: pbs.fingerprint of ${pbs}, on the line that \`provision explain --host ${pbs} pbs.fingerprint\` shows: ${now}`,
  ];
}

/** The backup server that a node stores on, where it is exactly one. */
function serverOf(site: ProcedureSite, name: string): string | undefined {
  const storages = hostNamed(site, name)?.storages ?? [];
  const servers = new Set(
    storages.flatMap(({ type, server }) => (type === 'pbs' ? (hostAt(site, server ?? '')?.name ?? []) : [])),
  );
  return servers.size === 1 ? [...servers][0] : undefined;
}

function storagesOn(site: ProcedureSite, pbs: string): { node: string; storage: StorageWish }[] {
  return site.hosts.flatMap((host) =>
    host.storages
      .filter(({ type, server }) => type === 'pbs' && hostAt(site, server ?? '')?.name === pbs)
      .map((storage) => ({ node: host.name, storage })),
  );
}

/** "sha256 Fingerprint=AB:CD" and "ab:cd" are one fingerprint. */
function plain(text: string): string {
  return text.slice(-95).toLowerCase();
}

function certificateQuestion(host: string): Question {
  return {
    host,
    limit: 20,
    look: sh`said=$(limited 10 'openssl x509 -in /etc/proxmox-backup/proxy.pem -noout -fingerprint -sha256') ||
  said=$(limited 10 'proxmox-backup-manager cert info' | sed -n 's/^Fingerprint (sha256): *//p')
printf 'certificate\tsha256\t%s\n' "$said"`,
  };
}

function certificateIn(answers: Answers, host: string): string | Reason {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  const text = plain(fact(said, 'certificate', 'sha256'));
  return /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/.test(text)
    ? text
    : unknown(`the certificate of ${host} could not be read`);
}

/** The section of this storage alone, for a key below another one is none of its own; and the whole file, without what is a password in it. */
function storageQuestion(host: string, id: string): Question {
  return {
    host,
    limit: 20,
    look: sh`rc=0
said=$(ask pmxcfs 5 'cat ./etc/pve/storage.cfg') || rc=$?
set +f
for file in ./usr/share/perl5/PVE/Storage/Custom/*.pm; do [ ! -e "$file" ] || printf 'storage:%s\tplugins\tyes\n' ${id}; done
set -f
[ "$rc" -eq 0 ] && printf '%s\n' "$said" | awk -v id=${id} '
  /^[ \t]+password([ \t]|$)/ { sub(/password.*/, "password -") }
  { print "storage:" id "\tfile\t" $0 }
  /^[a-z]+:/ { mine = $1 == "pbs:" && $2 == id; if (mine) print "storage:" id "\tthere\tyes" }
  mine && $1 == "fingerprint" { print "storage:" id "\tfingerprint\t" $2 }'
printf 'storage:%s\tread\t%s\n' ${id} "$rc"`,
  };
}

/** Why `pvesm` must not write the file now: it would fail, or drop for good what Proxmox cannot read in it. Null: it may. */
function brokenOn(answers: Answers, host: string, id: string): Reason | null {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  const key = `storage:${id}`;
  if (fact(said, key, 'read') !== '0') return unknown(`the storages of ${host} could not be read`);
  const file = parsePerlSections(allFacts(said, key, 'file').join('\n'), storageFormat);
  const broken = brokenIn(file, fact(said, key, 'plugins') === 'yes');
  if (broken === undefined) return null;
  return no(
    `on ${host} ${broken}`,
    'correct that first: a change through Proxmox would fail now, or remove for good what it cannot read. Nothing was changed',
  );
}

function storageIn(answers: Answers, host: string, id: string): string | Reason {
  const said = saidBy(answers, host);
  if (typeof said === 'string') return unknown(said);
  const key = `storage:${id}`;
  if (fact(said, key, 'read') !== '0') return unknown(`the storages of ${host} could not be read`);
  if (fact(said, key, 'there') !== 'yes')
    return no(`${host} has no storage ${id}`, 'provision apply makes it. Nothing was changed');
  return plain(fact(said, key, 'fingerprint'));
}
