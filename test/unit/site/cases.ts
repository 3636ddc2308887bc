import { edit, type World } from './world.ts';

/** A world that fits, and single changes to it. */
export interface Cases {
  readonly world: World;
  /** Changes after which the rule finds this much: what it is about, and a piece of the message. */
  readonly breaks: Readonly<
    Record<string, readonly [World, readonly (readonly [string | undefined, RegExp])[]]>
  >;
  /** Changes after which it still fits. */
  readonly fits?: Readonly<Record<string, World>>;
}

/** Two nodes, their NAS, their backup server: everything fits. */
export const fleet: World = {
  hosts: {
    pve1: {
      platform: 'pve',
      address: '10.0.0.1',
      guests: [
        { vmid: 100, type: 'vm', name: 'db', class: 'database', services: ['postgresql'], size: '50 GB' },
        { vmid: 101, type: 'ct', name: 'media', class: 'busy-media', size: '900 GB' },
        { vmid: 102, type: 'ct', size: '8 GiB' },
        { vmid: 103, type: 'vm', excluded: 'a scratch machine' },
        { vmid: 110, type: 'vm', name: 'pbs1' },
      ],
      disks: [
        { serial: 'A', model: 'M', size: '2 TB', by_id: 'nvme-A' },
        { serial: 'B', model: 'M', size: '2 TB', by_id: 'nvme-B' },
      ],
      vars: {
        base: { domain: 'lan' },
        vzdump: {
          tmpdir: '/var/lib/vz/vzdump-tmp',
          tmpdir_free_gib: 8,
          mode: 'snapshot',
          storage: null,
          prune_backups: {},
        },
        'vzdump-hook': { guests: [{ vmid: 100, services: ['postgresql'] }] },
      },
      has: {
        'pve_storage nas': { type: 'nfs', server: '10.0.0.3', export: '/mnt/tank/bu', content: ['backup'] },
        'pve_storage pbs': {
          type: 'pbs',
          server: 'pbs1.lan',
          datastore: 'store',
          username: 'backup@pbs!pve1',
          fingerprint: 'AA:BB:CC',
          content: ['backup'],
        },
        'pve_storage disk': {
          type: 'dir',
          path: '/mnt/disk/dump',
          content: ['backup'],
          is_mountpoint: '/mnt/disk',
        },
        'mount /mnt/disk': { what: 'UUID=1', type: 'ext4' },
        'mount /mnt/share': { what: 'truenas.lan:/mnt/tank/share', type: 'nfs4' },
        'mount_health /mnt/pve/nas': { source: 'truenas:/mnt/tank/bu', type: 'nfs4' },
        'pve_backup_job nightly': { schedule: '02:00', storage: 'pbs', all: true, exclude: [101, 103] },
        'pve_backup_job media': { schedule: '03:00', storage: 'nas', vmid: [101, 110], mode: 'stop' },
        'zpool_health rpool': { members: ['nvme-A-part3', '/dev/disk/by-id/nvme-B-part3'] },
      },
    },
    pve2: {
      platform: 'pve',
      address: '10.0.0.2',
      guests: [{ vmid: 102, type: 'vm' }],
      has: {
        'pve_storage pbs': {
          type: 'pbs',
          server: '10.0.0.4',
          datastore: 'store',
          fingerprint: 'aa:bb:cc',
          content: ['backup'],
        },
        'pve_backup_job nightly': { schedule: '02:00', storage: 'pbs', vmid: [102] },
      },
    },
    truenas: {
      platform: 'truenas',
      address: '10.0.0.3',
      vars: { base: { domain: 'lan' } },
      has: {
        'truenas_share /mnt/tank/bu': { hosts: ['10.0.0.1'], maproot_user: 'root', maproot_group: 'root' },
        'truenas_share /mnt/tank/share': {
          networks: ['10.0.0.0/24'],
          mapall_user: 'root',
          mapall_group: 'root',
        },
        'truenas_share /mnt/tank/pbs': { hosts: ['10.0.0.4'], mapall_user: 'backup', mapall_group: 'backup' },
        'truenas_dataset tank': { acltype: 'NFSV4', aclmode: 'PASSTHROUGH' },
      },
    },
    pbs1: {
      platform: 'pbs',
      address: '10.0.0.4',
      vars: { base: { domain: 'lan' }, pbs: { fingerprint: 'aa:bb:cc' } },
      has: {
        'mount /mnt/pbs': { what: '10.0.0.3:/mnt/tank/pbs', type: 'nfs', options: ['hard'] },
        'pbs_datastore store': {
          path: '/mnt/pbs/store',
          mount: { path: '/mnt/pbs', source: '10.0.0.3:/mnt/tank/pbs', type: 'nfs' },
        },
        'pbs_user backup@pbs': {
          tokens: [{ name: 'pve1' }],
          acl: [
            { path: '/datastore/store', role: 'DatastorePowerUser' },
            { path: '/datastore/store', role: 'DatastoreBackup', token: 'pve1' },
          ],
        },
      },
    },
  },
  site: {
    data_sets: [
      {
        name: 'guests',
        storages: ['pbs', 'nas'],
        copies: [
          { on: 'pve1', medium: 'ssd', disk: 'A' },
          { on: 'truenas', medium: 'hdd' },
          { on: 'a house elsewhere', medium: 'hdd', offsite: true },
        ],
      },
      { name: 'metrics', excluded: 'can be collected again' },
    ],
  },
};

const has = (host: string, part: string, ...path: readonly (string | number)[]) =>
  ['hosts', host, 'has', part, ...path] as const;
const but = (value: unknown, ...path: readonly (string | number)[]): World => edit(fleet, value, ...path);
const share = has('truenas', 'truenas_share /mnt/tank/bu');
const anyShare = has('truenas', 'truenas_share /mnt/tank/share');
const pbsShare = has('truenas', 'truenas_share /mnt/tank/pbs');
const media = has('pve1', 'pve_backup_job media');
const nightly = has('pve1', 'pve_backup_job nightly');
const storage = has('pve1', 'pve_storage nas');
const pbsStorage = has('pve1', 'pve_storage pbs');
const nas = 'mount:/mnt/pve/nas';
const linux = (...options: readonly string[]) => ({ clients: [{ client: '10.0.0.0/24', options }] });
/** The NAS as a Linux server. */
const exported = (...options: readonly string[]): World =>
  edit(but(undefined, ...share), linux(...options), ...has('truenas', 'export /mnt/tank/bu'));
const synology = (privilege: string, squash: string): World =>
  edit(
    edit(but(undefined, ...share), { volume: '/mnt/tank' }, ...has('truenas', 'synology_share bu')),
    { rules: [{ client: '10.0.0.0/255.255.255.0', privilege, root_squash: squash }] },
    ...has('truenas', 'synology_nfs_rule bu'),
  );

const restricted = (dataset: string): World =>
  but({ acltype: 'nfsv4', aclmode: 'restricted' }, ...has('truenas', `truenas_dataset ${dataset}`));
/** A backup server that fetches the store of the first one; its other jobs are about something else. */
const second = {
  platform: 'pbs',
  address: '10.0.0.5',
  has: {
    'pbs_job fetch': { kind: 'sync', store: 'copy', remote: 'pbs1', remote_store: 'store' },
  },
};

export const cases: Readonly<Record<string, Cases>> = {
  'export-admits-client': {
    world: fleet,
    breaks: {
      'another client': [
        but(['10.0.0.9'], ...share, 'hosts'),
        [[nas, /to 10\.0\.0\.9, and pve1 \(10\.0\.0\.1\) mounts it at \/mnt\/pve\/nas \(storage nas\)/]],
      ],
      'another network': [
        but(['10.0.1.0/24'], ...anyShare, 'networks'),
        [['mount:/mnt/share', /to 10\.0\.1\.0\/24/]],
      ],
      'another address': [
        but('10.1.0.1', 'hosts', 'pve1', 'address'),
        [
          ['mount:/mnt/share', /10\.1\.0\.1/],
          [nas, /10\.1\.0\.1/],
        ],
      ],
      'another path': [but('/mnt/tank/nu', ...storage, 'export'), [[nas, /exports only \/mnt\/tank\/bu, /]]],
      // The pseudo root of NFSv4 makes the mount of a parent succeed.
      'the parent of an export': [but('/mnt/tank', ...storage, 'export'), [[nas, /exports only/]]],
      'switched off': [but(false, ...share, 'enabled'), [[nas, /exports only \/mnt\/tank\/share/]]],
      'taken away': [but('absent', ...share, 'state'), [[nas, /exports only/]]],
    },
    fits: {
      'nothing is known of the server': but({}, 'hosts', 'truenas', 'has'),

      'a directory below': but('/mnt/tank/bu/sub', ...storage, 'export'),
      'a slash at the end': but('/mnt/tank/bu/', ...storage, 'export'),
      everybody: but(undefined, ...share, 'hosts'),
      'a server elsewhere': but('10.9.9.9', ...storage, 'server'),
      'a netgroup, which only the server knows': but(['@pve'], ...share, 'hosts'),
      'below fsid=0': edit(exported('rw', 'no_root_squash', 'fsid=0'), '/', ...storage, 'export'),
    },
  },
  'exports-declared': {
    world: fleet,
    breaks: {
      'nothing declared': [
        but({}, 'hosts', 'truenas', 'has'),
        [
          ['mount:/mnt/share', /no export of truenas/],
          [nas, /no export/],
          ['mount:/mnt/pbs', /no export/],
        ],
      ],
      'a netgroup': [but(['@pve'], ...share, 'hosts'), [[nas, /only the server can look up/]]],
      'a host known by its name': [
        but('pve1.home.lan', 'hosts', 'pve1', 'address'),
        [
          ['mount:/mnt/share', /only the server/],
          [nas, /only the server/],
        ],
      ],
    },
    fits: { 'a server elsewhere': but('10.9.9.9', ...storage, 'server') },
  },
  'export-lets-root-write': {
    world: fleet,
    breaks: {
      'read-only': [but(true, ...share, 'ro'), [[nas, /read-only/]]],
      'root is nobody': [but(undefined, ...share, 'maproot_user'), [[nas, /with root as user 65534/]]],
      'everybody is somebody': [
        but('media', ...anyShare, 'mapall_user'),
        [['mount:/mnt/share', /with everybody as user media/]],
      ],
      'Linux, default squash': [exported('rw'), [[nas, /with root as user 65534/]]],
      'Linux, all are 1000': [
        exported('rw', 'all_squash', 'anonuid=1000'),
        [[nas, /everybody as user 1000/]],
      ],
      'Linux, no access word': [exported('no_root_squash'), [[nas, /read-only/]]],
      'DSM, all are admin': [synology('rw', 'all_admin'), [[nas, /everybody as user 1024/]]],
      'DSM, read-only': [synology('ro', 'root'), [[nas, /read-only/]]],
      'a datastore, root squashed': [
        but({ hosts: ['10.0.0.4'] }, ...pbsShare),
        [['mount:/mnt/pbs', /with root as user 65534/]],
      ],
      'a datastore, all are media': [
        but('media', ...pbsShare, 'mapall_user'),
        [['mount:/mnt/pbs', /everybody as user media/]],
      ],
    },
    fits: {
      'Linux, root is root': exported('rw', 'no_root_squash'),
      'Linux, all are root': exported('rw', 'all_squash', 'anonuid=0', 'anongid=0'),
      'DSM, the word root': synology('rw', 'root'),
      'a datastore, nobody squashed': but(
        { hosts: ['10.0.0.4'], maproot_user: 'root', maproot_group: 'root' },
        ...pbsShare,
      ),
      'only read': edit(
        but(undefined, ...anyShare, 'mapall_user'),
        ['ro'],
        ...has('pve1', 'mount /mnt/share', 'options'),
      ),
      // The entry for the host counts, not the one for its network.
      'a closer entry': but(
        {
          clients: [
            { client: '10.0.0.0/24', options: ['ro'] },
            { client: '10.0.0.1', options: ['rw', 'no_root_squash'] },
          ],
        },
        ...has('truenas', 'export /mnt/tank/bu'),
      ),
    },
  },
  'export-keeps-owners': {
    world: fleet,
    breaks: {
      'root without its group': [but(undefined, ...share, 'maproot_group'), [[nas, /to the group 65534/]]],
      'a datastore of root': [
        but({ hosts: ['10.0.0.4'], mapall_user: 'root', mapall_group: 'root' }, ...pbsShare),
        [['mount:/mnt/pbs', /as the user backup belongs to root/]],
      ],
    },
    fits: {
      'exported read-only': edit(but(undefined, ...share, 'maproot_group'), true, ...share, 'ro'),
      'another user altogether': but('media', ...anyShare, 'mapall_user'),
      'nobody squashed': exported('rw', 'no_root_squash', 'anonuid=0'),
      'only read': edit(
        but(undefined, ...anyShare, 'mapall_group'),
        ['ro'],
        ...has('pve1', 'mount /mnt/share', 'options'),
      ),
      'the group by its old name': but('wheel', ...share, 'maproot_group'),
    },
  },
  'export-acl-mode': {
    world: fleet,
    breaks: {
      restricted: [
        but('RESTRICTED', ...has('truenas', 'truenas_dataset tank', 'aclmode')),
        [
          ['export:/mnt/tank/share', /restricted/],
          ['export:/mnt/tank/bu', /restricted/],
          ['export:/mnt/tank/pbs', /restricted/],
        ],
      ],
      'restricted on the dataset itself': [
        but({ acltype: 'nfsv4', aclmode: 'restricted' }, ...has('truenas', 'truenas_dataset tank/bu')),
        [['export:/mnt/tank/bu', /pve1 writes to it/]],
      ],
    },
    fits: {
      'only read': edit(restricted('tank/share'), ['ro'], ...has('pve1', 'mount /mnt/share', 'options')),
      'nobody admitted': edit(restricted('tank/bu'), ['10.0.0.9'], ...share, 'hosts'),
      'exported read-only': edit(restricted('tank/bu'), true, ...share, 'ro'),

      'without ACLs of that kind': but(
        { acltype: 'POSIX', aclmode: 'RESTRICTED' },
        ...has('truenas', 'truenas_dataset tank/bu'),
      ),
      'the dataset beside it': but(
        { acltype: 'nfsv4', aclmode: 'restricted' },
        ...has('truenas', 'truenas_dataset tank/b'),
      ),
    },
  },
  'storage-mounted-once': {
    world: fleet,
    breaks: {
      'a share of Windows': [
        edit(
          but({ type: 'cifs', server: 'smb.lan', share: 'bu' }, ...has('pve1', 'pve_storage smb')),
          { what: '//smb.lan/bu', type: 'cifs' },
          ...has('pve1', 'mount /mnt/pve/smb'),
        ),
        [['mount:/mnt/pve/smb', /its storage smb/]],
      ],

      'a mount unit as well': [
        but({ what: '10.0.0.3:/mnt/tank/bu', type: 'nfs' }, ...has('pve1', 'mount /mnt/pve/nas')),
        [[nas, /which its storage nas mounts/]],
      ],
      'at a path of its own': [but('/mnt/disk', ...storage, 'path'), [['mount:/mnt/disk', /storage nas/]]],
    },
    fits: { 'a mount unit to be removed': but({ state: 'absent' }, ...has('pve1', 'mount /mnt/pve/nas')) },
  },
  'storage-source-agrees': {
    world: fleet,
    breaks: {
      'another path': [
        but('10.0.0.3:/mnt/tank/old', ...has('pve1', 'mount_health /mnt/pve/nas', 'source')),
        [[nas, /expects 10\.0\.0\.3:\/mnt\/tank\/old/]],
      ],
      'another server': [but('10.0.0.4', ...storage, 'server'), [[nas, /mounts 10\.0\.0\.4:/]]],
    },
    fits: {
      'the address of the same server': but(
        '10.0.0.3:/mnt/tank/bu',
        ...has('pve1', 'mount_health /mnt/pve/nas', 'source'),
      ),
      'no source expected': but(undefined, ...has('pve1', 'mount_health /mnt/pve/nas', 'source')),
    },
  },
  'dir-storage-on-mount': {
    world: fleet,
    breaks: {
      unsaid: [
        but(undefined, ...has('pve1', 'pve_storage disk', 'is_mountpoint')),
        [['storage:disk', /lies on the mount \/mnt\/disk/]],
      ],
    },
    fits: {
      'on the root disk': edit(
        but(undefined, ...has('pve1', 'pve_storage disk', 'is_mountpoint')),
        '/mnt/disks',
        ...has('pve1', 'pve_storage disk', 'path'),
      ),
    },
  },
  'datastore-mount-agrees': {
    world: fleet,
    breaks: {
      'another source': [
        but('10.0.0.3:/mnt/tank/other', ...has('pbs1', 'mount /mnt/pbs', 'what')),
        [['datastore:store', /wants 10\.0\.0\.3:\/mnt\/tank\/pbs at \/mnt\/pbs, and/]],
      ],
      'not on its mount': [
        but('/mnt/pbs2/store', ...has('pbs1', 'pbs_datastore store', 'path')),
        [['datastore:store', /not on its mount/]],
      ],
      'said to be local': [
        but({ path: '/mnt/pbs/store', local: true }, ...has('pbs1', 'pbs_datastore store')),
        [['datastore:store', /on a disk of its own/]],
      ],
    },
    fits: {
      'a local one elsewhere': but(
        { path: '/srv/store', local: true },
        ...has('pbs1', 'pbs_datastore store'),
      ),
    },
  },
  'storage-datastore-exists': {
    world: fleet,
    breaks: {
      misspelt: [
        but('stroe', ...pbsStorage, 'datastore'),
        [['storage:pbs', /names the datastore stroe, and pbs1 has store/]],
      ],
    },
    fits: {
      'datastores that nobody declares': but(undefined, ...has('pbs1', 'pbs_datastore store')),

      'a server elsewhere': edit(
        but('stroe', ...pbsStorage, 'datastore'),
        '10.9.9.9',
        ...pbsStorage,
        'server',
      ),
    },
  },
  'fingerprint-agrees': {
    world: fleet,
    breaks: {
      'as a check expects it': [
        edit(
          but({}, 'hosts', 'pbs1', 'vars', 'pbs'),
          { fingerprint: '11:22' },
          ...has('pbs1', 'pbs_certificate pbs1'),
        ),
        [
          ['storage:pbs', /the certificate of pbs1 has 11:22/],
          ['storage:pbs', /pve2 pins/],
        ],
      ],

      another: [but('AA:BB:CD', ...pbsStorage, 'fingerprint'), [['storage:pbs', /pins aa:bb:cd/]]],
      none: [but(undefined, ...pbsStorage, 'fingerprint'), [['storage:pbs', /pins no fingerprint/]]],
      'a new certificate': [
        but('11:22:33', 'hosts', 'pbs1', 'vars', 'pbs', 'fingerprint'),
        [
          ['storage:pbs', /pve1 pins/],
          ['storage:pbs', /pve2 pins/],
        ],
      ],
    },
    fits: {
      'as openssl prints it': but('sha256 Fingerprint=AA:BB:CC', ...pbsStorage, 'fingerprint'),
      'nobody says which': but({}, 'hosts', 'pbs1', 'vars', 'pbs'),
      'a check of another server': edit(
        but({}, 'hosts', 'pbs1', 'vars', 'pbs'),
        { fingerprint: '11:22' },
        ...has('pbs1', 'pbs_certificate pbs9'),
      ),
    },
  },
  'prune-rights': {
    world: fleet,
    breaks: {
      'a right that does not reach below': [
        edit(
          edit(
            but(
              [{ path: '/datastore', role: 'Admin', propagate: false }],
              ...has('pbs1', 'pbs_user backup@pbs', 'acl'),
            ),
            'backup@pbs',
            ...pbsStorage,
            'username',
          ),
          { 'keep-last': 3 },
          ...nightly,
          'prune_backups',
        ),
        [['storage:pbs', /the job nightly/]],
      ],
      'nothing said of the storage': [
        edit(
          but({ 'keep-last': 1 }, 'hosts', 'pve1', 'vars', 'vzdump', 'prune_backups'),
          {},
          ...pbsStorage,
          'prune_backups',
        ),
        [['storage:pbs', /\/etc\/vzdump\.conf/]],
      ],

      'by the job': [
        but({ 'keep-last': 3 }, ...nightly, 'prune_backups'),
        [['storage:pbs', /the job nightly of pve1 prunes/]],
      ],
      'by the storage': [
        but({ 'keep-daily': 7 }, ...pbsStorage, 'prune_backups'),
        [['storage:pbs', /the storage itself/]],
      ],
      'by vzdump.conf': [
        but({ 'keep-last': 1 }, 'hosts', 'pve1', 'vars', 'vzdump', 'prune_backups'),
        [['storage:pbs', /\/etc\/vzdump\.conf/]],
      ],
    },
    fits: {
      'a right that reaches below': edit(
        edit(
          but([{ path: '/datastore', role: 'Admin' }], ...has('pbs1', 'pbs_user backup@pbs', 'acl')),
          'backup@pbs',
          ...pbsStorage,
          'username',
        ),
        { 'keep-last': 3 },
        ...nightly,
        'prune_backups',
      ),

      'a user who may': edit(
        but('backup@pbs', ...pbsStorage, 'username'),
        { 'keep-last': 3 },
        ...nightly,
        'prune_backups',
      ),
      'a user that nobody declares': edit(
        but('other@pbs', ...pbsStorage, 'username'),
        { 'keep-last': 3 },
        ...nightly,
        'prune_backups',
      ),

      'everything is kept': edit(
        but({ 'keep-last': 1 }, 'hosts', 'pve1', 'vars', 'vzdump', 'prune_backups'),
        { 'keep-all': 1 },
        ...pbsStorage,
        'prune_backups',
      ),
      'zeros only': but({ 'keep-last': 0 }, ...nightly, 'prune_backups'),
      'the job wins': edit(
        but({ 'keep-last': 2 }, ...pbsStorage, 'prune_backups'),
        { 'keep-all': 1 },
        ...nightly,
        'prune_backups',
      ),
      'a token that may': edit(
        but('DatastorePowerUser', ...has('pbs1', 'pbs_user backup@pbs', 'acl', 1, 'role')),
        { 'keep-last': 3 },
        ...nightly,
        'prune_backups',
      ),
      'another storage': but({ 'keep-last': 3 }, ...media, 'prune_backups'),
    },
  },
  'job-storage': {
    world: fleet,
    breaks: {
      'of a cluster, lent to the node of the job': [
        edit(
          edit(
            but({ 'pve_backup_job own': { all: true, storage: 'shared' } }, 'hosts', 'pve2', 'has'),
            { type: 'dir', path: '/srv/shared', content: ['images'], nodes: ['pve2'] },
            ...has('pve1', 'pve_storage shared'),
          ),
          { type: 'dir', path: '/srv/other', content: ['backup'], nodes: ['pve3'] },
          ...has('pve1', 'pve_storage other'),
        ),
        [['job:own', /the backup job own of pve2 goes to the storage shared, which may hold images/]],
      ],

      unknown: [
        but('nass', ...media, 'storage'),
        [['job:media', /goes to the storage nass; it has nas, pbs, disk/]],
      ],
      'no backups there': [
        but(['images'], ...storage, 'content'),
        [['job:media', /may hold images and no backups/]],
      ],
      'of another node': [but(['pve2'], ...storage, 'nodes'), [['job:media', /only pve2 may use/]]],
      disabled: [but(true, ...storage, 'disable'), [['job:media', /is disabled/]]],
      'by vzdump.conf': [
        edit(but(undefined, ...media, 'storage'), 'gone', 'hosts', 'pve1', 'vars', 'vzdump', 'storage'),
        [['job:media', /storage gone/]],
      ],
    },
    fits: {
      'no storage means local': but(undefined, ...media, 'storage'),
      'a job that is off': edit(but('nass', ...media, 'storage'), false, ...media, 'enabled'),
      'no storages declared': but(
        { 'pve_backup_job x': { storage: 'y', all: true } },
        'hosts',
        'pve2',
        'has',
      ),
    },
  },
  'names-known': {
    world: fleet,
    breaks: {
      'a job of no datastore': [
        but({ kind: 'prune', store: 'stroe', keep_last: 3 }, ...has('pbs1', 'pbs_job typo')),
        [['job:typo', /the prune job typo of pbs1 is for the datastore stroe; it has store/]],
      ],
      'garbage collection of no datastore': [
        but({ kind: 'gc' }, ...has('pbs1', 'pbs_job gc-store')),
        [['job:gc-store', /is for the datastore gc-store/]],
      ],
      'a permission of no token': [
        but('pev', ...has('pbs1', 'pbs_user backup@pbs', 'acl', 1, 'token')),
        [['user:backup@pbs', /is for the token pev of backup@pbs, who has pve1 on pbs1/]],
      ],
      'nearly a class': [
        but({ policy: { 'busy-meida': { mode: 'stop' } } }, 'hosts', 'pve1', 'vars', 'backup-jobs'),
        [['class:busy-meida', /no guest is of that class/]],
      ],
      'a storage that nobody has': [
        but(['nass'], 'site', 'data_sets', 0, 'storages'),
        [['data-set:guests', /the storage nass, which no host has/]],
      ],
    },
    fits: {
      'garbage collection': but({ kind: 'gc' }, ...has('pbs1', 'pbs_job store')),
      'tokens made by hand': but([], ...has('pbs1', 'pbs_user backup@pbs', 'tokens')),
      'a policy for guests to come': but(
        { policy: { windows: { mode: 'stop' } } },
        'hosts',
        'pve1',
        'vars',
        'backup-jobs',
      ),
    },
  },
  'guest-in-job': {
    world: fleet,
    breaks: {
      'a job of another node': [
        but('pve9', ...has('pve2', 'pve_backup_job nightly', 'node')),
        [[undefined, /pve2 has no enabled backup job/]],
      ],

      'left out': [
        but([101, 102, 103], ...nightly, 'exclude'),
        [['guest:102', /guest 102 of pve1 is in no backup job/]],
      ],
      'excluded and taken': [
        but([101], ...nightly, 'exclude'),
        [['guest:103', /is excluded \("a scratch machine"\), and the job nightly takes it/]],
      ],
      'no reason': [
        but(undefined, 'hosts', 'pve1', 'guests', 3, 'excluded'),
        [['guest:103', /no backup job/]],
      ],
      'a job that is off': [
        but(false, ...has('pve2', 'pve_backup_job nightly', 'enabled')),
        [[undefined, /pve2 has no enabled backup job, and the guests 102/]],
      ],
    },
    fits: {
      'all but those excluded': but(undefined, ...nightly, 'all'),

      'a pool, whose members nobody knows here': edit(
        but([101, 102, 103], ...nightly, 'exclude'),
        { pool: 'p' },
        ...has('pve1', 'pve_backup_job pool'),
      ),
      'a job of another node of the cluster': edit(
        but({}, 'hosts', 'pve2', 'has'),
        { vmid: [102], storage: 'nas', node: 'pve2' },
        ...has('pve1', 'pve_backup_job lent'),
      ),
    },
  },
  'busy-media-mode': {
    world: fleet,
    breaks: {
      snapshot: [
        but('snapshot', ...media, 'mode'),
        [['guest:101', /the job media takes it in snapshot mode/]],
      ],
      suspend: [but('suspend', ...media, 'mode'), [['guest:101', /suspend mode/]]],
      'by vzdump.conf': [but(undefined, ...media, 'mode'), [['guest:101', /snapshot mode/]]],
    },
    fits: {
      'another class': edit(
        but('snapshot', ...media, 'mode'),
        'static',
        'hosts',
        'pve1',
        'guests',
        1,
        'class',
      ),
    },
  },
  'tmpdir-local': {
    world: fleet,
    breaks: {
      'on a share of Windows': [
        edit(
          but({ what: '//smb.lan/bu', type: 'cifs' }, ...has('pve1', 'mount /mnt/smb')),
          '/mnt/smb/tmp',
          'hosts',
          'pve1',
          'vars',
          'vzdump',
          'tmpdir',
        ),
        [['mount:/mnt/smb', /mounted from smb\.lan:bu/]],
      ],

      'on the storage': [
        but('/mnt/pve/nas/tmp', 'hosts', 'pve1', 'vars', 'vzdump', 'tmpdir'),
        [[nas, /is on \/mnt\/pve\/nas, mounted from 10\.0\.0\.3/]],
      ],
      'on a mount': [
        but('/mnt/share', 'hosts', 'pve1', 'vars', 'vzdump', 'tmpdir'),
        [['mount:/mnt/share', /is on/]],
      ],
    },
    fits: {
      'a disk of its own': but('/mnt/disk/tmp', 'hosts', 'pve1', 'vars', 'vzdump', 'tmpdir'),
      'a name that only begins alike': but('/mnt/shared', 'hosts', 'pve1', 'vars', 'vzdump', 'tmpdir'),
    },
  },
  'tmpdir-room': {
    world: fleet,
    breaks: {
      'a larger container': [
        but('9 GiB', 'hosts', 'pve1', 'guests', 2, 'size'),
        [['guest:102', /has 9 GiB, and only 8 GiB/]],
      ],
      'less room': [
        but(7, 'hosts', 'pve1', 'vars', 'vzdump', 'tmpdir_free_gib'),
        [['guest:102', /only 7 GiB/]],
      ],
      'no longer stopped': [but('snapshot', ...media, 'mode'), [['guest:101', /900 GB/]]],
    },
    fits: {
      'a size in powers of ten': but('8.5 GB', 'hosts', 'pve1', 'guests', 2, 'size'),
      'an excluded one': edit(
        but('64 GB', 'hosts', 'pve1', 'guests', 2, 'size'),
        'a copy',
        'hosts',
        'pve1',
        'guests',
        2,
        'excluded',
      ),
      'nobody knows how large': but(undefined, 'hosts', 'pve1', 'guests', 2, 'size'),
    },
  },
  'database-whole': {
    world: fleet,
    breaks: {
      'no hook': [
        but([], 'hosts', 'pve1', 'vars', 'vzdump-hook', 'guests'),
        [['guest:100', /guest 100 \(db\) holds a database/]],
      ],
      'by its services alone': [
        edit(
          but([], 'hosts', 'pve1', 'vars', 'vzdump-hook', 'guests'),
          'static',
          'hosts',
          'pve1',
          'guests',
          0,
          'class',
        ),
        [['guest:100', /database/]],
      ],
      'by its class alone': [
        but('database', 'hosts', 'pve1', 'guests', 2, 'class'),
        [['guest:102', /guest 102 holds/]],
      ],
    },
    fits: {
      'a dump': edit(
        but([], 'hosts', 'pve1', 'vars', 'vzdump-hook', 'guests'),
        'pg_dumpall',
        'hosts',
        'pve1',
        'guests',
        0,
        'dump',
      ),
    },
  },
  'hook-needs-agent': {
    world: fleet,
    breaks: {
      'a container': [
        but('ct', 'hosts', 'pve1', 'guests', 0, 'type'),
        [['guest:100', /which is a container/]],
      ],
    },
  },
  'backup-id-collision': {
    world: fleet,
    breaks: {
      'as the inventory says where no job is declared': [
        edit(
          but([{ vmid: 102, type: 'ct', storage: 'pbs' }], 'hosts', 'pve2', 'guests'),
          undefined,
          ...has('pve2', 'pve_backup_job nightly'),
        ),
        [['guest:102', /pve1 and pve2/]],
      ],

      'of the same kind': [
        but('ct', 'hosts', 'pve2', 'guests', 0, 'type'),
        [['guest:102', /pve1 and pve2 both back a guest up as ct\/102 into the datastore store of pbs1/]],
      ],
    },
    fits: {
      'one of them is backed up nowhere': edit(
        but([{ vmid: 102, type: 'ct', storage: 'pbs', excluded: 'a copy' }], 'hosts', 'pve2', 'guests'),
        undefined,
        ...has('pve2', 'pve_backup_job nightly'),
      ),

      'a namespace of its own': edit(
        but('ct', 'hosts', 'pve2', 'guests', 0, 'type'),
        'pve2',
        ...has('pve2', 'pve_storage pbs', 'namespace'),
      ),
      'another datastore': edit(
        but('ct', 'hosts', 'pve2', 'guests', 0, 'type'),
        'other',
        ...has('pve2', 'pve_storage pbs', 'datastore'),
      ),
    },
  },
  'pbs-own-copy': {
    world: fleet,
    breaks: {
      'itself only': [
        but([101], ...media, 'vmid'),
        [
          [
            'guest:110',
            /guest 110 of pve1 is the backup server pbs1, and it is backed up to itself only \(pbs\)/,
          ],
        ],
      ],
    },
    fits: {
      'not backed up at all': edit(but([101], ...media, 'vmid'), [101, 103, 110], ...nightly, 'exclude'),
    },
  },
  'mirror-disks-match': {
    world: fleet,
    breaks: {
      size: [but('1 TB', 'hosts', 'pve1', 'disks', 1, 'size'), [['pool:rpool', /M \(2 TB\) and M \(1 TB\)/]]],
      model: [but('N', 'hosts', 'pve1', 'disks', 1, 'model'), [['pool:rpool', /N \(2 TB\)/]]],
      'by its use': [
        but(
          [
            { serial: 'A', size: '2 TB', use: 'mirror tank' },
            { serial: 'B', size: '1 TB', use: 'mirror tank' },
          ],
          'hosts',
          'pve2',
          'disks',
        ),
        [['pool:tank', /A \(2 TB\) and B \(1 TB\)/]],
      ],
    },
    fits: {
      'a log device': edit(
        but('16 GB', 'hosts', 'pve1', 'disks', 1, 'size'),
        'log',
        'hosts',
        'pve1',
        'disks',
        1,
        'use',
      ),

      'disks of no mirror': but(
        [
          { serial: 'A', size: '2 TB' },
          { serial: 'B', size: '1 TB' },
        ],
        'hosts',
        'pve2',
        'disks',
      ),
    },
  },
  'three-two-one': {
    world: fleet,
    breaks: {
      'another server fetches the datastore': [
        edit(but(['nas'], 'site', 'data_sets', 0, 'storages'), second, 'hosts', 'pbs2'),
        [
          ['storage:pbs', /3 known copies \(what runs, the storage pbs and pbs2, which fetches it\)/],
          ['storage:pbs', /3 known copies/],
        ],
      ],
      'the datastore is pushed': [
        edit(
          but(['nas'], 'site', 'data_sets', 0, 'storages'),
          { kind: 'sync', store: 'store', remote: 'afar', sync_direction: 'push' },
          ...has('pbs1', 'pbs_job push'),
        ),
        [
          ['storage:pbs', /and afar, which it is pushed to/],
          ['storage:pbs', /3 known copies/],
        ],
      ],
      'a storage on the same host': [
        edit(
          edit(but('disk', ...media, 'storage'), ['pbs'], 'site', 'data_sets', 0, 'storages'),
          [101],
          ...media,
          'vmid',
        ),
        [
          [
            'storage:disk',
            /the guest 101 of pve1 has 2 known copies \(what runs and the storage disk on the same host\)/,
          ],
        ],
      ],

      'two copies': [
        but(
          [
            { on: 'pve1', medium: 'ssd' },
            { on: 'x', medium: 'hdd', offsite: true },
          ],
          'site',
          'data_sets',
          0,
          'copies',
        ),
        [['data-set:guests', /lacks 1 copy$/]],
      ],
      'one medium': [
        but('hdd', 'site', 'data_sets', 0, 'copies', 0, 'medium'),
        [['data-set:guests', /lacks a second kind of medium$/]],
      ],
      'nothing elsewhere': [
        but(false, 'site', 'data_sets', 0, 'copies', 2, 'offsite'),
        [['data-set:guests', /lacks a copy in another place$/]],
      ],
      'no reason': [
        but(undefined, 'site', 'data_sets', 1, 'excluded'),
        [['data-set:metrics', /lacks 3 copies, a second kind of medium and a copy in another place/]],
      ],
      'guests that no data set speaks of': [
        but(['nas'], 'site', 'data_sets', 0, 'storages'),
        [
          [
            'storage:pbs',
            /the guests 100 and 102 of pve1 have 2 known copies \(what runs and the storage pbs\)/,
          ],
          ['storage:pbs', /guest 102 of pve2 has 2/],
        ],
      ],
    },
    fits: { 'guests that are excluded': but([100, 101, 102, 103, 110], ...nightly, 'exclude') },
  },
  'copies-apart': {
    world: fleet,
    breaks: {
      'one disk': [
        but({ on: 'pve1', medium: 'hdd', disk: 'A' }, 'site', 'data_sets', 0, 'copies', 1),
        [['data-set:guests', /on the disk A of pve1/]],
      ],
      'one host': [
        but({ on: 'pve1', medium: 'hdd' }, 'site', 'data_sets', 0, 'copies', 1),
        [['data-set:guests', /not said that their disks differ/]],
      ],
      'a disk that is not there': [
        but('C', 'site', 'data_sets', 0, 'copies', 0, 'disk'),
        [['data-set:guests', /has no such disk/]],
      ],
    },
    fits: { 'two disks': but({ on: 'pve1', medium: 'hdd', disk: 'B' }, 'site', 'data_sets', 0, 'copies', 1) },
  },
  'bind-mount-copies': {
    world: edit(
      edit(
        fleet,
        [{ id: 'mp0', path: '/media', source: '/srv/media', bind: true }],
        'hosts',
        'pve1',
        'guests',
        1,
        'mount_points',
      ),
      { on: 'pve1', path: '/srv/media', medium: 'hdd' },
      'site',
      'data_sets',
      0,
      'copies',
      0,
    ),
    breaks: {
      'no data set speaks of it': [
        but(
          [{ id: 'mp0', path: '/media', source: '/srv/media', bind: true }],
          'hosts',
          'pve1',
          'guests',
          1,
          'mount_points',
        ),
        [['guest:101', /mp0 of guest 101 of pve1 is \/srv\/media of the host/]],
      ],
      'only one of another host': [
        edit(
          but([{ id: 'mp0', path: '/srv/media', bind: true }], 'hosts', 'pve1', 'guests', 1, 'mount_points'),
          { on: 'pve2', path: '/srv/media', medium: 'hdd' },
          'site',
          'data_sets',
          0,
          'copies',
          0,
        ),
        [['guest:101', /no data set speaks of it/]],
      ],
    },
    fits: {
      'a volume of the guest': but(
        [{ id: 'mp0', path: '/media', source: 'local:1', bind: false }],
        'hosts',
        'pve1',
        'guests',
        1,
        'mount_points',
      ),
    },
  },
  'no-plain-secret': {
    world: {
      ...fleet,
      texts: {
        'inventory/hosts/a.yaml': 'password: ${secrets.a}\npassword: # later\nfingerprint: aa:bb\n',
        'roles/a/role.yaml': 'password: {type: string}\n    password: ${item.password}\n  password:\n',
        'roles/a/README.md': 'The password: ask a person.\n',
        'templates/a/x.hbs': 'password={{line password}}\n',
      },
    },
    breaks: {
      'in the inventory': [
        { ...fleet, texts: { 'inventory/hosts/a.yaml': 'vars:\n  a:\n    db_password: "hunter2"\n' } },
        [['file:inventory/hosts/a.yaml', /^inventory\/hosts\/a.yaml holds a password in clear text$/]],
      ],
      'in a runbook': [
        { ...fleet, texts: { 'roles/a/README.md': 'sshpass -p x ssh root@pve\n' } },
        [['file:roles/a/README.md', /a password given to sshpass/]],
      ],
      'a key': [
        { ...fleet, texts: { 'templates/a/key': '-----BEGIN OPENSSH PRIVATE KEY-----\n' } },
        [['file:templates/a/key', /a private key/]],
      ],
    },
  },
};
