import { describe, expect, it } from 'vitest';
import { PublisherClock, TrackClock } from './sender-clock.ts';

const hour = 3_600_000;

describe('Sender reports', () => {
  it('survive a step of the publisher’s wall clock: sound and picture stay together', () => {
    const publisher = new PublisherClock();
    const [video, audio] = [new TrackClock(90_000), new TrackClock(48_000)];
    for (let nowMs = 0; nowMs <= 20_000; nowMs += 1000) {
      const publisherMs = 1_700_000_000_000 + nowMs + (nowMs < 10_000 ? 0 : hour);
      video.noteReport(nowMs * 90, publisher.toLocal(publisherMs, nowMs), nowMs);
      audio.noteReport(nowMs * 48, publisher.toLocal(publisherMs, nowMs), nowMs);
      expect(video.timestampAt(nowMs)).toBe(nowMs * 90);
      expect(audio.timestampAt(nowMs)).toBe(nowMs * 48);
    }
  });

  it('keep the publisher’s offset between its tracks', () => {
    const publisher = new PublisherClock();
    const audio = new TrackClock(48_000);
    publisher.toLocal(1_700_000_000_000, 500);
    audio.noteReport(4800, publisher.toLocal(1_700_000_000_100, 530), 530);
    expect(audio.timestampAt(600)).toBe(4800);
  });

  it('are ignored if they are about another day', () => {
    const clock = new TrackClock(90_000);
    clock.noteArrival(9000, 100);
    clock.noteReport(9000, 100 - hour, 100);
    expect(clock.timestampAt(200)).toBe(18_000);
  });
});
