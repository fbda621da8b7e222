import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CatchUp,
  changeLimitMs,
  holdLimitMs,
  type PictureVerdict,
  type PresentedPicture,
} from './catch-up.ts';

const refreshMs = 1000 / 60;
const joining = { widthBefore: null, fps: null } as const;

/** A picture that comes out of the decoder at `readyMs` with this RTP time. */
interface Decoded {
  readonly readyMs: number;
  readonly rtpMs: number;
  readonly width?: number;
}

/** What a browser presents of them: the newest at each refresh of the screen. */
const presented = (pictures: readonly Decoded[], firstTicks = 0): PresentedPicture[] => {
  const shown = new Map<number, PresentedPicture>();
  for (const [n, { readyMs, rtpMs, width = 1280 }] of pictures.entries()) {
    const refresh = Math.ceil(readyMs / refreshMs);
    const rtpTimestamp = (firstTicks + Math.round(rtpMs * 90)) >>> 0;
    shown.set(refresh, { atMs: refresh * refreshMs, rtpTimestamp, count: n + 1, width });
  }
  return [...shown.values()];
};

const verdicts = (catchUp: CatchUp, pictures: readonly PresentedPicture[]): PictureVerdict[] => {
  const all: PictureVerdict[] = [];
  for (const picture of pictures) {
    const verdict = catchUp.look(picture);
    all.push(verdict);
    if (verdict === 'live') break;
  }
  return all;
};

/** Pictures at life pace, each up to `jitterMs` late. */
const life = (fps: number, count: number, jitterMs: readonly number[] = [0], fromMs = 0): Decoded[] =>
  Array.from({ length: count }, (_, n) => ({
    readyMs: fromMs + (n * 1000) / fps + (jitterMs[n % jitterMs.length] ?? 0),
    rtpMs: fromMs + (n * 1000) / fps,
  }));

interface Join {
  readonly fps: number;
  /** Pictures since the last keyframe. */
  readonly missed: number;
  /** Time to decode one. */
  readonly decodeMs: number;
  readonly firstTicks?: number;
}

/** A join as the hub serves it: it compresses the time of the missed pictures into a fifth of a second; then pictures come at their pace. */
const joined = ({ fps, missed, decodeMs, firstTicks = 0 }: Join) => {
  const missedMs = (missed * 1000) / fps;
  const window = Math.min(200, missedMs);
  const pictures: Decoded[] = [];
  let freeAtMs = 0;
  for (let n = 0; n < missed + 6 * fps; n++) {
    const sinceJoinMs = ((n - missed) * 1000) / fps;
    const rtpMs = n < missed ? (n / missed) * window : window + sinceJoinMs;
    // The decoder has one picture at a time, and begins with it when it has arrived.
    freeAtMs = Math.max(freeAtMs, n < missed ? 0 : sinceJoinMs) + decodeMs;
    pictures.push({ readyMs: freeAtMs, rtpMs });
  }
  const lag = ({ readyMs, rtpMs }: Decoded) => readyMs - (rtpMs - window);
  const liveAtMs = pictures.find((picture, n) => n >= missed && lag(picture) < decodeMs + 1)?.readyMs;
  return { shown: presented(pictures, firstTicks), liveAtMs: liveAtMs ?? Number.POSITIVE_INFINITY };
};

const ticks = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('a viewer that joins', () => {
  test('sees the first picture until those that it missed are decoded, and then life at once', () => {
    fc.assert(
      fc.property(
        fc.record({
          fps: fc.constantFrom(24, 25, 30, 50, 60),
          missed: fc.integer({ min: 60, max: 600 }),
          decodeMs: fc.double({ min: 0.2, max: 4, noNaN: true }),
          firstTicks: ticks,
        }),
        (join) => {
          const { shown, liveAtMs } = joined(join);
          const all = verdicts(new CatchUp({ widthBefore: null, fps: join.fps }), shown);
          expect(all.at(-1)).toBe('live');
          const revealedMs = shown[all.length - 1]?.atMs ?? Number.NaN;
          const held = revealedMs - (shown[0]?.atMs ?? 0);
          if (held >= holdLimitMs) return;
          // The window of two intervals sees a race out.
          expect(revealedMs).toBeGreaterThan(Math.min(200, liveAtMs) - 3 * refreshMs);
          expect(revealedMs).toBeLessThan(liveAtMs + 3 * (1000 / join.fps) + 3 * refreshMs);
          expect(revealedMs).toBeGreaterThan(liveAtMs - 150);
        },
      ),
      // Two intervals that look like life together, while each is a race.
      { examples: [[{ fps: 60, missed: 322, decodeMs: 3.963414634146318, firstTicks: 0 }]] },
    );
  });

  test('is live with its second picture if it missed none', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 5, 15, 24, 25, 30, 50, 60),
        fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { minLength: 1, maxLength: 5 }),
        ticks,
        fc.boolean(),
        (fps, jitter, firstTicks, known) => {
          const catchUp = new CatchUp({ widthBefore: null, fps: known ? fps : null });
          const shown = presented(life(fps, 10, jitter), firstTicks);
          expect(verdicts(catchUp, shown)).toEqual(['hold', 'live']);
        },
      ),
    );
  });

  test('is never held for longer than the limit, whatever comes', () => {
    const steps = fc.array(
      fc.record({
        spentMs: fc.double({ min: 1, max: 900, noNaN: true }),
        ticks: fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 400 })),
        pictures: fc.integer({ min: 0, max: 40 }),
      }),
      { minLength: 1, maxLength: 400 },
    );
    fc.assert(
      fc.property(steps, fc.option(fc.double({ min: 0, max: 300, noNaN: true })), (all, fps) => {
        const catchUp = new CatchUp({ widthBefore: null, fps });
        let picture: PresentedPicture = { atMs: 0, rtpTimestamp: 0, count: 1, width: 1280 };
        let verdict = catchUp.look(picture);
        for (const { spentMs, ticks: passed, pictures } of all) {
          if (verdict === 'live') break;
          picture = {
            ...picture,
            atMs: picture.atMs + spentMs,
            rtpTimestamp: (picture.rtpTimestamp + passed) >>> 0,
            count: picture.count + pictures,
          };
          verdict = catchUp.look(picture);
        }
        if (picture.atMs >= holdLimitMs) expect(verdict).toBe('live');
      }),
    );
  });

  test('is held on through a stall among the pictures that it missed', () => {
    const { shown } = joined({ fps: 30, missed: 300, decodeMs: 1 });
    const stalled = shown.map((picture, n) => ({ ...picture, atMs: picture.atMs + (n < 6 ? 0 : 900) }));
    const all = verdicts(new CatchUp({ widthBefore: null, fps: 30 }), stalled);
    expect(stalled[all.length - 1]?.atMs).toBeGreaterThan(1100);
  });

  test('needs two pictures after a step of the source’s time, however large', () => {
    fc.assert(
      fc.property(fc.integer({ min: 91_000, max: 2 ** 32 - 4000 }), (step) => {
        const [first, ...later] = presented(life(30, 10));
        if (first === undefined) return;
        const shown = [
          first,
          ...later.map((picture) => ({
            ...picture,
            rtpTimestamp: (picture.rtpTimestamp + step) >>> 0,
          })),
        ];
        expect(verdicts(new CatchUp(joining), shown)).toEqual(['hold', 'hold', 'live']);
      }),
    );
  });

  test('is not held by a burst after a gap of the network for longer than the burst', () => {
    const late = life(30, 30).map(({ readyMs, rtpMs }) => ({
      readyMs: readyMs > 50 && readyMs < 300 ? 300 + readyMs / 100 : readyMs,
      rtpMs,
    }));
    const all = verdicts(new CatchUp({ widthBefore: null, fps: 30 }), presented(late));
    expect(all.at(-1)).toBe('live');
    expect(all.length).toBeLessThan(6);
  });
});

describe('a viewer that asks for another layer', () => {
  const small = (count: number) => life(30, count).map((picture) => ({ ...picture, width: 640 }));
  const changing = () => new CatchUp({ widthBefore: 640, fps: null });
  /** The other layer: the hub puts what was missed into one refresh, or, with the datapath in JavaScript, after a step of the time. */
  const full = (missed: number, fromMs: number, steps = false): Decoded[] =>
    joinedFrom(missed, fromMs, steps).map((picture) => ({ ...picture, width: 1280 }));
  const joinedFrom = (missed: number, fromMs: number, steps: boolean): Decoded[] => {
    const window = steps ? 200 : refreshMs;
    const stepMs = steps ? Math.max(0, (missed * 1000) / 30 - window) : 0;
    return Array.from({ length: missed + 60 }, (_, n) => ({
      readyMs: fromMs + (n < missed ? n : Math.max(missed, ((n - missed) * 1000) / 30)),
      rtpMs: fromMs + stepMs + (n < missed ? (n * window) / missed : window + ((n - missed) * 1000) / 30),
    }));
  };

  test.each([[false], [true]])(
    'sees the layer before until the other one comes, its last picture during a long race, and then life',
    (steps) => {
      const before = small(6);
      const all = verdicts(changing(), presented([...before, ...full(300, 200, steps)]));
      const held = all.filter((verdict) => verdict === 'hold').length;
      expect(all.slice(0, 6)).toEqual(before.map(() => 'follow'));
      expect(all.slice(6, -1)).toEqual(Array.from({ length: held }, () => 'hold'));
      expect(held).toBeGreaterThan(10);
      expect(all.at(-1)).toBe('live');
    },
  );

  test('sees the sharp picture a refresh after it came if few pictures were missed', () => {
    const before = small(6);
    const all = verdicts(changing(), presented([...before, ...full(25, 200)]));
    expect(all).toEqual([...before.map(() => 'follow'), 'hold', 'live']);
  });

  test('sees a race after a while, rather than a still for as long as it lasts', () => {
    const slow = full(300, 200).map((picture) => ({ ...picture, readyMs: picture.readyMs * 5 }));
    const shown = presented([...small(6), ...slow]);
    const all = verdicts(changing(), shown);
    const held = shown.slice(0, all.length).filter((_, n) => all[n] !== 'follow');
    const heldMs = (held.at(-1)?.atMs ?? 0) - (held[0]?.atMs ?? 0);
    expect(all.at(-1)).toBe('live');
    expect(heldMs).toBeGreaterThanOrEqual(changeLimitMs);
    expect(heldMs).toBeLessThan(changeLimitMs + 3 * refreshMs);
  });

  test('sees the sharp picture within a few refreshes if nothing came between the request and it', () => {
    const all = verdicts(changing(), presented(full(25, 200)));
    expect(all.length).toBeLessThan(7);
    expect(all.at(-1)).toBe('live');
  });

  test('sees the layer before it through a gap and a burst of its pictures', () => {
    const late = small(20).map((picture, n) => ({
      ...picture,
      readyMs: n > 3 && n < 9 ? 285 + n : picture.readyMs,
    }));
    const all = verdicts(changing(), presented(late));
    expect(new Set(all)).toEqual(new Set(['follow']));
  });

  test('is no longer looked at if the other layer does not come', () => {
    const shown = presented(small(90));
    const all = verdicts(changing(), shown);
    expect(all.slice(0, -1).every((verdict) => verdict === 'follow')).toBe(true);
    expect(all.at(-1)).toBe('live');
    expect(shown[all.length - 1]?.atMs).toBeLessThan(2100);
  });
});
