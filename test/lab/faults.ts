import type { Docker, LabHost } from './lab.ts';
import { mustRun } from './machine.ts';

/** Faults of the network: rules in the network namespace of the container, whatever tools its image has. */
export function network22(container: string): Pick<LabHost, 'cut' | 'uncut'> {
  const rules = async (...args: string[]): Promise<void> => {
    const pid = (await mustRun(['docker', 'inspect', '--format', '{{.State.Pid}}', container])).trim();
    await mustRun(['nsenter', '--target', pid, '--net', 'iptables', '-w', ...args]);
  };
  return {
    cut: async (how = 'drop') => {
      const fate = how === 'drop' ? ['DROP'] : ['REJECT', '--reject-with', 'tcp-reset'];
      await rules('-I', 'INPUT', '-p', 'tcp', '--dport', '22', '-j', ...fate);
      if (how === 'drop') await rules('-I', 'OUTPUT', '-p', 'tcp', '--sport', '22', '-j', 'DROP');
    },
    uncut: async () => {
      await rules('-F', 'INPUT');
      await rules('-F', 'OUTPUT');
    },
  };
}

/** Faults of the sessions: stops the sshd processes that serve a connection, never the one that listens. */
export function sshd(docker: Docker): Pick<LabHost, 'freeze' | 'thaw' | 'rekey'> {
  const signal = (name: string): string => `
    for dir in /proc/[0-9]*; do
      [ "$(cat "$dir/comm" 2>/dev/null)" = sshd ] || continue
      parent=$(sed -n 's/^PPid:[[:space:]]*//p' "$dir/status") || continue
      [ "$parent" = 1 ] || kill -${name} "\${dir#/proc/}" || :
    done`;
  return {
    freeze: async () => {
      await docker.sh(signal('STOP'));
    },
    thaw: async () => {
      await docker.sh(signal('CONT'));
    },
    rekey: async () => {
      await docker.sh(`rm /etc/ssh/ssh_host_ed25519_key* /etc/ssh/ssh_host_ecdsa_key*
        for type in ed25519 ecdsa; do ssh-keygen -q -t $type -N '' -f /etc/ssh/ssh_host_\${type}_key; done
        kill -HUP "$(cat /run/sshd.pid)"`);
    },
  };
}
