import { describe, expect, it } from 'vitest';
import { Health, type HealthSnapshot } from './health.ts';

function setUp() {
  let nowMs = 0;
  const health = new Health(() => nowMs);
  const told: HealthSnapshot[] = [];
  health.subscribe((snapshot) => told.push(snapshot));
  return { health, told, pass: (ms: number) => (nowMs += ms) };
}

describe('Health', () => {
  it('is ready once every core component has reported success', () => {
    const { health } = setUp();
    const api = health.register('api', { core: true });
    health.register('mqtt', { core: false });
    expect(health.ready).toBe(false);
    api.ok();
    expect(health.ready).toBe(true);
    api.degraded('slow');
    expect(health.ready).toBe(true);
    api.failed('port taken');
    expect(health.ready).toBe(false);
  });

  it('fails with its core, and is degraded by the rest', () => {
    const { health } = setUp();
    const [media, mqtt] = [
      health.register('media', { core: true }),
      health.register('mqtt', { core: false }),
    ];
    media.ok();
    expect(health.snapshot()).toEqual({
      state: 'degraded',
      components: [
        { name: 'media', state: 'ok', reason: null },
        { name: 'mqtt', state: 'degraded', reason: 'starting' },
      ],
    });
    mqtt.failed('no broker');
    expect(health.snapshot().state).toBe('degraded');
    media.failed('crashed');
    expect(health.snapshot().state).toBe('failed');
    mqtt.ok();
    media.ok();
    expect(health.snapshot().state).toBe('ok');
  });

  it('detects silent components from the start', () => {
    const { health, pass } = setUp();
    const media = health.register('media', { core: true, deadlineMs: 100 });
    const mqtt = health.register('mqtt', { core: false, deadlineMs: 10 });
    pass(100);
    expect(health.silent).toEqual([]);
    pass(1);
    expect(health.silent).toEqual(['media']);
    media.failed('still trying');
    mqtt.ok();
    expect(health.silent).toEqual([]);
    pass(101);
    expect(health.snapshot().components.map(({ state }) => state)).toEqual(['failed', 'failed']);
    media[Symbol.dispose]();
    expect(health.silent).toEqual([]);
  });

  it('reports changes only', () => {
    const { health, told, pass } = setUp();
    const media = health.register('media', { core: true, deadlineMs: 100 });
    media.ok();
    media.ok();
    expect(told.map(({ state }) => state)).toEqual(['ok']);
    pass(200);
    health.check();
    health.check();
    expect(told.map(({ state }) => state)).toEqual(['ok', 'failed']);
    const again = health.register('media', { core: true });
    media.ok();
    again.ok();
    media[Symbol.dispose]();
    expect(health.snapshot().state).toBe('ok');
  });
});
