import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CameraView,
  pauseRollout,
  planRollout,
  type Rollout,
  refuseRollout,
  resumeRollout,
  stepRollout,
} from './rollout.ts';

const camera = (id: string, over: Partial<CameraView> = {}): CameraView => ({
  id,
  online: true,
  version: '1.0.0',
  recording: false,
  update: { state: 'idle', reason: null },
  ...over,
});
const facts = (cameras: CameraView[], over: { nowMs?: number; take?: boolean } = {}) => ({
  nowMs: 0,
  take: false,
  cameraDeadlineMs: 1000,
  cameras,
  ...over,
});
const busy = { update: { state: 'busy', reason: null } } as const;
const states = (rollout: Rollout) =>
  Object.fromEntries(Object.entries(rollout.cameras).map(([id, { state }]) => [id, state]));

describe('a rollout', () => {
  const three = [camera('a'), camera('b'), camera('c')];

  it('begins with the canary, and goes on one by one', () => {
    let step = stepRollout(planRollout('1.1.0', three, 'b'), facts(three));
    expect(step.install).toBe('b');
    const during = [camera('a'), camera('b', busy), camera('c')];
    step = stepRollout(step.rollout, facts(during));
    expect(step.install).toBeNull();
    const after = [camera('a'), camera('b', { version: '1.1.0' }), camera('c')];
    step = stepRollout(step.rollout, facts(after));
    expect(step.install).toBe('a');
    expect(states(step.rollout)).toEqual({ a: 'updating', b: 'done', c: 'waiting' });
  });

  it('halts on a bad canary: nobody else is touched', () => {
    let step = stepRollout(planRollout('1.1.0', three, null), facts(three));
    const failed = [
      camera('a', { update: { state: 'failed', reason: 'no frames from cam0' } }),
      camera('b'),
      camera('c'),
    ];
    step = stepRollout(step.rollout, facts(failed));
    expect(step.rollout).toMatchObject({
      phase: 'halted',
      reason: 'the canary a failed: no frames from cam0',
    });
    expect(stepRollout(step.rollout, facts(three, { nowMs: 1e9 })).install).toBeNull();
    expect(states(step.rollout)).toEqual({ a: 'failed', b: 'waiting', c: 'waiting' });
  });

  it('halts when a camera does not come back in time', () => {
    const step = stepRollout(planRollout('1.1.0', three, null), facts(three));
    const gone = [camera('a', { online: false }), camera('b'), camera('c')];
    expect(stepRollout(step.rollout, facts(gone, { nowMs: 900 })).rollout.phase).toBe('running');
    const late = stepRollout(step.rollout, facts(gone, { nowMs: 1100 })).rollout;
    expect(late).toMatchObject({ phase: 'halted', reason: 'the canary a failed: it did not come back' });
  });

  it('waits while a take runs, anywhere', () => {
    const plan = planRollout('1.1.0', three, null);
    expect(stepRollout(plan, facts(three, { take: true }))).toMatchObject({
      install: null,
      rollout: { reason: 'a take is running' },
    });
    const recording = [camera('a'), camera('b'), camera('c', { recording: true })];
    expect(stepRollout(plan, facts(recording)).install).toBeNull();
    expect(stepRollout(plan, facts(three)).install).toBe('a');
  });

  it('passes over what cannot update itself, and waits for what is not there', () => {
    const odd = [camera('a', { update: { state: 'unsupported', reason: null } }), camera('b')];
    expect(stepRollout(planRollout('1.1.0', odd, null), facts(odd)).install).toBe('b');
    const away = [camera('a', { online: false })];
    expect(stepRollout(planRollout('1.1.0', away, null), facts(away)).rollout.reason).toBe(
      'a is not connected',
    );
  });

  it('pauses, resumes, and tries again what failed', () => {
    const plan = planRollout('1.1.0', three, null);
    expect(stepRollout(pauseRollout(plan), facts(three)).install).toBeNull();
    const refused = refuseRollout(stepRollout(plan, facts(three)).rollout, 'a', 'a take is running');
    expect(refused.phase).toBe('halted');
    expect(stepRollout(resumeRollout(refused), facts(three)).install).toBe('a');
  });

  it('is done at once when everybody has the version', () => {
    const there = [camera('a', { version: '1.1.0' })];
    expect(planRollout('1.1.0', there, null).phase).toBe('done');
    expect(planRollout('1.1.0', [], null).phase).toBe('done');
  });

  it('never has two under way, never starts during a take, never goes on after a halt', () => {
    const view = fc.record({
      online: fc.boolean(),
      version: fc.constantFrom('1.0.0', '1.1.0'),
      recording: fc.boolean(),
      update: fc.record({
        state: fc.constantFrom('idle', 'busy', 'failed', 'unsupported'),
        reason: fc.constant(null),
      }),
    });
    const look = fc.record({ views: fc.tuple(view, view, view), take: fc.boolean(), nowMs: fc.nat(3000) });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
        let rollout = planRollout('1.1.0', three, null);
        let halted = false;
        for (const { views, take, nowMs } of looks) {
          const cameras = views.map(
            (each, index): CameraView => ({ id: 'abc'[index] as string, ...each }) as CameraView,
          );
          const step = stepRollout(rollout, facts(cameras, { take, nowMs }));
          if (halted) expect(step.install).toBeNull();
          if (step.install !== null) expect(take || cameras.some(({ recording }) => recording)).toBe(false);
          const updating = Object.values(step.rollout.cameras).filter(({ state }) => state === 'updating');
          expect(updating.length).toBeLessThanOrEqual(1);
          rollout = step.rollout;
          halted ||= rollout.phase === 'halted';
        }
      }),
      { numRuns: 500 },
    );
  });
});
