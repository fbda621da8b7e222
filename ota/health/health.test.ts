import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type Health, judgeHealth } from './health.ts';
import { examine, type GateTiming, type HealthProbes, runHealthGate } from './health-gate.ts';

const works = { ok: true, detail: null };
const absent = { ok: null, detail: null };
const fails = (detail: string | null = null) => ({ ok: false, detail });
const all: Health = {
  cameras: { cam0: true, cam1: true },
  selfView: works,
  recorder: works,
  hubLink: works,
  page: works,
  clock: works,
  failedUnits: [],
};

describe('the verdict', () => {
  it('is good if everything that worked still works', () => {
    expect(judgeHealth(all, all)).toEqual({ healthy: true, missing: [] });
  });

  it.each<[Partial<Health>, string]>([
    [{ cameras: { cam0: true, cam1: false } }, 'no frames from cam1'],
    [{ cameras: {} }, 'no frames from cam0, cam1'],
    [{ selfView: fails('no media') }, 'the SFU does not answer a viewer: no media'],
    [{ selfView: absent }, 'the SFU does not answer a viewer'],
    [{ recorder: fails('ENOSPC') }, 'the recorder does not write: ENOSPC'],
    [{ hubLink: fails() }, 'the link to the hub is down'],
    [{ page: fails('refused') }, 'the page does not answer: refused'],
    [{ clock: fails('1970') }, 'the clock is wrong: 1970'],
    [{ failedUnits: ['avahi-daemon.service'] }, 'failed: avahi-daemon.service'],
  ])('names what is missing: %j', (change, words) => {
    expect(judgeHealth(all, { ...all, ...change })).toEqual({ healthy: false, missing: [words] });
  });

  it('does not require what did not work before', () => {
    const poor: Health = {
      cameras: { cam0: false },
      selfView: absent,
      recorder: fails('no disk'),
      hubLink: fails('no hub'),
      page: works,
      clock: fails('never set'),
      failedUnits: ['old.service'],
    };
    expect(judgeHealth(poor, poor).healthy).toBe(true);
    expect(judgeHealth(null, poor).missing).toEqual(['failed: old.service']);
  });

  it('requires the page even if it did not answer before', () => {
    expect(judgeHealth({ ...all, page: fails() }, { ...all, page: fails() }).healthy).toBe(false);
    expect(judgeHealth(null, { ...all, page: fails() }).healthy).toBe(false);
  });
});

const logger = pino({ level: 'silent' });
const never = new AbortController().signal;
const timing: GateTiming = { deadlineMs: 400, stableMs: 60, intervalMs: 5, probeTimeoutMs: 50 };
const probesOf = (health: () => Health): HealthProbes => ({
  cameras: async () => health().cameras,
  selfView: async () => health().selfView,
  recorder: async () => health().recorder,
  hubLink: async () => health().hubLink,
  page: async () => health().page,
  clock: async () => health().clock,
  failedUnits: async () => health().failedUnits,
});
const gate = (probes: HealthProbes, over: Partial<GateTiming> = {}) => {
  let ms = 0;
  // Time that passes by being looked at: the outcome does not hang on how busy the machine is.
  const now = () => (ms += 5);
  return runHealthGate({ probes, baseline: all, timing: { ...timing, ...over }, logger, now }, never);
};

describe('the gate', () => {
  it('passes once everything is back, at any time within the deadline', async () => {
    let looks = 0;
    const verdict = await gate(probesOf(() => (++looks < 60 ? { ...all, cameras: {} } : all)));
    expect(verdict.healthy).toBe(true);
  });

  it('fails at the deadline and names what was missing last', async () => {
    const verdict = await gate(probesOf(() => ({ ...all, cameras: { cam0: true } })));
    expect(verdict).toEqual({ healthy: false, missing: ['no frames from cam1'] });
  });

  it('does not pass functions that come and go', async () => {
    let looks = 0;
    const verdict = await gate(
      probesOf(() => (Math.floor(looks++ / 7) % 2 === 0 ? all : { ...all, page: fails() })),
    );
    expect(verdict.healthy).toBe(false);
  });

  it('counts a probe that throws or hangs as a failed function', async () => {
    const probes: HealthProbes = {
      ...probesOf(() => all),
      page: () => Promise.reject(new Error('refused')),
      recorder: () => new Promise(() => {}),
      failedUnits: () => Promise.reject(new Error('no systemd')),
    };
    const health = await examine(probes, never, 30);
    expect(health.page).toEqual({ ok: false, detail: 'refused' });
    expect(health.recorder).toEqual({ ok: false, detail: 'no answer in time' });
    expect(health.failedUnits).toEqual(['(units unknown: no systemd)']);
    expect(health.selfView).toEqual(works);
  });

  it('ends with its signal', async () => {
    const controller = new AbortController();
    const running = runHealthGate(
      { probes: probesOf(() => ({ ...all, page: fails() })), baseline: all, timing, logger, now: () => 0 },
      controller.signal,
    );
    controller.abort();
    await expect(running).rejects.toThrow();
  });
});
