// `npm run pages`: builds the web pages, for whoever needs nothing else of a set-up, as image/build does.
import { existsSync } from 'node:fs';
import { ensureModules, ensurePages, node } from './prepare.mjs';

// Run by root in the middle of a build: what is installed is left to its owner.
if (!existsSync(node)) ensureModules();
ensurePages();
