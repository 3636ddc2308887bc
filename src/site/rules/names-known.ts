import { didYouMean } from '../../inventory/wording.ts';
import type { Picture, PictureHost } from '../picture.ts';
import { defineRule, type Misfit } from '../rule.ts';

export const namesKnown = defineRule(
  {
    code: 'names-known',
    level: 'warning',
    about:
      'Datastores of jobs, tokens of permissions, storages of data sets and classes of a policy are called as they are elsewhere.',
    why: 'A name with a typing mistake stands for nothing: the job fails, the token may do nothing, the data set is empty, the policy holds for no guest.',
    compares: ['the name', 'what goes by such a name'],
  },
  (picture) => [
    ...picture.hosts.flatMap((host) => [...stores(host), ...tokens(host), ...classes(picture, host)]),
    ...storages(picture),
  ],
);

/** Where no datastore is declared, those that the server has are somebody else's. */
function stores({ name, datastores, pbsJobs }: PictureHost): Misfit[] {
  const known = datastores.map((store) => store.name);
  if (known.length === 0) return [];
  return pbsJobs
    .map(({ id, kind, store, where }) => ({ id, kind, store: kind === 'gc' ? id : store, where }))
    .filter(({ store }) => !known.includes(store))
    .map(({ id, kind, store, where }) => ({
      hosts: [name],
      about: `job:${id}`,
      message: `the ${kind} job ${id} of ${name} is for the datastore ${store}; it has ${known.join(', ')}`,
      hint: didYouMean(store, known) ?? 'correct the name, or declare the datastore',
      where,
      against: datastores[0]?.where,
    }));
}

/** Where a user has no token in the inventory, those that it has were made by hand. */
function tokens({ name, users }: PictureHost): Misfit[] {
  return users.flatMap((user) =>
    user.acl.flatMap(({ token, role, path }) => {
      if (token === undefined || user.tokens.length === 0 || user.tokens.includes(token)) return [];
      return [
        {
          hosts: [name],
          about: `user:${user.name}`,
          message: `${role} at ${path} is for the token ${token} of ${user.name}, who has ${user.tokens.join(', ')} on ${name}`,
          hint: didYouMean(token, user.tokens) ?? 'correct the name, or declare the token',
          where: user.where,
        },
      ];
    }),
  );
}

/** A policy may be written before its first guest comes. One that is nearly called like a class in use is a mistake. */
function classes({ hosts }: Picture, host: PictureHost): Misfit[] {
  const guests = hosts.flatMap((one) => one.guests);
  const used = [...new Set(guests.map((guest) => guest.class))];
  return [...host.policy].flatMap(([name, { where }]) => {
    const hint = used.includes(name) ? undefined : didYouMean(name, used);
    if (hint === undefined) return [];
    return [
      {
        hosts: [host.name],
        about: `class:${name}`,
        message: `${host.name} has a policy for the class ${name}, and no guest is of that class`,
        hint,
        where,
        against: host.guests[0]?.where ?? guests[0]?.where,
      },
    ];
  });
}

function storages({ hosts, dataSets }: Picture): Misfit[] {
  const all = hosts.flatMap((host) => host.storages);
  const known = [...new Set(['local', ...all.map(({ id }) => id)])];
  if (all.length === 0) return [];
  return dataSets.flatMap((set) =>
    set.storages
      .filter((id) => !known.includes(id))
      .map((id) => ({
        hosts: [],
        about: `data-set:${set.name}`,
        message: `the data set ${set.name} is said to be what goes to the storage ${id}, which no host has`,
        hint: didYouMean(id, known) ?? `there are: ${known.join(', ')}`,
        where: set.where,
        against: all[0]?.where,
      })),
  );
}
