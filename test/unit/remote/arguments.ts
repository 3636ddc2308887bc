import { readdirSync, readFileSync } from 'node:fs';

/** Watches the command lines and environments of all processes for a text until `stop` tells whether one held it. */
export function watchArguments(text: string): { stop(): boolean; samples(): number } {
  let found = false;
  let samples = 0;
  const sample = () => {
    samples += 1;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (Number(pid) === process.pid) continue;
      if (['cmdline', 'environ'].some((file) => read(`/proc/${pid}/${file}`).includes(text))) found = true;
    }
  };
  const timer = setInterval(sample, 3);
  return {
    stop() {
      clearInterval(timer);
      return found;
    },
    samples: () => samples,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
