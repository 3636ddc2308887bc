import type { Host } from '../model/host.ts';
import { dial } from './dial.ts';
import { algorithmsFor, unknownKey } from './host-key.ts';
import { pinName, readPins, type Trusted, trustedFor } from './known-hosts.ts';
import { localSession } from './local.ts';
import { type Login, loginFor } from './login.ts';
import { opensshSession } from './openssh.ts';
import { rootSession } from './root.ts';
import type { Contact, Session } from './session.ts';
import { sshSession } from './ssh.ts';
import { offeredKeys } from './trust.ts';
import { type UserConfig, userConfig } from './user-config.ts';

/** The session that the inventory asks for. Throws ProvisionError unreachable, refused or input, within 30 s. */
export async function connect(host: Host, contact: Contact): Promise<Session> {
  switch (host.connection.session) {
    case 'local':
      return localSession(host, contact);
    case 'root':
      return rootSession(host, contact);
    case 'openssh':
      return throughSsh(host, contact, trusted(host, contact));
    case 'ssh':
      return direct(host, contact);
  }
}

/** node-ssh, unless the host can only be reached or logged in to by ssh itself: then that, without a word. */
async function direct(host: Host, contact: Contact): Promise<Session> {
  const pins = trusted(host, contact);
  const config = await userConfig(host, contact.env);
  if (config.needsSsh !== null || onlyForSsh(pins)) return throughSsh(host, contact, pins);
  // Loading the library, the TCP handshake and the agent's answer take their time side by side.
  import('node-ssh').catch(() => {});
  const dialled = dial(host, config.hostname, host.connection.port);
  dialled.catch(() => {});
  const login = await loginOrHangUp(host, config, contact, dialled);
  const socket = await dialled;
  if (login.needsSsh !== null) {
    socket.destroy();
    return throughSsh(host, contact, pins);
  }
  const offered = () => offeredKeys(host, contact);
  return sshSession(socket, { host, trusted: pins, login, knownHosts: contact.knownHosts, offered });
}

async function loginOrHangUp(
  host: Host,
  config: UserConfig,
  contact: Contact,
  dialled: ReturnType<typeof dial>,
): Promise<Login> {
  try {
    return await loginFor(host, config, contact.env);
  } catch (error) {
    dialled.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  }
}

/** ssh would refuse a host without pins too, but it does not say the fingerprint. */
async function throughSsh(host: Host, contact: Contact, pins: Trusted): Promise<Session> {
  const offered = () => offeredKeys(host, contact);
  if (pins.keys.length === 0 && pins.authorities.length === 0)
    throw unknownKey(host, await offered(), contact.knownHosts);
  return opensshSession(host, contact, offered);
}

function trusted(host: Host, contact: Contact): Trusted {
  return trustedFor(readPins(contact.knownHosts), pinName(host.connection.address, host.connection.port));
}

/** Pins that ssh2 cannot check: certificate authorities, keys on security chips. */
function onlyForSsh(pins: Trusted): boolean {
  const types = pins.keys.map((pin) => pin.type);
  if (types.length === 0) return pins.authorities.length > 0;
  return algorithmsFor(types).length === 0;
}
