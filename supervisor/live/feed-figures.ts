import { createHash } from 'node:crypto';
import type { FeedStats } from '../../media/index.ts';
import type { Feed, LinkedCamera } from '../contract/index.ts';
import { feedLatencyMs } from './feed-latency.ts';

/** A feed as the API shows it, from the figures of the media process; the cameras' clocks date its pictures. */
export function feedOf(stats: FeedStats, label: string, cameras: readonly LinkedCamera[]): Feed {
  const { feed, publisher, viewers } = stats;
  return {
    id: feed,
    label,
    state: stats.state,
    reason: stats.notices.length === 0 ? null : stats.notices.join(' '),
    codec: stats.codec,
    audioCodec: stats.audioCodec,
    width: stats.width,
    height: stats.height,
    fps: stats.fps,
    bitrateKbps: stats.bitrateKbps,
    framesTotal: stats.framesTotal,
    packetsLost: stats.packetsLost,
    lossRatio: stats.lossRatio,
    keyframeAgeMs: stats.keyframeAgeMs,
    latencyMs: feedLatencyMs(stats, cameras),
    layers: stats.layers.map(({ layer, ...figures }) => ({ rid: layer, ...figures })),
    publisher:
      publisher === null
        ? null
        : {
            kind: publisher.kind,
            camera: publisher.kind === 'whip' ? publisher.peer : null,
            sinceMs: Math.max(0, Date.now() - publisher.sinceMs),
          },
    viewers: viewers
      // The hub and servers of others have places of their own in the status.
      .filter(({ id }) => !/^(?:push|output):/.test(id))
      .map(({ id, connected, layer, paused, bitrateKbps, lossRatio, rttMs, skippedFrames }) => ({
        id: shownId(id),
        connected,
        layer,
        paused,
        bitrateKbps,
        lossRatio,
        rttMs,
        skippedFrames,
      })),
  };
}

/** Distinguishes viewers without revealing the ids of their sessions, which only they may know. */
function shownId(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('hex').slice(0, 16);
}
