import { ProvisionError } from '../model/errors.ts';
import type { Host } from '../model/host.ts';
import type { Answers, Question, Said } from '../model/procedure.ts';
import type { Facts, ResourceType } from '../model/resource.ts';
import type { Session } from '../remote/session.ts';
import { parseFacts } from '../shell/facts.ts';
import type { Look } from '../shell/observe.ts';
import { type Engine, lookLimit } from './engine.ts';
import { inParallel } from './fleet.ts';
import { type HostBase, hear } from './look.ts';
import { noSystem } from './procedure.ts';

/** What several hosts said in one round of questions. */
export interface Round {
  readonly answers: Answers;
  /** The hosts that answered, as they were seen. */
  readonly seen: ReadonlyMap<string, HostBase>;
  /** Why the others did not. */
  readonly errors: ReadonlyMap<string, Error>;
}

/** Connections to the hosts of one procedure: opened when first needed, opened again after a loss, closed at the end. */
export interface Contacts {
  /** One round trip to each host that is asked something or named. */
  ask(questions: readonly Question[], also?: readonly string[]): Promise<Round>;
  session(host: string): Promise<Session>;
  host(name: string): Promise<Host>;
  /** Its connection is of no more use. */
  drop(host: string): Promise<void>;
  close(): Promise<void>;
}

/** `find`: how a host of the inventory is reached. */
export function contacts(find: (name: string) => Promise<Host>, engine: Engine): Contacts {
  const hosts = new Map<string, Host>();
  const sessions = new Map<string, Session>();
  const machines = new Map<string, string>();

  const host = async (name: string): Promise<Host> => {
    const found = hosts.get(name) ?? (await find(name));
    hosts.set(name, found);
    return found;
  };
  const session = async (name: string): Promise<Session> => {
    const open = sessions.get(name) ?? (await engine.connect(await host(name)));
    sessions.set(name, open);
    if (!open.live) throw noSystem(await host(name));
    return open;
  };
  const drop = async (name: string): Promise<void> => {
    const open = sessions.get(name);
    sessions.delete(name);
    await open?.close();
  };
  const askOne = async (name: string, questions: readonly Question[]): Promise<[Said, HostBase]> => {
    const seconds = questions.reduce((sum, { limit }) => sum + limit, lookLimit);
    const { frames, base } = await hear(
      await session(name),
      await host(name),
      questions.map(lookOf),
      seconds,
      engine,
    );
    const before = machines.get(name) ?? base.machineId;
    machines.set(name, before);
    if (before !== base.machineId) {
      throw new ProvisionError('refused', 'another machine answers at this address than a moment ago', {
        host: name,
        hint: 'an address that moved? Nothing more was done there',
      });
    }
    const said = new Map<string, Facts>();
    for (const { name: frameName, bytes } of frames) {
      if (!frameName.startsWith('look ')) continue;
      for (const [identity, { facts }] of parseFacts(bytes)) said.set(identity, facts);
    }
    return [said, base];
  };
  const ask: Contacts['ask'] = async (questions, also = []) => {
    const names = [...new Set([...questions.map((question) => question.host), ...also])];
    const answers = new Map<string, Said | { unknown: string }>();
    const seen = new Map<string, HostBase>();
    const errors = new Map<string, Error>();
    await inParallel(names, engine.forks, async (name) => {
      try {
        const [said, base] = await askOne(
          name,
          questions.filter((question) => question.host === name),
        );
        answers.set(name, said);
        seen.set(name, base);
      } catch (error) {
        await drop(name);
        const told = error instanceof Error ? error : new Error(String(error));
        errors.set(name, told);
        answers.set(name, { unknown: told.message });
      }
    });
    return { answers, seen, errors };
  };
  const close = async (): Promise<void> => {
    await Promise.all([...sessions.keys()].map(drop));
  };
  return { ask, session, host, drop, close };
}

/** A question in the form that the script of a look is made of. */
function lookOf({ look }: Question, index: number): Look {
  const type: ResourceType = {
    name: `question-${index}`,
    about: '',
    schema: {},
    example: '',
    identity: () => '',
    want: () => null,
    observe: () => look,
    read: () => ({ have: null }),
    steps: () => [],
  };
  return { type, specs: [null] };
}
