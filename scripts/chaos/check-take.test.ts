import { describe, expect, test } from 'vitest';
import type { CameraRecord, Segment, TakeManifest } from '../../media/masters/take/manifest.ts';
import { type FoundMaster, type FoundTake, problemsOfTake } from './check-take.ts';

const md5 = (frame: number) => String(frame).padStart(32, '0');
const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

function masterOf(numbers: readonly number[], changes: Partial<FoundMaster> = {}): FoundMaster {
  const frames = numbers.map(md5);
  return {
    md5: frames,
    reference: frames,
    numbers,
    complaints: '',
    bytes: 1000,
    sha256: 'ab'.repeat(32),
    ...changes,
  };
}

function segmentOf(number: number, changes: Partial<Segment> = {}): Segment {
  const file = `cam0/000${number}`;
  const second = String(10 * number).padStart(2, '0');
  return {
    number,
    state: 'closed',
    file: `${file}.mkv`,
    spool: null,
    bytes: 1000,
    frames: 50,
    droppedFrames: 0,
    droppedBefore: 0,
    firstTimestamp: `2026-11-22T12:00:${second}.000Z`,
    lastTimestamp: `2026-11-22T12:00:${Number(second) + 2}.000Z`,
    sensorTimes: null,
    timecode: '12:00:00:00',
    sha256: 'ab'.repeat(32),
    framemd5: { file: `${file}.framemd5`, sha256: null },
    clean: true,
    verified: { ok: true, at: '2026-11-22T12:01:00.000Z', proof: 'bit-exact', problems: [] },
    checkedAt: null,
    ...changes,
  };
}

const wrong = {
  ok: false,
  at: '2026-11-22T12:01:00.000Z',
  proof: 'bit-exact' as const,
  problems: ['it ends early'],
} satisfies Segment['verified'];

/** Two seconds, ten frames that are missing, two seconds more. */
function goodTake(): FoundTake {
  const record: CameraRecord = {
    state: 'verified',
    reason: null,
    codec: 'ffv1',
    strategy: 'direct',
    strategyReason: 'asked for',
    source: {
      codec: 'rawvideo',
      pixelFormat: 'yuv420p',
      range: 'limited',
      fps: 25,
      width: 320,
      height: 180,
      clock: 'epoch',
    },
    threads: 1,
    frames: 100,
    droppedFrames: 10,
    segments: [segmentOf(1), segmentOf(2, { droppedBefore: 10 })],
    unreadable: [],
    clockSteps: [],
  };
  const manifest: TakeManifest = {
    version: 1,
    id: 'abc',
    startedAt: '2026-11-22T12:00:00.000Z',
    stoppedAt: '2026-11-22T12:01:00.000Z',
    wanted: false,
    state: 'verified',
    cameras: { cam0: record },
  };
  const masters = new Map([
    ['cam0/0001.mkv', masterOf(range(65_500, 50).map((number) => number % 65_536))],
    ['cam0/0002.mkv', masterOf(range(24, 50))],
  ]);
  return { manifest, masters, pipelineStartsMs: [] };
}

function withRecord(changes: Partial<CameraRecord>): FoundTake {
  const take = goodTake();
  const record = { ...take.manifest.cameras.cam0, ...changes } as CameraRecord;
  return { ...take, manifest: { ...take.manifest, state: record.state, cameras: { cam0: record } } };
}

function withMaster(file: string, master: FoundMaster | string): FoundTake {
  const take = goodTake();
  return { ...take, masters: new Map([...take.masters, [file, master]]) };
}

describe('the check of a take', () => {
  test('passes a correct one, even if the numbers start over', () => {
    expect(problemsOfTake(goodTake())).toEqual([]);
  });

  test.each<[string, FoundTake, RegExp]>([
    ['less is stated as dropped', withRecord({ droppedFrames: 0 }), /its segments 100 and 10/],
    ['more frames are stated', withRecord({ frames: 101 }), /101 frames/],
    [
      'a gap between segments is not stated',
      withRecord({ droppedFrames: 0, segments: [segmentOf(1), segmentOf(2)] }),
      /says 0 dropped before it, 10 are missing/,
    ],
    [
      'a gap within a segment is not stated',
      withMaster('cam0/0002.mkv', masterOf([...range(24, 20), ...range(50, 30)])),
      /says 0 dropped, 6 are missing/,
    ],
    [
      'a master is shorter',
      withMaster('cam0/0002.mkv', masterOf(range(24, 49))),
      /says 50 frames, 49 decode/,
    ],
    [
      'a frame is another one',
      withMaster('cam0/0001.mkv', masterOf(range(1, 50), { reference: range(2, 50).map(md5) })),
      /frame 1 is not the one/,
    ],
    [
      'the decoder complains',
      withMaster('cam0/0001.mkv', masterOf(range(1, 50), { complaints: 'slice CRC mismatch' })),
      /complains: slice CRC/,
    ],
    [
      'the file is another one',
      withMaster('cam0/0001.mkv', masterOf(range(1, 50), { sha256: 'cd'.repeat(32) })),
      /SHA-256/,
    ],
    ['the file is gone', withMaster('cam0/0001.mkv', 'ENOENT'), /cannot be read: ENOENT/],
    [
      'verified without a proof',
      withRecord({ segments: [segmentOf(1, { verified: null }), segmentOf(2, { droppedBefore: 10 })] }),
      /segment 1: is not verified/,
    ],
    [
      'a master is called wrong that is right',
      withRecord({
        ...{ state: 'failed', reason: 'segment 2' },
        segments: [segmentOf(1), segmentOf(2, { droppedBefore: 10, verified: wrong })],
      }),
      /segment 2: is called wrong \(it ends early\), and nothing is/,
    ],
    ['failed without a reason', withRecord({ state: 'failed' }), /failed without a reason/],
    ['it goes on', withRecord({ state: 'finishing' }), /still finishing/],
    [
      'the sum of the states is another one',
      { ...goodTake(), manifest: { ...goodTake().manifest, state: 'failed' } },
      /state failed, its cameras say verified/,
    ],
  ])('finds that %s', (_, take, problem) => {
    expect(problemsOfTake(take).join('\n')).toMatch(problem);
  });

  test('lets only the file of a killed recorder end within a frame', () => {
    const take = withMaster('cam0/0001.mkv', {
      ...(goodTake().masters.get('cam0/0001.mkv') as FoundMaster),
      complaints: '[matroska,webm @ 0x1] File ended prematurely',
    });
    expect(problemsOfTake(take).join()).toContain('complains');
    const record = take.manifest.cameras.cam0;
    const segments = record?.segments.map((segment) => ({ ...segment, clean: false })) ?? [];
    const killed = withRecord({ segments });
    expect(problemsOfTake({ ...take, manifest: killed.manifest })).toEqual([]);
  });

  test('does not compare the numbers of two pipelines', () => {
    const told = withRecord({
      droppedFrames: 3,
      segments: [segmentOf(1), segmentOf(2, { droppedBefore: 3 })],
    });
    expect(problemsOfTake(told)).not.toEqual([]);
    expect(problemsOfTake({ ...told, pipelineStartsMs: [Date.parse('2026-11-22T12:00:15Z')] })).toEqual([]);
  });
});
