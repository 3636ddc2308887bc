import { type Change, defineType, type Facts, type SpecMistake, type Step } from '../model/resource.ts';
import type { Sh } from '../model/sh.ts';
import type { Observed } from '../model/state.ts';
import { blob, lines, sh } from '../shell/sh.ts';
import { canonicalClient, clientPattern } from './export-options.ts';
import {
  flavors,
  type NfsRule,
  readRules,
  ruleKeys,
  ruleObject,
  ruleRow,
  ruleState,
  squashes,
} from './synology-nfs-rule-text.ts';
import { askFlat, callFlat, callWords, errorText, unanswered, webapiFunctions } from './synowebapi.ts';

export interface NfsRuleSpec {
  readonly synology_nfs_rule: string;
  readonly rules: readonly NfsRule[];
}

const api = 'SYNO.Core.FileServ.NFS.SharePrivilege';

/** All NFS rules of one share: DSM makes /etc/exports from them. */
export const synologyNfsRule = defineType<NfsRuleSpec>({
  name: 'synology_nfs_rule',
  about:
    'All NFS rules of a share of a Synology (DSM 7): DSM writes /etc/exports from them, and would undo whatever is written there by hand. The set is kept as a whole; saving one rule replaces all of them.',
  example: `synology_nfs_rule: Backup
rules:
  - client: 10.10.0.0/24
    privilege: rw
    root_squash: root
    async: false
    insecure: false
    crossmnt: false
    security_flavor: [sys]
`,
  needsLive: true,
  tools: ['synowebapi'],
  limit: () => 30,
  stepLimit: 300,
  schema: {
    type: 'object',
    required: ['synology_nfs_rule', 'rules'],
    additionalProperties: false,
    properties: {
      synology_nfs_rule: {
        type: 'string',
        pattern: '^[A-Za-z0-9_]([A-Za-z0-9 _.-]{0,30}[A-Za-z0-9_-])?$',
        description: 'Name of the share.',
      },
      rules: {
        type: 'array',
        maxItems: 64,
        description: 'All of them, one for each client; none: the share is not exported.',
        items: {
          type: 'object',
          required: [...ruleKeys, 'security_flavor'],
          additionalProperties: false,
          properties: {
            client: {
              type: 'string',
              pattern: clientPattern,
              maxLength: 255,
              description: 'Address, network (10.10.0.0/24), host name, `*` or `*.domain`.',
            },
            privilege: { enum: ['rw', 'ro'], description: 'Read and write, or read only.' },
            root_squash: {
              enum: Object.keys(squashes),
              description:
                'Words of DSM. `root`: root stays root (no_root_squash). `admin`, `guest`: root becomes that user. `all_admin`, `all_guest`: everybody does.',
            },
            async: {
              type: 'boolean',
              description: 'Answer before it is on disk; a crash then loses writes.',
            },
            insecure: { type: 'boolean', description: 'Ports above 1023 as well.' },
            crossmnt: { type: 'boolean', description: 'Subvolumes and mounts below it as well.' },
            security_flavor: {
              type: 'array',
              minItems: 1,
              uniqueItems: true,
              items: { enum: [...flavors] },
              description: '`sys` is the usual one; the others need Kerberos.',
            },
          },
        },
      },
    },
  },
  mistakes,
  identity: (spec) => spec.synology_nfs_rule,
  provides: (spec) => [`nfs-rules:${spec.synology_nfs_rule.toLowerCase()}`],
  needs: (spec) => [`share:${spec.synology_nfs_rule.toLowerCase()}`],
  want: (spec) => ruleState(spec.rules.map((rule): unknown[] => JSON.parse(ruleRow(rule)))),
  observe,
  read,
  refuse,
  steps,
});

function mistakes(spec: NfsRuleSpec): SpecMistake[] {
  const seen = new Set<string>();
  return spec.rules.flatMap(({ client }, index) => {
    const canonical = canonicalClient(client);
    const again = seen.has(canonical);
    seen.add(canonical);
    if (!again) return [];
    return [
      {
        at: ['rules', String(index), 'client'],
        says: `is "${client}", which has a rule already: DSM keeps both and does not say which one counts`,
      },
    ];
  });
}

function loadWords(share: string): string[] {
  // Another name for it, such as `name`, is answered with 2301.
  return callWords(api, 'load', { share_name: share });
}

/** Prints for every share `build`, `answer`, then `error CODE` or one line `rule JSON` for each, and `extra KEY` for keys unknown here. */
function observe(specs: readonly NfsRuleSpec[]): Sh {
  return lines([
    webapiFunctions,
    ruleFunction,
    sh`[ -n "$ROOT" ] || build=$(dsm_build)`,
    ...specs.map(
      ({ synology_nfs_rule: share }) => sh`[ -n "$ROOT" ] || {
printf 'build\t%s\n' "$build"
${askFlat(loadWords(share))}
} | rules_of ${share}`,
    ),
  ]);
}

/** Rules as one line of JSON each, in the order of `ruleRow`. */
const ruleProgram = `BEGIN {
  FS = OFS = "\\t"
  n = split("client privilege root_squash async insecure crossmnt security_flavor.sys security_flavor.kerberos security_flavor.kerberos_integrity security_flavor.kerberos_privacy", key, " ")
  for (i = 1; i <= n; i++) known[key[i]] = 1
  id = ENVIRON["SHARE"]
}
$1 == "build" { build = $2 }
$1 == "rc" { rc = $2 }
$1 == "flat" {
  value[$2] = $3
  if ($2 !~ /^data\\.rule\\.[0-9]+\\./) next
  split($2, part, ".")
  if (part[3] + 1 > rules) rules = part[3] + 1
  name = $2
  sub(/^data\\.rule\\.[0-9]+\\./, "", name)
  if (!(name in known) && !(name in seen)) { seen[name] = 1; extra[++others] = name }
}
END {
  if (build != "") print id, "build", build
  answer = "whole"
  if (rc == 124) answer = "late"
  else if (value["end"] != "yes") answer = "none"
  else if (value["success"] == "true") {
    if (!rules && value["data.rule"] != "[]") answer = "other"
  } else if (value["error.code"] == "") answer = "other"
  print id, "answer", answer
  if (answer != "whole") exit
  if (value["success"] != "true") { print id, "error", value["error.code"]; exit }
  for (r = 0; r < rules; r++) {
    line = ""
    for (i = 1; i <= n; i++) {
      path = "data.rule." r "." key[i]
      line = line (i > 1 ? "," : "") (path in value ? value[path] : "null")
    }
    print id, "rule", "[" line "]"
  }
  for (i = 1; i <= others; i++) print id, "extra", extra[i]
}`;

const ruleFunction = sh`rules_of() { SHARE=$1 awk ${ruleProgram}; }`;

function read(facts: Facts, spec: NfsRuleSpec): Observed {
  const unknown = unanswered(facts);
  if (unknown !== null) return { unknown };
  const code = facts.get('error');
  if (code === '2370' || code === '402')
    return { have: null, blocked: `DSM has no share ${spec.synology_nfs_rule}` };
  if (code !== undefined) return { unknown: errorText(facts, code) };
  const rows = readRules(facts);
  if (rows === null)
    return { unknown: `DSM ${facts.get('build') ?? ''} writes NFS rules in a form that is not known here` };
  const extra = facts.all('extra');
  return { have: { ...ruleState(rows), ...(extra.length > 0 ? { other_keys: extra.join(', ') } : {}) } };
}

function refuse({ have, context }: Change<NfsRuleSpec>): string | null {
  if (context.platform !== 'synology') return 'only a Synology has NFS rules of this kind';
  if (have?.other_keys !== undefined)
    return `this DSM gives its rules more than is known here (${have.other_keys}): saving would drop that, so the rules stay as they are; set them in DSM`;
  return null;
}

/** One call that replaces all rules, then what DSM has now, compared rule by rule: a word it does not know is answered with success. */
function steps({ spec }: Change<NfsRuleSpec>): Step[] {
  const share = spec.synology_nfs_rule;
  const save = callWords(api, 'save', { share_name: share, rule: spec.rules.map(ruleObject) });
  const expected = spec.rules.map((rule) => `${ruleRow(rule)}\n`).sort();
  return [
    {
      about: `save the ${spec.rules.length} NFS rules of ${share}, in place of all that it has`,
      run: lines([
        webapiFunctions,
        ruleFunction,
        callFlat(
          save,
          `the NFS rules of ${share} were not saved (a share that is encrypted may not be exported)`,
        ),
        callFlat(loadWords(share), `the NFS rules of ${share} could not be read back`),
        sh`now=$(printf '%s\n' "$flat" | sed 's/^/flat	/' | rules_of ${share} | awk -F'\t' '$2 == "rule" { print $3 }' | sort)
[ "$now" = "$(sort ${blob(expected.join(''))})" ] || {
  say ${`DSM reported success, but ${share} does not have the rules that were saved; it has:`} "$now"
  exit 1
}`,
      ]),
    },
  ];
}
