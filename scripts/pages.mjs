// `npm run pages`: builds the web pages, for whoever needs nothing else of a set-up, as image/build does.
import { ensureModules, ensurePages } from './prepare.mjs';

ensureModules();
ensurePages();
