import type { CameraRecord, Segment, TakeManifest } from './manifest.ts';

/** A verified segment as a camera module's, with everything there can be in one. */
export function segmentFixture(number: number, over: Partial<Segment> = {}): Segment {
  const stem = `cam0/${`${number}`.padStart(4, '0')}`;
  const sha256 = 'ab'.repeat(32);
  return {
    number,
    state: 'closed',
    file: `${stem}.mkv`,
    spool: null,
    bytes: 1000,
    frames: 100,
    droppedFrames: 3,
    droppedBefore: 4,
    timecode: '12:00:00:00',
    sha256,
    clean: true,
    firstTimestamp: '2026-11-22T12:00:00.000000Z',
    lastTimestamp: '2026-11-22T12:00:03.300000Z',
    sensorTimes: {
      source: 'save-pts',
      file: `${stem}.pts`,
      frames: 100,
      largestGapMs: 33.4,
      skippedFrames: 1,
      first: '2026-11-22T12:00:00.000000Z',
      last: '2026-11-22T12:00:03.300000Z',
    },
    framemd5: { file: `${stem}.framemd5`, sha256 },
    verified: { ok: true, at: '2026-11-22T12:00:10.000000Z', proof: 'bit-exact', problems: [] },
    checkedAt: null,
    ...over,
  };
}

/** A camera's record, with changes. */
export function recordFixture(over: Partial<CameraRecord> = {}): CameraRecord {
  return {
    state: 'verified',
    reason: null,
    codec: 'ffv1',
    strategy: 'direct',
    strategyReason: 'measured',
    source: {
      codec: 'rawvideo',
      pixelFormat: 'yuv422p|yuv420p',
      range: 'limited',
      fps: 29.97,
      width: 1920,
      height: 1080,
      clock: 'epoch',
    },
    threads: 4,
    frames: 200,
    droppedFrames: 14,
    segments: [segmentFixture(1), segmentFixture(2)],
    unreadable: [
      {
        number: 3,
        file: 'cam0/0003.mkv.unreadable-1',
        bytes: 5000,
        frames: 5,
        at: '2026-11-22T12:00:09.000Z',
      },
    ],
    clockSteps: [{ at: '2026-11-22T12:00:02.000Z', seconds: 7200, segment: 1, within: true }],
    ...over,
  };
}

/** A take.json, with changes. */
export function manifestFixture(over: Partial<TakeManifest> = {}): TakeManifest {
  return {
    version: 1,
    id: 'abc123',
    startedAt: '2026-11-22T12:00:00.000Z',
    stoppedAt: '2026-11-22T12:00:05.000Z',
    wanted: false,
    state: 'verified',
    cameras: { cam0: recordFixture() },
    ...over,
  };
}
