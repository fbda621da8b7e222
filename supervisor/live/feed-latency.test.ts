import { describe, expect, test } from 'vitest';
import { linkedCamera } from '../telemetry/status.fixture.ts';
import { feedLatencyMs } from './feed-latency.ts';

const ingest = { kind: 'ingest', sessionId: null, peer: null, sinceMs: 0 } as const;
const whip = { kind: 'whip', sessionId: 's', peer: 'stage-left', sinceMs: 0 } as const;
const camera = (changes: Parameters<typeof linkedCamera>[0] = {}) => {
  const plain = linkedCamera();
  const sources = plain.sources.map((source) => ({ ...source, id: 'cam0', kind: 'rpicam' as const }));
  return { ...plain, id: 'c1', name: 'stage-left', online: true, sources, clockOffsetMs: 12, ...changes };
};

describe('feedLatencyMs', () => {
  test('a local source uses the local clock', () => {
    expect(feedLatencyMs({ feed: 'cam0', publisher: ingest, captureDelayMs: 8.25 }, [])).toBe(8.3);
  });

  test("a camera's clock is corrected by its measured offset", () => {
    const stats = { feed: 'cam0', publisher: whip, captureDelayMs: 8 };
    expect(feedLatencyMs(stats, [camera()])).toBe(20);
    expect(feedLatencyMs({ ...stats, publisher: { ...whip, peer: 'c1' } }, [camera()])).toBe(20);
    expect(feedLatencyMs(stats, [camera({ clockOffsetMs: -9 })])).toBe(0);
  });

  test('is unknown if the capture time or its clock is unknown', () => {
    const stats = { feed: 'cam0', publisher: whip, captureDelayMs: 8 };
    expect(feedLatencyMs(stats, [])).toBeNull();
    expect(feedLatencyMs({ ...stats, captureDelayMs: null }, [camera()])).toBeNull();
    expect(feedLatencyMs({ ...stats, publisher: null }, [camera()])).toBeNull();
    expect(feedLatencyMs(stats, [camera({ clockOffsetMs: null })])).toBeNull();
    expect(feedLatencyMs(stats, [camera({ online: false })])).toBeNull();
    expect(feedLatencyMs({ ...stats, feed: 'cam1' }, [camera()])).toBeNull();
    const networked = camera().sources.map((source) => ({ ...source, kind: 'rtsp' as const }));
    expect(feedLatencyMs(stats, [camera({ sources: networked })])).toBeNull();
  });
});
