import type { Rollout, RolloutMember, Update } from '../../contract/index.ts';

/** A camera of a rollout, with changes. */
export const memberFixture = (over: Partial<RolloutMember> = {}): RolloutMember => ({
  id: 'a1b2c3',
  name: 'stage-left',
  role: 'camera',
  online: true,
  installedVersion: '1.2.0',
  latestVersion: '1.3.0',
  releaseNotes: 'Sharper pictures.',
  state: null,
  busy: false,
  progressPercent: null,
  reason: null,
  ...over,
});

/** The hub of a rollout, with changes. */
export const hubMemberFixture = (over: Partial<RolloutMember> = {}): RolloutMember =>
  memberFixture({ id: 'd00d', name: 'control-room', role: 'hub', ...over });

/** A rollout, with changes. */
export const rolloutFixture = (over: Partial<Rollout> = {}): Rollout => ({
  available: {
    version: '1.3.0',
    notes: 'Sharper pictures.\nJoins in half the time.',
    compatible: 'rushlight-raspberrypi-arm64',
    sizeBytes: 276_000_000,
  },
  version: null,
  startedAt: null,
  phase: 'none',
  reason: null,
  canary: null,
  cachingPercent: null,
  members: [
    memberFixture(),
    memberFixture({ id: 'b2', name: 'stage-right' }),
    memberFixture({ id: 'c3', name: 'wide' }),
    hubMemberFixture(),
  ],
  ...over,
});

/** An update's state, with changes. */
export const updateFixture = (over: Partial<Update> = {}): Update => ({
  installedVersion: '1.2.0',
  compatible: 'rushlight-raspberrypi-arm64',
  latestVersion: '1.3.0',
  releaseNotes: 'Sharper pictures.',
  state: 'idle',
  progressPercent: null,
  reason: null,
  slots: [
    { name: 'A', booted: true, state: 'good', version: '1.2.0' },
    { name: 'B', booted: false, state: 'good', version: '1.1.0' },
  ],
  lastAttempt: null,
  ...over,
});
