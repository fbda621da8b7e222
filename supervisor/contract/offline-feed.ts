import type { Feed } from './feeds.ts';

// In a file of its own, without schemas: the pages import it, and must not carry zod.

/** A feed that should be there and is not, as the hub lists it and as the page keeps it. */
export function offlineFeed({ id, label, reason }: Pick<Feed, 'id' | 'label' | 'reason'>): Feed {
  return {
    id,
    label,
    reason,
    state: 'offline',
    codec: null,
    audioCodec: null,
    width: null,
    height: null,
    fps: null,
    bitrateKbps: 0,
    framesTotal: 0,
    packetsLost: 0,
    lossRatio: null,
    latencyMs: null,
    keyframeAgeMs: null,
    layers: [],
    publisher: null,
    viewers: [],
  };
}
