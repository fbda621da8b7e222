import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameLogError } from '../errors.ts';
import {
  FrameLogReader,
  type LoggedFrame,
  parseFrameLog,
  readableFrameLog,
  rewriteFrameLog,
} from './frame-log.ts';

/** Recorded from ffmpeg 5.1.9. */
const recorded = `#format: frame checksums
#version: 2
#hash: MD5
#software: Lavf59.27.100
#tb 0: 1/90000
#media_type 0: video
#codec_id 0: rawvideo
#dimensions 0: 320x180
#sar 0: 1/1
#stream#, dts,        pts, duration,     size, hash
0, 161581310271000, 161581310271000,     3000,    86400, 361d8803ae315c2de4003a4bb593558b
0, 161581310274000, 161581310274000,     3000,    86400, fc389d30ebf93423c7e99f9fe76ff2ae
`;

describe('parseFrameLog', () => {
  it('reads the output of ffmpeg', () => {
    const log = parseFrameLog(recorded);
    expect(log.timeBase).toBeCloseTo(1 / 90_000, 12);
    expect(log.frames).toEqual([
      { pts: 161_581_310_271_000, md5: '361d8803ae315c2de4003a4bb593558b' },
      { pts: 161_581_310_274_000, md5: 'fc389d30ebf93423c7e99f9fe76ff2ae' },
    ]);
  });

  it('reads the same however it is split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: recorded.length })), (cuts) => {
        const frames: LoggedFrame[] = [];
        const reader = new FrameLogReader((frame) => frames.push(frame));
        const edges = [0, ...cuts.toSorted((a, b) => a - b), recorded.length];
        for (const [index, edge] of edges.slice(1).entries()) reader.push(recorded.slice(edges[index], edge));
        expect(frames).toEqual(parseFrameLog(recorded).frames);
      }),
    );
  });

  it('does not count an unfinished last line', () => {
    expect(parseFrameLog(recorded.slice(0, -2)).frames).toHaveLength(1);
  });

  it('throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseFrameLog(`${text}\n`);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameLogError);
        }
      }),
    );
  });
});

describe('readableFrameLog', () => {
  it('reads up to the point where a power cut left something else', () => {
    const whole = parseFrameLog(recorded);
    expect(readableFrameLog(recorded)).toEqual({ log: whole, damaged: null });
    expect(readableFrameLog(`${recorded}${'\0'.repeat(80)}\n`)).toEqual({
      log: whole,
      damaged: expect.any(FrameLogError),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(readableFrameLog(`${recorded}${text}`).log.frames.slice(0, 2)).toEqual(whole.frames);
      }),
    );
  });

  it('is not fooled by text that is not a log', () => {
    expect(readableFrameLog('').log.frames).toEqual([]);
    expect(readableFrameLog(`${'\0'.repeat(4096)}\n`).damaged).toBeInstanceOf(FrameLogError);
  });
});

describe('rewriteFrameLog', () => {
  it('rewrites a log of which nothing is left', () => {
    const { frames } = parseFrameLog(recorded);
    const anew = rewriteFrameLog('', { timeBase: 0, frames: [] }, { timeBase: 1 / 90_000, frames });
    expect(parseFrameLog(anew)).toEqual({ timeBase: 1 / 90_000, frames });
  });

  it('truncates and appends at the end only', () => {
    const log = parseFrameLog(recorded);
    const cut = { ...log, frames: log.frames.slice(0, 1) };
    expect(parseFrameLog(rewriteFrameLog(recorded, log, cut))).toEqual(cut);
    const longer = { ...log, frames: [...log.frames, { pts: 161_581_310_277_000, md5: 'f'.repeat(32) }] };
    expect(parseFrameLog(rewriteFrameLog(recorded, log, longer))).toEqual(longer);
    expect(rewriteFrameLog(recorded, log, log)).toBe(recorded);
  });
});
