/** For every shipped role, variables that say something in every place its schema has. Hostile values are then put there one by one. */
export const samples: Readonly<Record<string, { readonly platform: string; readonly vars: Tree }>> = {
  base: {
    platform: 'linux',
    vars: {
      domain: 'lan',
      site_hosts: [{ address: '10.10.0.9', name: 'box' }],
      extra_hosts: [{ address: '10.10.0.1', names: ['gateway.lan', 'gateway'] }],
      packages: ['rsync'],
      time_sync: 'chrony',
      time_servers: ['ntp1.lan'],
      ssh_keys: [
        {
          name: 'controller',
          options: 'restrict,pty',
          key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f provision@controller.lan',
          state: 'present',
        },
      ],
    },
  },
  vzdump: {
    platform: 'pve',
    vars: {
      tmpdir: '/var/lib/vz/vzdump-tmp',
      tmpdir_free_gib: 8,
      mode: 'stop',
      compress: 'zstd',
      zstd: 0,
      bwlimit: 0,
      ionice: 8,
      lockwait: 0,
      stopwait: 10,
      prune_backups: { 'keep-last': 3, 'keep-weekly': 0 },
      script: '/usr/local/bin/vzdump-hook',
      storage: 'truenas-bu',
      mailto: ['root', 'ops@box.lan'],
      notes_template: '{{guestname}} on {{node}}\\nby hand',
      exclude_path: ['/var/cache/*', "/srv/it's here", '/d*'],
      extra: {
        dumpdir: '/var/lib/vz/dump',
        stdexcludes: false,
        pigz: 1,
        performance: 'max-workers=4,pbs-entries-max=100',
        fleecing: 'enabled=1,storage=local-lvm',
        remove: true,
        protected: false,
        mailnotification: 'failure',
        'notification-mode': 'auto',
        'pbs-change-detection-mode': 'metadata',
      },
      backup_mounts: [
        {
          path: '/mnt/pve/truenas-bu',
          source: '10.10.0.104:/mnt/main_pool/bu',
          type: 'nfs4',
          expect_entry: 'dump',
        },
      ],
    },
  },
  pbs: {
    platform: 'pbs',
    vars: {
      datastores: [
        {
          name: 'pbs-datastore',
          path: '/mnt/pbs-datastore',
          mount: { path: '/mnt/pbs-datastore', source: '10.10.0.103:/mnt/Taupo/pbs', type: 'nfs' },
          reuse: false,
          comment: 'on truenas-hdd',
          verify_new: true,
          notification_mode: 'legacy-sendmail',
          notify_user: 'root@pam',
          tuning: { 'chunk-order': 'inode', 'sync-level': 'file', 'gc-atime-cutoff': 2880 },
          maintenance_mode: 'none',
        },
        { name: 'scratch', path: '/srv/scratch', local: true },
      ],
      jobs: [
        {
          id: 'daily-prune',
          kind: 'prune',
          store: 'pbs-datastore',
          schedule: '04:00',
          comment: 'policy of the site',
          ns: 'ruapehu',
          max_depth: 0,
          disable: false,
          keep_last: 1,
          keep_hourly: 1,
          keep_daily: 7,
          keep_weekly: 4,
          keep_monthly: 6,
          keep_yearly: 1,
        },
        {
          id: 'weekly',
          kind: 'verify',
          store: 'pbs-datastore',
          schedule: 'sat 18:15',
          ignore_verified: true,
          outdated_after: 30,
        },
        {
          id: 'offsite',
          kind: 'sync',
          store: 'scratch',
          schedule: '06:00',
          remote: 'nas',
          remote_store: 'copy',
          remote_ns: 'site/one',
          owner: 'sync@pbs!pull',
          remove_vanished: false,
          group_filter: ['type:vm', 'exclude:group:ct/100'],
          transfer_last: 3,
          rate_in: '10 MiB',
          rate_out: '1MB',
          sync_direction: 'pull',
        },
        { id: 'pbs-datastore', kind: 'gc', schedule: 'daily' },
        { id: 'old-prune', kind: 'prune', state: 'absent' },
      ],
      users: [
        {
          user: 'pve@pbs',
          comment: 'nodes',
          email: 'root@box.lan',
          enable: true,
          expire: 0,
          tokens: [{ name: 'ruapehu', comment: 'node ruapehu', enable: true }],
          acl: [
            { path: '/datastore/pbs-datastore', role: 'DatastoreBackup', propagate: true },
            { path: '/datastore/pbs-datastore', role: 'DatastoreBackup', token: 'ruapehu' },
          ],
        },
      ],
      decommissioned: [
        { group: 'vm/330', ns: 'ruapehu', reason: 'replaced by vm/400', since: '2026-03-01' },
        { group: 'ct/105', reason: 'gone' },
      ],
    },
  },
  'vzdump-hook': {
    platform: 'pve',
    vars: {
      guests: [
        {
          vmid: 111,
          name: 'InfluxDB',
          services: ['influxdb3-core'],
          data_dir: '/var/lib/influxdb3/data/node0',
        },
      ],
      storage: 'pbs-pihanga',
      repair_interval: '5min',
      hook: '/usr/local/bin/vzdump-hook.pl',
      qm: '/usr/sbin/qm',
      state_dir: '/var/lib/vzdump-hook',
      vzdump_lock: '/run/vzdump.lock',
      vzdump_conf: '/etc/vzdump.conf',
    },
  },
  'nfs-server': {
    platform: 'linux',
    vars: {
      directories: [{ path: '/srv/nfs', mode: '0755', owner: 'root', group: 'root' }],
      exports: [
        {
          path: '/srv/nfs',
          clients: [{ client: '10.10.0.0/24', options: ['rw', 'no_subtree_check', 'anonuid=1000'] }],
          state: 'present',
        },
      ],
    },
  },
  'nfs-client': {
    platform: 'linux',
    vars: {
      mounts: [
        {
          path: '/mnt/pbs-datastore',
          what: '10.10.0.103:/mnt/Taupo/pbs',
          type: 'nfs',
          options: ['vers=4.2', 'hard'],
          expect_entry: '.chunks',
          write_test: true,
          state: 'present',
        },
      ],
    },
  },
  'backup-target': {
    platform: 'linux',
    vars: {
      user: 'backup-in',
      ssh_keys: [
        {
          name: 'box',
          key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f box@box.lan',
          options: 'restrict',
          state: 'present',
        },
      ],
      directories: [
        { path: '/srv/backup/site', user: 'backup-in', mode: '0750', free_gib: 1, mounted: '/srv' },
      ],
    },
  },
  'synology-backup-target': {
    platform: 'synology',
    vars: {
      shares: [
        {
          name: 'Backup',
          volume: '/volume1',
          description: 'Third copy',
          browseable: true,
          rw: ['provision', '@administrators'],
          ro: ['reader'],
          deny: ['guest'],
          nfs: [
            {
              client: '10.10.0.0/24',
              privilege: 'rw',
              root_squash: 'root',
              async: false,
              insecure: false,
              crossmnt: false,
              security_flavor: ['sys'],
            },
          ],
          free_gib: 1,
        },
      ],
      services: ['sftp', 'rsync', 'nfs', 'home'],
    },
  },
  'truenas-backup-target': {
    platform: 'truenas',
    vars: {
      datasets: [
        {
          name: 'main_pool/bu',
          acltype: 'NFSV4',
          aclmode: 'PASSTHROUGH',
          compression: 'LZ4',
          atime: 'OFF',
          recordsize: '1M',
          sync: 'STANDARD',
          free_gib: 1,
          trivial_acl: true,
        },
      ],
      shares: [
        {
          path: '/mnt/main_pool/bu',
          hosts: ['10.10.0.30'],
          networks: ['10.10.1.0/24'],
          maproot_user: 'root',
          maproot_group: 'root',
          ro: false,
          security: ['SYS'],
          comment: 'dumps of pve2',
          enabled: true,
          state: 'present',
        },
        {
          path: '/mnt/main_pool/other',
          hosts: ['pve9.lan'],
          networks: [],
          mapall_user: 'backup',
          mapall_group: 'backup',
        },
      ],
    },
  },
  'zfs-health': {
    platform: 'pve',
    vars: {
      pools: [{ name: 'rpool', members: ['ata-ACME_0001-part3', 'ata-ACME_0002-part3'], max_scrub_days: 35 }],
      datasets: [
        {
          name: 'rpool/data',
          compression: 'lz4',
          atime: 'off',
          relatime: 'on',
          recordsize: '128K',
          quota: '500G',
        },
      ],
      mail: true,
      swap_on_zvol: 'refused',
    },
  },
};

export type Tree = string | number | boolean | null | readonly Tree[] | { readonly [key: string]: Tree };
