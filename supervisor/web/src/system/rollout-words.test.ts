import { describe, expect, test } from 'vitest';
import {
  hubMemberFixture,
  memberFixture,
  rolloutFixture,
  updateFixture,
} from '../../testing/rollout-fixture.ts';
import {
  canInstall,
  memberTone,
  memberWord,
  rolloutOffers,
  rolloutSentence,
  updateWord,
  wayBack,
} from './rollout-words.ts';

const underWay = rolloutFixture({
  phase: 'running',
  version: '1.3.0',
  canary: 'a1b2c3',
  members: [
    memberFixture({ state: 'done', installedVersion: '1.3.0' }),
    memberFixture({ id: 'b2', name: 'stage-right', state: 'updating', busy: true, progressPercent: 41.6 }),
    memberFixture({ id: 'c3', name: 'wide', state: 'waiting' }),
    hubMemberFixture({ state: 'waiting' }),
  ],
});

describe('the rollout in words', () => {
  test.each([
    [rolloutFixture(), 'Version 1.3.0 is available.'],
    [rolloutFixture({ available: null }), 'Every machine has the newest version that is known.'],
    [underWay, 'Version 1.3.0: 1 of 4 machines updated.'],
    [{ ...underWay, cachingPercent: 12.4 }, 'The hub fetches version 1.3.0: 12 %.'],
    [{ ...underWay, phase: 'paused' as const }, 'Paused. Version 1.3.0: 1 of 4 machines updated.'],
    [
      { ...underWay, phase: 'halted' as const },
      'Halted. Version 1.3.0: 1 of 4 machines updated; the others were left alone.',
    ],
  ])('%#', (rollout, sentence) => expect(rolloutSentence(rollout)).toBe(sentence));

  test('each machine has a word and a colour', () => {
    const words = underWay.members.map((member) => memberWord(member, underWay.canary));
    expect(words).toEqual(['up to date', 'updating, 42 %', 'waiting', 'waiting']);
    expect(underWay.members.map(memberTone)).toEqual(['ok', 'starting', 'waiting', 'waiting']);
    expect(memberWord(memberFixture({ state: 'waiting' }), 'a1b2c3')).toBe('goes first');
    expect(memberWord(memberFixture({ online: false }), null)).toBe('not connected');
    expect(memberTone(memberFixture({ state: 'failed' }))).toBe('failed');
    expect(memberWord(memberFixture(), null)).toBe('update available');
  });
});

describe('available actions', () => {
  const can = (rollout: Parameters<typeof rolloutOffers>[0]) => {
    const { canaries, ...offers } = rolloutOffers(rollout);
    const names = Object.entries(offers).flatMap(([name, offered]) => (offered ? [name] : []));
    return [names.join(' '), canaries.map(({ id }) => id).join(' ')];
  };

  test('with a rollout', () => {
    expect(can(rolloutFixture())).toEqual(['start', 'a1b2c3 b2 c3']);
    expect(can(rolloutFixture({ available: null, members: [] }))).toEqual(['', '']);
    expect(can(underWay)).toEqual(['pause cancel', '']);
    expect(can({ ...underWay, phase: 'halted' })).toEqual(['resume cancel', '']);
    const untouched = underWay.members.map((member) => ({ ...member, state: 'waiting' as const }));
    expect(can({ ...underWay, members: untouched })).toEqual(['pause cancel', 'a1b2c3 b2 c3']);
    expect(can({ ...underWay, phase: 'done' })).toEqual(['start', 'b2 c3']);
  });

  test('with one machine', () => {
    expect(canInstall(updateFixture())).toBe(true);
    expect(updateWord(updateFixture())).toBe('update available');
    expect(canInstall(updateFixture({ latestVersion: '1.2.0' }))).toBe(false);
    expect(canInstall(updateFixture({ state: 'installing' }))).toBe(false);
    expect(wayBack(updateFixture())).toBe('1.1.0');
    expect(wayBack(updateFixture({ state: 'trial' }))).toBeNull();
    expect(wayBack(updateFixture({ slots: [] }))).toBeNull();
  });
});
