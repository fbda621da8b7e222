import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UpdateWatch } from './update-watch.ts';

const update = [
  ['guest: install', 1000],
  [' 40% Updating slots', 4000],
  [' 99% Updating slots done.', 500],
  ["[   37.2] reboot: Restarting system with command '0 tryboot'", 6000],
  ['guest: commit', 800],
  ['guest: committed B', 0],
] as const;

describe('the update watcher', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Lets a machine go through an update; answers when its power was cut, in ms from the start, or null. */
  function play(watch: UpdateWatch, wanted: Parameters<UpdateWatch['begin']>[0]): number | null {
    const startMs = performance.now();
    let cutMs: number | null = null;
    watch.begin(wanted);
    watch.power(() => {
      cutMs = performance.now() - startMs;
    });
    for (const [line, ms] of update) {
      watch.hear(line);
      vi.advanceTimersByTime(ms);
      if (cutMs !== null) break;
    }
    return cutMs;
  }

  it('learns how long the phases take', () => {
    const watch = new UpdateWatch();
    expect(play(watch, null)).toBeNull();
    expect(watch.describe()).toBe('download 1.0 s, write 4.0 s, arm 0.5 s, trial 6.0 s, commit 0.8 s');
  });

  it('cuts within the requested phase', () => {
    const watch = new UpdateWatch();
    play(watch, null);
    expect(play(watch, { phase: 'write', share: 0.5 })).toBe(1000 + 2000);
    expect(watch.cutPhase).toBe('write');
    expect(play(watch, { phase: 'commit', share: 0.25 })).toBe(11_500 + 200);
    expect(watch.cutPhase).toBe('commit');
  });

  it('reports the phase it really hit if the requested one was shorter this time', () => {
    const watch = new UpdateWatch();
    play(watch, null);
    watch.begin({ phase: 'arm', share: 0.9 });
    watch.power(() => {});
    watch.hear('guest: install');
    watch.hear(' 40% Updating slots');
    watch.hear(' 99% Updating slots done.');
    watch.hear('[   37.2] reboot: Restarting system');
    vi.advanceTimersByTime(1000);
    expect(watch.cutPhase).toBe('trial');
  });

  it('cuts the next machine if none had power when it was due', () => {
    const watch = new UpdateWatch();
    play(watch, null);
    watch.begin({ phase: 'trial', share: 0.1 });
    for (const [line] of update.slice(0, 4)) watch.hear(line);
    watch.off();
    vi.advanceTimersByTime(5000);
    expect(watch.cutPhase).toBeNull();
    const cut = vi.fn();
    watch.power(cut);
    expect(cut).toHaveBeenCalledOnce();
    expect(watch.cutPhase).toBe('trial');
  });
});
