import type { OutputSettings } from '../../config/schema.ts';
import type { Feed, Output, OutputFlow } from '../../contract/index.ts';
import type { OutputFigures } from '../media-flows.ts';
import type { Target } from './targets.ts';

type Condition = Pick<OutputFlow, 'state' | 'reason'>;

/** What the view is made of. */
export interface FlowSources {
  /** Its state in the media process; undefined if that does not know it yet. */
  readonly figures: OutputFigures | undefined;
  /** Its feed as the page shows it; undefined if there is none. */
  readonly feed: Feed | undefined;
  readonly mediaRuns: boolean;
}

/** The state of one feed of an output. Pure. */
export function flowOf({ feed: id }: Target, { figures, feed, mediaRuns }: FlowSources): OutputFlow {
  const { connections = 0, retryInMs = null, sinceMs = 0, viewer = null } = figures ?? {};
  return {
    feed: id,
    ...conditionOf(id, { figures, feed, mediaRuns }),
    bitrateKbps: viewer?.bitrateKbps ?? 0,
    retryAt: retryInMs === null ? null : new Date(sinceMs + retryInMs).toISOString(),
    connections,
    lossRatio: viewer?.lossRatio ?? null,
    rttMs: viewer?.rttMs ?? null,
    skippedFrames: viewer?.skippedFrames ?? 0,
  };
}

function conditionOf(id: string, { figures, feed, mediaRuns }: FlowSources): Condition {
  if (!mediaRuns) return { state: 'waiting', reason: 'The media process is being started.' };
  if (figures?.state === 'failed') return { state: 'failed', reason: figures.reason };
  // A next try does not make the reason of the last one untrue.
  if (figures?.state === 'connecting' && figures.reason !== null) {
    return { state: 'failed', reason: figures.reason };
  }
  if (feed === undefined) return { state: 'waiting', reason: `There is no feed "${id}" now.` };
  if (feed.codec === 'mjpeg') {
    return {
      state: 'waiting',
      reason: `${feed.label} consists of JPEG pictures, which do not travel by WHIP.`,
    };
  }
  if (feed.state !== 'online') {
    return { state: 'waiting', reason: feed.reason ?? `${feed.label} sends nothing now.` };
  }
  return { state: figures?.state === 'connected' ? 'live' : 'connecting', reason: null };
}

/** The worst counts, but a feed that has nothing to send does not make the others look idle. */
const ranks: readonly OutputFlow['state'][] = ['failed', 'connecting', 'live', 'waiting'];

/** The state of an output as a whole. Pure. */
export function conditionOfAll(feed: string, flows: readonly OutputFlow[]): Condition {
  const state = ranks.find((rank) => flows.some((flow) => flow.state === rank));
  if (state === undefined) return { state: 'waiting', reason: 'There is no feed now.' };
  const first = flows.find((flow) => flow.state === state);
  const reason = first?.reason ?? null;
  if (reason === null || first === undefined || feed !== '*') return { state, reason };
  const others = flows.filter((flow) => flow.state === state).length - 1;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return { state, reason: `${first.feed}${more}: ${reason}` };
}

/** Where an output goes, without what may be secret. */
function shownServer(url: string): string {
  return new URL(url).origin;
}

/** An output for the API. */
export function outputOf(
  { id, label, feed, url }: OutputSettings,
  { condition, since, flows }: { condition: Condition; since: string; flows: readonly OutputFlow[] },
): Output {
  const bitrateKbps = flows.reduce((sum, flow) => sum + flow.bitrateKbps, 0);
  const server = shownServer(url);
  return { id, label: label ?? id, feed, server, ...condition, bitrateKbps, since, flows: [...flows] };
}
