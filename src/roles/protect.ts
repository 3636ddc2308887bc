import { child, type MapNode, scalar, secretsIn, text } from '../inventory/node.ts';
import { isRecord } from '../inventory/schema.ts';
import { ProvisionError, type Where } from '../model/errors.ts';
import type { Secret } from '../model/host.ts';
import type { ResourceType } from '../model/resource.ts';
import type { Scope } from './values.ts';

/**
 * A resource that a secret flows into: it must be a file of its own that others cannot read. Without a mode it becomes 0600.
 * A type that conceals a key sees to that itself. Secrets in names would be printed with the id, and in commands they would be arguments that every process can see.
 */
export function protect(
  node: MapNode,
  type: ResourceType,
  secrets: readonly Secret[],
  from: Where,
  scope: Scope,
): MapNode | undefined {
  const say = (message: string, where: Where, hint: string): undefined => {
    scope.mistakes.push(new ProvisionError('input', message, { where, host: scope.host, hint }));
    return undefined;
  };
  const concealed = [...node.entries].filter(([key]) => type.conceals?.includes(key));
  const elsewhere = [...node.entries].some(
    ([key, entry]) => type.conceals?.includes(key) !== true && secretsIn(entry.node).length > 0,
  );
  if (concealed.length > 0 && !elsewhere) return node;
  const names = [...new Set(secrets.map((secret) => secret.name))].join(', ');
  const open = [...node.entries].find(
    ([key, entry]) =>
      key !== 'content' && type.conceals?.includes(key) !== true && secretsIn(entry.node).length > 0,
  );
  if (open !== undefined) {
    const [key, entry] = open;
    const hint = 'write it into a file with mode "0600" and let the program read that';
    return say(`the secret ${names} would be seen in "${key}" of this ${type.name}`, entry.node.where, hint);
  }
  const properties = isRecord(type.schema.properties) ? type.schema.properties : {};
  if (!('mode' in properties)) {
    const hint = 'put it into a file of its own, with mode "0600"';
    return say(`the secret ${names} cannot be kept in a ${type.name}: others could read it`, from, hint);
  }
  const mode = child(node, 'mode');
  if (mode === undefined) {
    const entries = new Map([...node.entries, ['mode', { key: from, node: scalar('0600', from) }]] as const);
    return { ...node, entries };
  }
  // 0640 or stricter for others and the group; x bits of the owner and the group do no harm.
  const bits = Number.parseInt(text(mode) ?? '7777', 8);
  if ((bits & 0o7027) === 0) return node;
  return say(
    `the mode ${JSON.stringify(text(mode))} lets others read or change the secret ${names}`,
    mode.where,
    'allowed: "0600", "0640" or stricter; or leave it out for "0600"',
  );
}
