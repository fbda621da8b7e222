// `npm run pages`: builds the web pages and the manual, if you need nothing else of a set-up, as image/build does.
import { existsSync } from 'node:fs';
import { ensureManual, ensureModules, ensurePages, node } from './prepare.mjs';

// Run by root in the middle of a build: what is installed is left to its owner.
if (!existsSync(node)) ensureModules();
ensurePages();
ensureManual();
