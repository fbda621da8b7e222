import { describe, expect, it } from 'vitest';
import { Silence } from './silence.ts';

function after(pauses: readonly number[]): { silence: Silence; nowMs: number } {
  const silence = new Silence(10_000);
  let nowMs = 0;
  silence.heard(nowMs);
  for (const pause of pauses) {
    nowMs += pause;
    silence.heard(nowMs);
  }
  return { silence, nowMs };
}

describe('Silence', () => {
  it('gives up on a browser after ten seconds and stops sending to it after four', () => {
    const { silence, nowMs } = after([1000, 1000, 1200, 900, 2500, 1000, 1000, 1000, 1000]);
    expect(silence.isQuiet(nowMs + 3900)).toBe(false);
    expect(silence.isQuiet(nowMs + 4100)).toBe(true);
    expect(silence.isGone(nowMs + 9900)).toBe(false);
    expect(silence.isGone(nowMs + 10_100)).toBe(true);
  });

  it('waits for a peer that sends something every fifteen seconds', () => {
    const { silence, nowMs } = after([50, 50, 15_000, 15_000, 15_000]);
    expect(silence.isQuiet(nowMs + 16_000)).toBe(false);
    expect(silence.isGone(nowMs + 36_000)).toBe(false);
    expect(silence.isGone(nowMs + 41_000)).toBe(true);
  });

  it('learns nothing from traffic while the connection is being set up', () => {
    const { silence, nowMs } = after([50, 100, 200, 400, 800, 1600]);
    expect(silence.isQuiet(nowMs + 15_000)).toBe(false);
    expect(silence.isGone(nowMs + 15_000)).toBe(false);
    expect(silence.isGone(nowMs + 21_000)).toBe(true);
  });

  it('learns nothing from a connection that took long to set up', () => {
    const { silence, nowMs } = after(Array.from({ length: 12 }, () => 1000));
    silence.connected(nowMs);
    silence.heard(nowMs + 200);
    expect(silence.isQuiet(nowMs + 15_000)).toBe(false);
    expect(silence.isGone(nowMs + 15_000)).toBe(false);
    silence.heard(nowMs + 15_000);
    expect(silence.isQuiet(nowMs + 30_000)).toBe(false);
    expect(silence.isGone(nowMs + 30_000)).toBe(false);
  });

  it('always expects answers to its own checks', () => {
    const silence = new Silence(3000, 'answers');
    silence.heard(0);
    silence.heard(2500);
    expect(silence.isGone(5400)).toBe(false);
    expect(silence.isGone(5600)).toBe(true);
  });

  it('knows nothing about a new peer', () => {
    const { silence, nowMs } = after([50]);
    expect(silence.isQuiet(nowMs + 16_000)).toBe(false);
    expect(silence.isGone(nowMs + 16_000)).toBe(false);
    expect(silence.isGone(nowMs + 21_000)).toBe(true);
    expect(new Silence(1).isGone(1e9)).toBe(false);
  });
});
