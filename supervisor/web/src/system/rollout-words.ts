import type { Rollout, RolloutMember, Status, Update } from '../../../contract/index.ts';

/** What the page offers to do with a rollout now. */
export interface RolloutOffers {
  readonly start: boolean;
  readonly pause: boolean;
  readonly resume: boolean;
  readonly cancel: boolean;
  /** Cameras that may be chosen to go first. */
  readonly canaries: readonly RolloutMember[];
}

/** Whether a rollout is under way. */
export const isUnderWay = ({ phase }: Rollout): boolean =>
  phase === 'running' || phase === 'paused' || phase === 'halted';

/** Whether a newer release is on offer for it. */
export const isBehind = ({ installedVersion, latestVersion }: RolloutMember): boolean =>
  latestVersion !== null && installedVersion !== null && latestVersion !== installedVersion;

/** What can be done with a rollout in its present phase. */
export const rolloutOffers = (rollout: Rollout): RolloutOffers => {
  const underWay = isUnderWay(rollout);
  const cameras = rollout.members.filter(({ role }) => role === 'camera');
  const untouched = cameras.every(({ state }) => state !== 'updating' && state !== 'done');
  return {
    start: !underWay && rollout.available !== null,
    pause: rollout.phase === 'running',
    resume: rollout.phase === 'paused' || rollout.phase === 'halted',
    cancel: underWay,
    canaries: underWay
      ? cameras.filter(({ state }) => untouched && (state === 'waiting' || state === 'failed'))
      : cameras.filter((camera) => camera.online && isBehind(camera)),
  };
};

/** The rollout in one sentence. */
export const rolloutSentence = (rollout: Rollout): string => {
  const { phase, version, members, cachingPercent } = rollout;
  const part = members.filter(({ state }) => state !== null && state !== 'skipped');
  const done = part.filter(({ state }) => state === 'done').length;
  const count = `${done} of ${part.length} ${part.length === 1 ? 'machine' : 'machines'}`;
  switch (phase) {
    case 'none':
      return rollout.available === null
        ? 'Every machine has the newest version that is known.'
        : `Version ${rollout.available.version} is available.`;
    case 'running':
      return cachingPercent === null
        ? `Version ${version}: ${count} updated.`
        : `The hub fetches version ${version}: ${Math.round(cachingPercent)} %.`;
    case 'paused':
      return `Paused. Version ${version}: ${count} updated.`;
    case 'halted':
      return `Halted. Version ${version}: ${count} updated; the others were left alone.`;
    case 'done':
      return `Version ${version}: ${count} updated.`;
    case 'cancelled':
      return `Cancelled. Version ${version}: ${count} updated.`;
  }
};

/** A machine's state in a word or two. */
export const memberWord = (member: RolloutMember, canary: string | null): string => {
  if (member.state === 'updating' || member.busy) {
    return member.progressPercent === null ? 'updating' : `updating, ${Math.round(member.progressPercent)} %`;
  }
  if (!member.online) return 'not connected';
  if (member.state === 'waiting') return member.id === canary ? 'goes first' : 'waiting';
  if (member.state === 'failed') return 'failed';
  if (member.state === 'skipped') return 'left out';
  return isBehind(member) ? 'update available' : 'up to date';
};

/** Colour of that word: a state of `.pill`. */
export const memberTone = (member: RolloutMember): string => {
  if (member.state === 'updating' || member.busy) return 'starting';
  if (member.state === 'failed') return 'failed';
  if (!member.online) return 'offline';
  return isBehind(member) ? 'waiting' : 'ok';
};

const updateWords: Readonly<Record<Update['state'], string>> = {
  unsupported: 'cannot be updated',
  idle: 'up to date',
  deferred: 'waits',
  downloading: 'downloading',
  installing: 'installing',
  armed: 'restarts soon',
  trial: 'on trial',
  'rolled-back': 'rolled back',
};

/** The state of an update in a word or two. */
export const updateWord = (update: Update): string =>
  update.state === 'idle' && canInstall(update) ? 'update available' : updateWords[update.state];

/** Colour of that word: a state of `.pill`. */
export const updateTone = (update: Update): string => {
  const { state } = update;
  if (state === 'rolled-back') return 'failed';
  if (state === 'idle') return canInstall(update) ? 'waiting' : 'ok';
  return state === 'unsupported' ? 'stopped' : 'starting';
};

/** Nothing is under way, and there is something that can be updated. */
export const canCheck = ({ state }: Update): boolean =>
  state === 'idle' || state === 'rolled-back' || state === 'deferred';

/** Nothing newer is on offer; an update in progress is newer. */
export const isNewest = ({ installedVersion, latestVersion }: Update): boolean =>
  latestVersion === null || latestVersion === installedVersion;

/** Whether an update can be installed now. */
export const canInstall = (update: Update): boolean => canCheck(update) && !isNewest(update);

/** The version in the other slot, if rolling back to it is possible. */
export const wayBack = (update: Update): string | null => {
  if (!canCheck(update)) return null;
  const other = update.slots.find(({ booted }) => !booted);
  return other?.state === 'good' ? (other.version ?? 'the previous version') : null;
};

/** A hub with cameras updates them and itself together. */
export const conducts = ({ rollout }: Status): boolean =>
  rollout !== null && (rollout.phase !== 'none' || rollout.members.some(({ role }) => role === 'camera'));
