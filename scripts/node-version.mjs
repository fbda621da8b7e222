// Which Node.js runs this, checked before anything else: an old one fails later, with a misleading message.

/** As in package.json. Debian 12 has 18. */
const oldest = 18;
/** What the packages need: an older version's npm silently leaves out what it considers optional. */
const oldestForPackages = 20;

/**
 * Major version of the machine's own Node.js, which npm runs on; null if it is unknown. It may differ from this script's: npm
 * puts node_modules/.bin first, and once the packages are there, `node` is theirs, for an npm below as well.
 */
export function npmNodeMajor(environment, { execPath, version }, modules) {
  const { npm_node_execpath: npmNode = execPath, npm_config_user_agent: agent = '' } = environment;
  if (npmNode.startsWith(modules)) return null;
  return Number(/\bnode\/v(\d+)\./.exec(agent)?.[1] ?? majorOf(version));
}

/** Whether the machine's own npm may install the packages. */
export function installsPackages(npmMajor) {
  return npmMajor === null || npmMajor >= oldestForPackages;
}

/** What is wrong with these versions, in one sentence; null if nothing is. */
export function versionProblem(version, npmMajor) {
  const major = Math.min(majorOf(version), npmMajor ?? majorOf(version));
  if (major >= oldest) return null;
  return `Rushlight needs Node.js ${oldest} or newer, and this machine's is version ${major}: install a newer one, for example from https://nodejs.org/en/download, then start again.`;
}

function majorOf(version) {
  return Number(version.replace(/^v/, '').split('.')[0]);
}
