// `npm run pages`: builds the web pages, for scripts such as image/build that need no other set-up.
import { existsSync } from 'node:fs';
import { ensureModules, ensurePages, node } from './prepare.mjs';

// If root runs it in the middle of a build, installed packages are left to their owner.
if (!existsSync(node)) ensureModules();
ensurePages();
