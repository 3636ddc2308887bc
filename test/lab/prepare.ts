import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labAvailable } from './machine.ts';

/** Before the tests of the project `lab`: the bundle that they run, Docker and the images. Says once why there is no lab. */
export default function prepare(): () => void {
  const required = process.env.LAB === 'required';
  const build = spawnSync(process.execPath, ['build.js'], { stdio: 'inherit' });
  if (build.status !== 0) {
    // While someone works on the sources, tests that do not need the bundle are still worth running.
    if (required) throw new Error('the build failed');
    console.warn('the build failed: tests of the command line run what an earlier build left, or fail');
  }
  const lab = labAvailable();
  if (!lab.ok) {
    if (required) throw new Error(`LAB=required, and there is no lab: ${lab.reason}`);
    console.warn(`lab tests are skipped: ${lab.reason}`);
    return () => {};
  }
  endLeftovers();
  // Inherited by the test processes, see `scratch`.
  process.env.LAB_SCRATCH = mkdtempSync(join(tmpdir(), 'provision-lab-'));
  return () => {
    endLeftovers();
    if (process.env.LAB_SCRATCH) rmSync(process.env.LAB_SCRATCH, { recursive: true, force: true });
  };
}

/** Ends hosts whose test process is gone: one that was killed could not end its own. */
function endLeftovers(): void {
  const format = '{{.ID}} {{.Label "provision-lab.owner"}}';
  const listed = execFileSync('docker', [
    'ps',
    '--all',
    '--filter',
    'label=provision-lab.owner',
    '--format',
    format,
  ]);
  for (const line of listed.toString('utf8').split('\n')) {
    const [container, owner] = line.split(' ');
    if (!container || !owner || existsSync(`/proc/${owner}`)) continue;
    execFileSync('docker', ['rm', '--force', '--volumes', container], { stdio: 'ignore' });
  }
}
