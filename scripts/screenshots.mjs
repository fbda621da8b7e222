// `npm run screenshots`: takes the pictures of the manual from the running product, into docs/images. Needs Chromium and ffmpeg.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import {
  ensureDatapath,
  ensureManual,
  ensureModules,
  ensurePages,
  ensurePrograms,
  environment,
  node,
  root,
} from './prepare.mjs';

await ensurePrograms(['ffmpeg', 'chromium'], { optional: ['font'] });
ensureModules();
ensurePages();
ensureManual();
ensureDatapath();
const { status } = spawnSync(
  node,
  [join(root, 'scripts', 'docs', 'screenshots.ts'), ...process.argv.slice(2)],
  {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
