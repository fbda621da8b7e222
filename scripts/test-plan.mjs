// Which tests `npm test` runs, and where. Plain JavaScript, see prepare.mjs.

const checks = ['types', 'types of the pages', 'types of the scripts', 'lint'];
const endToEnd = ['end-to-end tests', 'end-to-end tests that need the machine for themselves'];
const everything = [...checks, 'unit tests', ...endToEnd];
/** What `npm run typecheck`, `lint`, `test:unit`, `test:e2e` and `coverage` run. */
const only = {
  types: checks.slice(0, 3),
  lint: ['lint', 'import rules'],
  unit: ['unit tests'],
  e2e: endToEnd,
  coverage: ['unit tests with coverage'],
};

/** The step that installs the system packages (a compiler, ffmpeg, a browser) and builds what the tests run. */
export const setUp = 'setup for the tests';

/**
 * The steps of the parts in order, with the setup before the first part that needs it. Types, lint and import rules need
 * only Node.js packages: they run, and can fail, before anyone is asked for a system package.
 */
export function withSetUp(parts) {
  const first = parts.findIndex((part) => !checks.includes(part) && part !== 'import rules');
  return first < 0 ? [...parts] : [...parts.slice(0, first), setUp, ...parts.slice(first)];
}

/**
 * Parses the words after `npm test --`: parts that run on this system (`here`), those in Debian 13 (`inRoot`), those that
 * run here if there can be no such root (`elsewhere`; null if that is an error), what goes to vitest, and whether all parts run
 * whatever the first ones say. `problem` is a sentence if the words ask for something that does not exist, otherwise null.
 */
export function testPlan(words, isCi) {
  const chosen = [];
  /** @type {{problem: string | null, chosen: string[], here: string[], inRoot: string[], elsewhere: string[] | null, keepGoing: boolean}} */
  const base = { problem: null, chosen, here: [], inRoot: [], elsewhere: null, keepGoing: false };
  if (words[0] === '--only') {
    const parts = Object.hasOwn(only, words[1] ?? '') ? only[words[1]] : null;
    if (parts === null) return { ...base, problem: `--only takes one of: ${Object.keys(only).join(', ')}.` };
    return { ...base, here: parts };
  }
  let debian = null;
  let all = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === '--all-systems') all = true;
    else if (word === '--debian') debian = words[++at] ?? '';
    else if (word.startsWith('--debian=')) debian = word.slice('--debian='.length);
    else chosen.push(word);
  }
  if (debian !== null && debian !== '13')
    return {
      ...base,
      problem: 'There is a root for Debian 13 alone, which the image is made of: npm test -- --debian 13',
    };

  if (chosen.length > 0) {
    const parts = ['chosen tests'];
    if (debian !== null) return { ...base, here: [], inRoot: parts };
    return all
      ? { ...base, here: parts, inRoot: parts, elsewhere: [], keepGoing: true }
      : { ...base, here: parts, inRoot: [] };
  }
  if (debian !== null) return { ...base, here: [], inRoot: ['unit tests', ...endToEnd] };
  if (!all && !isCi) return { ...base, here: everything, inRoot: [] };
  return {
    ...base,
    here: [...checks, 'unit tests'],
    inRoot: ['unit tests', ...endToEnd],
    elsewhere: endToEnd,
    keepGoing: true,
  };
}
