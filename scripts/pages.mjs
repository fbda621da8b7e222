// `npm run pages`: builds the web pages and the manual, without the rest of the setup, as image/build does.
import { existsSync } from 'node:fs';
import { ensureManual, ensureModules, ensurePages, node } from './prepare.mjs';

// If root runs it in the middle of a build, installed packages are left to their owner.
if (!existsSync(node)) ensureModules();
ensurePages();
ensureManual();
