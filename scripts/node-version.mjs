// Which Node.js runs this, asked before anything else is done: an old one fails later, in words that blame something else.

/** As package.json says. */
const oldest = 20;

/**
 * Major version of the Node.js that npm runs on; null where that cannot be known. It may be another one than this script's:
 * npm puts node_modules/.bin first, and once the packages are there, `node` is theirs.
 */
export function npmNodeMajor(environment, version, isOurs) {
  const agent = /\bnode\/v(\d+)\./.exec(environment.npm_config_user_agent ?? '')?.[1];
  if (agent !== undefined) return Number(agent);
  return isOurs ? null : majorOf(version);
}

/** What is wrong with these versions, in one sentence; null where nothing is. */
export function versionProblem(version, npmMajor) {
  const major = Math.min(majorOf(version), npmMajor ?? majorOf(version));
  if (major >= oldest) return null;
  return `Rushlight needs Node.js ${oldest} or newer, and this machine's is version ${major}: install a newer one, for example from https://nodejs.org/en/download, then start again.`;
}

function majorOf(version) {
  return Number(version.replace(/^v/, '').split('.')[0]);
}
