// `npm start`: a whole appliance in simulation, from a fresh clone. This process takes systemd's place: it restarts a
// supervisor that crashed, and passes signals on.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  ensureDatapath,
  ensureGpio,
  ensureManual,
  ensureModules,
  ensurePages,
  ensurePrograms,
  environment,
  fail,
  node,
  root,
  say,
} from './prepare.mjs';
import { watchSources } from './watch-sources.mjs';

// First what only the owner of the machine can fix; the packages take longer.
await ensurePrograms(['ffmpeg'], { optional: ['font', 'ip', 'v4l2'] });
ensureModules();
ensurePages();
ensureManual({ needed: false });
ensureGpio();
ensureDatapath();

const restartDelayMs = 500;
const crashesInARow = 5;
const stableMs = 30_000;
const watches = process.argv.includes('--watch');
let supervisor = null;
let stopping = false;
/** Ended by this process, to run the changed sources. */
let restarting = false;
let crashes = 0;

const start = () => {
  const startedAt = Date.now();
  // As on the device: the supervisor makes little garbage and needs only a small heap.
  const args = [
    '--max-semi-space-size=2',
    join(root, 'supervisor', 'main.ts'),
    '--simulation',
    ...process.argv.slice(2).filter((word) => word !== '--watch'),
  ];
  supervisor = spawn(node, args, { cwd: root, env: environment, stdio: 'inherit' });
  supervisor.once('error', (error) => fail(`The supervisor cannot be started: ${error.message}`));
  supervisor.once('exit', (code, signal) => {
    if (restarting && !stopping) {
      restarting = false;
      // In a separate process: a page with an error ends that one, not this.
      spawnSync(process.execPath, [join(root, 'scripts', 'pages.mjs')], { stdio: 'inherit' });
      ensureDatapath();
      return start();
    }
    if (watches && !stopping && code !== 0) {
      supervisor = null;
      return say('The supervisor ended; it starts again when a source file changes.');
    }
    if (stopping || signal === null) process.exit(code ?? 0);
    if (Date.now() - startedAt > stableMs) crashes = 0;
    crashes += 1;
    if (crashes >= crashesInARow) fail(`The supervisor was ended by ${signal} ${crashes} times in a row.`);
    say(`The supervisor was ended by ${signal}; starting it again.`);
    setTimeout(start, restartDelayMs);
  });
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (supervisor === null) process.exit(0);
    if (!stopping || signal !== 'SIGINT') supervisor.kill(signal === 'SIGINT' ? 'SIGTERM' : signal);
    stopping = true;
  });
}
start();
if (watches) {
  watchSources((path) => {
    if (stopping || restarting) return;
    say(`${path} changed; starting again.`);
    if (supervisor === null) return start();
    restarting = true;
    supervisor.kill('SIGTERM');
  });
}
