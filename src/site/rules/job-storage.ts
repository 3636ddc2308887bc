import { jobsOn, storageNamed, storageOf } from '../coverage.ts';
import { defineRule, type Misfit } from '../rule.ts';

export const jobStorage = defineRule(
  {
    code: 'job-storage',
    level: 'error',
    about: 'Every backup job goes to a storage that its node has and that may hold backups.',
    why: 'The job fails at run time, on its first night.',
    compares: ['the backup job', 'the storage'],
  },
  (picture) =>
    picture.hosts.flatMap((host) =>
      jobsOn(picture, host).flatMap((job): Misfit[] => {
        const id = storageOf(host, job);
        const storage = storageNamed(picture, host, id);
        const place = { hosts: [host.name], about: `job:${job.id}`, where: job.where };
        if (storage === undefined) {
          // Every node has `local`; and where no storage is declared at all, those it has are somebody else's.
          if (id === 'local' || host.storages.length === 0) return [];
          const ids = host.storages.map((one) => one.id).join(', ');
          return [
            {
              ...place,
              message: `the backup job ${job.id} of ${host.name} goes to the storage ${id}; it has ${ids}`,
              hint: `declare ${id} among its storages, or choose another one`,
              against: host.storages[0]?.where,
            },
          ];
        }
        const wrong = unfit(storage, host.name);
        if (wrong === undefined) return [];
        const [says, hint] = wrong;
        return [
          {
            ...place,
            message: `the backup job ${job.id} of ${host.name} goes to the storage ${id}, which ${says}`,
            hint,
            against: storage.where,
          },
        ];
      }),
    ),
);

interface Fitness {
  readonly content: readonly string[];
  readonly nodes: readonly string[];
  readonly disabled: boolean;
}

function unfit({ content, nodes, disabled }: Fitness, node: string): [string, string] | undefined {
  if (disabled) return ['is disabled', 'enable the storage, or choose another one'];
  if (nodes.length > 0 && !nodes.includes(node))
    return [`only ${nodes.join(', ')} may use`, `add ${node} to its nodes, or choose another one`];
  if (!content.includes('backup'))
    return [
      `may hold ${content.join(', ') || 'nothing'} and no backups`,
      'add backup to its content, or choose another one',
    ];
  return undefined;
}
