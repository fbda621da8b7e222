/** Checks one or both endpoints of a server, requirement by requirement. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describeError } from '../../common/errors.ts';
import { NoSessionError } from './errors.ts';
import { Lab, type Patience } from './lab.ts';
import { Peer } from './peer.ts';
import {
  type Finding,
  fail,
  notApplicable,
  type Outcome,
  type Protocol,
  type Requirement,
} from './requirement.ts';
import { requirements } from './requirements/index.ts';
import type { Endpoint } from './server.ts';

/** What the suite runs. */
export interface SuiteOptions {
  readonly whip: string | null;
  readonly whep: string | null;
  readonly token: string | null;
  /** A WHEP URL of a name that nobody publishes. */
  readonly empty: string | null;
  /** Ids to check; null checks all. */
  readonly only: readonly string[] | null;
  readonly patience?: Patience;
  readonly onFinding: (finding: Finding) => void;
}

/** After a flood, so that what comes next is not refused for it. */
const CALM_MS = 1000;
const PATIENCE_MS = 10_000;
const isFlood = (id: string): boolean => id.startsWith('limit-');

/** Runs every check. Returns the findings. */
export async function runSuite(options: SuiteOptions): Promise<Finding[]> {
  const { whip, whep, token } = options;
  const findings: Finding[] = [];
  if (whip !== null) findings.push(...(await lookAll({ protocol: 'whip', url: whip, token }, options)));
  if (whep === null) return findings;
  // What is viewed has to be there: if the publishing side is known, the suite publishes.
  using publisher = whip === null ? null : new Peer({ protocol: 'whip', url: whip, token });
  await publisher?.connect();
  publisher?.play();
  await untilThere({ protocol: 'whep', url: whep, token });
  findings.push(...(await lookAll({ protocol: 'whep', url: whep, token }, options)));
  return findings;
}

/** A new feed may take a moment to appear; if it never does, each check says so. */
async function untilThere(endpoint: Endpoint): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const lab = new Lab({ endpoint, emptyUrl: null });
    const { status } = await lab.offer();
    await lab.clear();
    if (status !== 404 && status !== 409) return;
    await sleep(500);
  }
}

async function lookAll(endpoint: Endpoint, options: SuiteOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const requirement of requirements) {
    const section = requirement.sections[endpoint.protocol];
    if (section === undefined || options.only?.includes(requirement.id) === false) continue;
    const { empty: emptyUrl, patience } = options;
    const lab = new Lab({ endpoint, emptyUrl, ...(patience === undefined ? {} : { patience }) });
    const outcome = await look(requirement, lab);
    if (isFlood(requirement.id)) await sleep(CALM_MS);
    await lab.clear();
    const finding = findingOf(requirement, endpoint.protocol, section, outcome);
    findings.push(finding);
    options.onFinding(finding);
  }
  return findings;
}

async function look(requirement: Requirement<Lab>, lab: Lab): Promise<Outcome> {
  try {
    return await requirement.look(lab);
  } catch (error) {
    return error instanceof NoSessionError ? notApplicable(error.message) : fail(describeError(error));
  }
}

function findingOf(
  { id, level, text }: Requirement<Lab>,
  protocol: Protocol,
  section: string,
  outcome: Outcome,
): Finding {
  return { id, level, text, protocol, section, ...outcome };
}
