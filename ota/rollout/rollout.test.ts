import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cancelRollout,
  chooseCanary,
  failMember,
  includeMember,
  type Member,
  pauseRollout,
  planRollout,
  postponeMember,
  type Rollout,
  resumeRollout,
  rolloutSchema,
} from './rollout.ts';
import { isLeftToAbsent, stepRollout } from './step-rollout.ts';

const timing = { deadlineMs: 1000, retellMs: 100, awayMs: 500 };
const target = { version: '1.1.0', compatible: 'board', minimumVersion: null };
const request = { canary: null, hub: null, startedAt: '2026-11-22T12:00:00.000Z' };

const camera = (id: string, over: Partial<Member> = {}): Member => ({
  id,
  name: id,
  online: true,
  awayMs: 0,
  version: '1.0.0',
  compatible: 'board',
  recording: false,
  update: { state: 'idle', reason: null, attempt: null },
  ...over,
});
const facts = (members: Member[], over: { nowMs?: number; take?: boolean; watchedMs?: number } = {}) => ({
  nowMs: 0,
  watchedMs: 0,
  take: false,
  members,
  ...over,
});
const step = (rollout: Rollout, members: Member[], over: Parameters<typeof facts>[1] = {}) =>
  stepRollout(rollout, facts(members, over), timing);
const plan = (members: Member[], over: Partial<typeof request | { canary: string; hub: string }> = {}) =>
  planRollout(target, members, { ...request, ...over });
const busy = { update: { state: 'busy', reason: null, attempt: null } } as const;
const updated = { version: '1.1.0' };
const failed = (reason: string, at = '2026-11-22T12:05:00.000Z') =>
  ({ update: { state: 'idle', reason: null, attempt: { at, ok: false, reason } } }) as const;
const states = (rollout: Rollout) =>
  Object.fromEntries(Object.entries(rollout.members).map(([id, { state }]) => [id, state]));

const three = [camera('a'), camera('b'), camera('c')];
const hub = camera('hub');

describe('the plan', () => {
  it('has the canary first, then the others by name, and the hub last', () => {
    expect(plan([hub, ...three], { canary: 'b', hub: 'hub' }).order).toEqual(['b', 'a', 'c', 'hub']);
    const named = [camera('x1', { name: 'right' }), camera('x2', { name: 'left' })];
    expect(plan(named)).toMatchObject({ order: ['x2', 'x1'], canary: 'x2' });
  });

  it('waits for a chosen canary, but never chooses one that is away', () => {
    const members = [camera('a', { online: false }), camera('b'), camera('c')];
    expect(plan(members).order).toEqual(['b', 'a', 'c']);
    expect(plan(members, { canary: 'a' }).canary).toBe('a');
    expect(plan([camera('a', { online: false }), camera('b', updated)]).canary).toBe('a');
  });

  it('is done at once if everybody has the version or a newer one', () => {
    expect(plan([camera('a', updated), camera('b', { version: '2.0.0' })]).phase).toBe('done');
    expect(plan([]).phase).toBe('done');
  });

  it.each<[string, Partial<Member>, string]>([
    ['another board', { compatible: 'other' }, 'the bundle is not for other'],
    [
      'no slots',
      { update: { state: 'unsupported', reason: 'no slots', attempt: null }, compatible: null },
      'no slots',
    ],
    ['too old a version', { version: '0.1.0' }, 'it needs 0.5.0 first'],
  ])('passes over %s, and takes the next for its canary', (_name, over, reason) => {
    const members = [camera('a', over), camera('b')];
    const rollout = planRollout({ ...target, minimumVersion: '0.5.0' }, members, { ...request, canary: 'a' });
    expect(rollout.members.a).toMatchObject({ state: 'skipped', reason });
    expect(rollout.canary).toBe('b');
    expect(step(rollout, members).install).toBe('b');
  });
});

describe('a rollout', () => {
  it('updates the canary first, then one by one, and the hub last', () => {
    let members = [...three, hub];
    let rollout = plan(members, { canary: 'b', hub: 'hub' });
    const told: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const next = step(rollout, members);
      const id = next.install ?? '';
      told.push(id);
      const during = members.map((each) => (each.id === id ? { ...each, ...busy } : each));
      expect(step(next.rollout, during).install).toBeNull();
      members = members.map((each) => (each.id === id ? { ...each, ...updated } : each));
      rollout = next.rollout;
    }
    expect(told).toEqual(['b', 'a', 'c', 'hub']);
    expect(step(rollout, members).rollout.phase).toBe('done');
  });

  it('waits for the verdict of a trial: the new version alone is not enough', () => {
    const first = step(plan(three), three);
    const trial = [camera('a', { ...updated, ...busy }), camera('b'), camera('c')];
    expect(states(step(first.rollout, trial).rollout).a).toBe('updating');
  });

  it('halts on a bad canary without touching others', () => {
    const first = step(plan(three), three);
    const bad = [camera('a', failed('no frames from cam0')), camera('b'), camera('c')];
    const { rollout } = step(first.rollout, bad);
    expect(rollout).toMatchObject({
      phase: 'halted',
      reason: 'the canary a failed: no frames from cam0',
    });
    expect(step(rollout, three, { nowMs: 1e9 }).install).toBeNull();
    expect(states(rollout)).toEqual({ a: 'failed', b: 'waiting', c: 'waiting' });
  });

  it("is not misled by a camera's report on an earlier attempt", () => {
    const before = [camera('a', failed('long ago')), camera('b'), camera('c')];
    const first = step(plan(before), before);
    expect(first.install).toBe('a');
    expect(step(first.rollout, before).rollout.phase).toBe('running');
    const again = [camera('a', failed('anew', '2026-11-22T13:00:00.000Z')), camera('b'), camera('c')];
    expect(step(first.rollout, again).rollout.reason).toBe('the canary a failed: anew');
  });

  it('halts if a camera does not come back in time; a take pauses that timer', () => {
    const first = step(plan(three), three);
    const gone = [camera('a', { online: false }), camera('b'), camera('c')];
    expect(step(first.rollout, gone, { nowMs: 900 }).rollout.phase).toBe('running');
    expect(step(first.rollout, gone, { nowMs: 1100 }).rollout).toMatchObject({
      phase: 'halted',
      reason: 'the canary a failed: it did not come back',
    });
    const during = step(first.rollout, gone, { nowMs: 100_000, take: true }).rollout;
    expect(step(during, gone, { nowMs: 100_900 }).rollout.phase).toBe('running');
  });

  it('asks an idle camera again, as after a lost link', () => {
    const first = step(plan(three), three);
    expect(step(first.rollout, three, { nowMs: 50 }).install).toBeNull();
    const again = step(first.rollout, three, { nowMs: 150 });
    expect(again.install).toBe('a');
    expect(step(again.rollout, three, { nowMs: 200 }).install).toBeNull();
    const working = [camera('a', busy), camera('b'), camera('c')];
    expect(step(again.rollout, working, { nowMs: 400 }).install).toBeNull();
  });

  it('waits while a take runs anywhere', () => {
    expect(step(plan(three), three, { take: true })).toMatchObject({
      install: null,
      rollout: { reason: 'a take is running' },
    });
    const recording = [camera('a'), camera('b'), camera('c', { recording: true })];
    expect(step(plan(three), recording).install).toBeNull();
    expect(step(plan(three), three).install).toBe('a');
  });

  it('waits for its canary, but for no other camera that is away', () => {
    const away = (id: string) => camera(id, { online: false });
    const noCanary = step(plan(three), [away('a'), camera('b'), camera('c')]);
    expect(noCanary).toMatchObject({ install: null, rollout: { reason: 'a is not connected' } });
    const { rollout } = step(plan(three), [camera('a', updated), away('b'), camera('c')]);
    expect(states(rollout)).toEqual({ a: 'done', b: 'waiting', c: 'updating' });
  });

  it('updates the hub although a camera has been away for long, and that camera when it is back', () => {
    const members = [camera('a', updated), camera('b', { online: false, awayMs: 100 }), hub];
    const rollout = plan([...three.slice(0, 2), hub], { hub: 'hub' });
    expect(step(rollout, members).install).toBeNull();
    const late = [camera('a', updated), camera('b', { online: false, awayMs: 600 }), hub];
    const told = step(rollout, late);
    expect(told.install).toBe('hub');
    const back = [camera('a', updated), camera('b'), camera('hub', updated)];
    expect(step(told.rollout, back).install).toBe('b');
    // After a restart of the hub nobody is connected yet.
    expect(step(rollout, [hub], { watchedMs: 100 }).install).toBeNull();
  });

  it('leaves cameras that are gone for good until all others are done', () => {
    const gone = camera('b', { online: false, awayMs: 600 });
    const left = (rollout: Rollout, members: Member[]) => isLeftToAbsent(rollout, facts(members), timing);
    const { rollout } = step(plan([...three.slice(0, 2), hub], { hub: 'hub' }), [
      camera('a', updated),
      gone,
      hub,
    ]);
    expect(left(rollout, [camera('a', updated), gone, hub])).toBe(false);
    const done = step(rollout, [camera('a', updated), gone, camera('hub', updated)]).rollout;
    expect(done.phase).toBe('running');
    expect(left(done, [camera('a', updated), gone, camera('hub', updated)])).toBe(true);
    expect(left(done, [camera('b', { online: false, awayMs: 100 })])).toBe(false);
    expect(left(done, [camera('b')])).toBe(false);
    expect(left(pauseRollout(done), [gone])).toBe(false);
  });

  it('pauses, resumes, retries failures and postpones what is not due', () => {
    const { rollout } = step(plan(three), three);
    expect(step(pauseRollout(plan(three)), three).install).toBeNull();
    const broken = failMember(rollout, 'a', 'the board is wrong');
    expect(step(resumeRollout(broken), three).install).toBe('a');
    const later = postponeMember(rollout, 'a', 'a take is running');
    expect(later.phase).toBe('running');
    expect(step(later, three).install).toBe('a');
  });

  it('finishes what was under way when it was paused', () => {
    const { rollout } = step(plan(three), three);
    const paused = pauseRollout(rollout);
    const after = step(paused, [camera('a', updated), camera('b'), camera('c')]);
    expect(states(after.rollout)).toEqual({ a: 'done', b: 'waiting', c: 'waiting' });
    expect(after.install).toBeNull();
  });

  it('asks nobody else once it is cancelled', () => {
    const cancelled = cancelRollout(step(plan(three), three).rollout);
    expect(states(cancelled)).toEqual({ a: 'skipped', b: 'skipped', c: 'skipped' });
    expect(step(cancelled, three).install).toBeNull();
    expect(resumeRollout(cancelled)).toEqual(cancelled);
  });

  it('accepts another canary until one was touched', () => {
    expect(chooseCanary(plan(three), 'c')?.order).toEqual(['c', 'a', 'b']);
    expect(chooseCanary(plan(three), 'x')).toBeNull();
    expect(chooseCanary(plan([...three, hub], { hub: 'hub' }), 'hub')).toBeNull();
    const { rollout } = step(plan(three), three);
    expect(chooseCanary(rollout, 'c')).toBeNull();
    expect(chooseCanary(failMember(rollout, 'a', 'x'), 'c')?.canary).toBe('c');
  });

  it('adds one more camera before the hub', () => {
    const rollout = plan([camera('a'), hub], { hub: 'hub' });
    expect(includeMember(rollout, target, camera('b')).order).toEqual(['a', 'b', 'hub']);
    expect(includeMember(rollout, target, camera('a'))).toBe(rollout);
  });

  it('never runs two at once, never starts during a take or after a halt, never another before its canary', () => {
    const view = fc.record({
      online: fc.boolean(),
      awayMs: fc.constantFrom(0, 400, 600),
      version: fc.constantFrom('1.0.0', '1.1.0'),
      recording: fc.boolean(),
      update: fc.record({
        state: fc.constantFrom('idle', 'busy', 'unsupported'),
        reason: fc.constant(null),
        attempt: fc.constantFrom(
          null,
          { at: '1', ok: false, reason: null },
          { at: '2', ok: true, reason: null },
        ),
      }),
    });
    const look = fc.record({
      views: fc.tuple(view, view, view, view),
      take: fc.boolean(),
      nowMs: fc.nat(3000),
      act: fc.constantFrom('none', 'none', 'none', 'pause', 'resume', 'cancel'),
    });
    const acts = {
      none: (r: Rollout) => r,
      pause: pauseRollout,
      resume: resumeRollout,
      cancel: cancelRollout,
    };
    const everybody = [...three, hub];
    fc.assert(
      fc.property(fc.array(look, { maxLength: 14 }), (looks) => {
        let rollout = plan(everybody, { hub: 'hub' });
        for (const { views, take, nowMs, act } of looks) {
          rollout = acts[act](rollout);
          const stopped = rollout.phase !== 'running';
          const members = views.map(
            (each, index) => ({ ...(everybody[index] as Member), ...each }) as Member,
          );
          const next = step(rollout, members, { take, nowMs });
          const begun = next.install !== null && rollout.members[next.install]?.state !== 'updating';
          if (stopped) expect(next.install).toBeNull();
          if (begun) expect(take || members.some(({ recording }) => recording)).toBe(false);
          const after = states(next.rollout);
          expect(Object.values(after).filter((state) => state === 'updating').length).toBeLessThanOrEqual(1);
          if (begun && next.install !== next.rollout.canary) {
            expect(after[next.rollout.canary ?? '']).toBe('done');
          }
          rollout = next.rollout;
          expect(rolloutSchema.parse(JSON.parse(JSON.stringify(rollout)))).toEqual(rollout);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
