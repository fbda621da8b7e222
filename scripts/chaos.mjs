// `npm run chaos`: every kind of bad luck and bad actor at once, on two machines in network namespaces. Needs root.
// Words after `--` go to scripts/chaos/main.ts: --minutes N, --seed N, --keep FOLDER.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureModules, ensurePages, ensurePrograms, environment, node, root } from './prepare.mjs';

await ensurePrograms(['ffmpeg', 'ip', 'mosquitto', 'compiler']);
ensureModules();
ensurePages();
// Ctrl-C also reaches the run, which removes what it made.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
const main = join(root, 'scripts', 'chaos', 'main.ts');
const run = spawnSync(node, [main, ...process.argv.slice(2)], {
  cwd: root,
  env: environment,
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
