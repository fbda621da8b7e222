import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyframeArbiter } from './keyframe-arbiter.ts';

describe('KeyframeArbiter', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function open(answer = true): { arbiter: KeyframeArbiter; sent: number[] } {
    const sent: number[] = [];
    const arbiter = new KeyframeArbiter({
      now: () => Date.now(),
      send: () => {
        if (answer) sent.push(Date.now());
        return answer;
      },
    });
    return { arbiter, sent };
  }

  it('merges many requests into one, and sends at most one a second', () => {
    const { arbiter, sent } = open();
    for (let i = 0; i < 300; i++) {
      arbiter.request();
      vi.advanceTimersByTime(10);
      if (i % 20 === 19) arbiter.answered();
    }
    arbiter.answered();
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(sent.length).toBeLessThanOrEqual(4);
    sent.forEach((at, i) => {
      if (i > 0) expect(at - (sent[i - 1] ?? 0)).toBeGreaterThanOrEqual(1000);
    });
    expect(arbiter.counts).toEqual({ requested: 300, sent: sent.length });
  });

  it('repeats a request that no keyframe answers, but not forever', () => {
    const { arbiter, sent } = open();
    arbiter.request();
    vi.advanceTimersByTime(60_000);
    expect(sent.length).toBe(6);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is quiet once the keyframe arrives, and leaves no timer behind', () => {
    const { arbiter, sent } = open();
    arbiter.request();
    arbiter.answered();
    vi.advanceTimersByTime(10_000);
    expect(sent.length).toBe(1);
    arbiter.request();
    arbiter[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('only counts if nobody can be asked', () => {
    const { arbiter, sent } = open(false);
    arbiter.request();
    arbiter.request();
    expect(sent).toEqual([]);
    expect(arbiter.counts).toEqual({ requested: 2, sent: 0 });
    expect(vi.getTimerCount()).toBe(0);
  });
});
