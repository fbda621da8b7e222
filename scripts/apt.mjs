// Debian packages, installed with a message now and then on the progress. Plain JavaScript, see prepare.mjs.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const everyMs = 3000;

/** The command that installs packages on a machine whose lists may be old or missing. */
export function installCommand(packages) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

/** Fetches the lists and installs, as root. Reports the progress every few seconds; apt-get reports its own errors. */
export async function installPackages(packages, env, say) {
  await aptGet(['update', '-q'], env, say);
  await aptGet(['install', '-y', '-q', '--no-install-recommends', ...packages], env, say);
}

async function aptGet(args, env, say) {
  // A machine that has just started may be upgrading itself.
  const options = ['-o', 'APT::Status-Fd=3', '-o', 'DPkg::Lock::Timeout=300'];
  const child = spawn('apt-get', [...options, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    env,
  });
  let saidAt = Date.now();
  const lines = createInterface({ input: child.stdio[3] });
  lines.on('line', (line) => {
    const progress = progressOf(line);
    if (progress === null || Date.now() - saidAt < everyMs) return;
    saidAt = Date.now();
    say(`  ${progress}`);
  });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

/**
 * The meaning of a line of apt-get's status; null if it has none. The format is `kind:package:percent:words`, with `dlstatus`
 * for downloads and `pmstatus` for what dpkg does (apt's README.progress-reporting).
 */
export function progressOf(line) {
  const [, kind, percent, words] =
    /^(dlstatus|pmstatus):[^:]*(?::[a-z0-9]+)?:([\d.]+):(.*)$/.exec(line) ?? [];
  if (kind === undefined) return null;
  return `${Math.round(Number(percent))} % ${kind === 'dlstatus' ? 'fetched' : 'installed'}: ${words}`;
}
