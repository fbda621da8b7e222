import type { EncoderPlan, SmallPlan, SourceHandler } from '../../media/index.ts';
import type { SourceStatus, UnpluggedDevice } from '../contract/index.ts';
import type { DesiredPipeline } from '../roles/index.ts';

type Source = DesiredPipeline['source'];

const shownState = {
  starting: 'starting',
  running: 'running',
  stalled: 'stalled',
  'backing-off': 'waiting',
  stopped: 'stopped',
} as const;

/** The status of a source whose pipeline runs, or should run; `note` is what else is wrong with it. */
export function statusOf(
  source: Source,
  encoder: EncoderPlan & { readonly small: SmallPlan },
  handler: SourceHandler,
  note: string | null = null,
): SourceStatus {
  const { state, fault, restarts } = handler.status;
  return {
    id: source.id,
    kind: source.kind,
    label: source.label ?? source.id,
    state: shownState[state],
    reason: fault?.words ?? note,
    restarts,
    droppedFrames: null,
    encoder: {
      name: encoder.encoder,
      reason: [encoder.reason, ...encoder.warnings, encoder.small.reason].join(' '),
    },
  };
}

/** The status of a source without a pipeline, and why. */
export function idleStatus(source: Source, state: 'waiting' | 'stopped', reason: string): SourceStatus {
  const { id, kind, label } = source;
  return { id, kind, label: label ?? id, state, reason, restarts: 0, droppedFrames: null, encoder: null };
}

/** What a camera reports to its hub. It includes unplugged cameras, so that their viewers on the hub read why, and wait. */
export function withUnplugged(
  statuses: readonly SourceStatus[],
  unplugged: readonly UnpluggedDevice[],
): SourceStatus[] {
  const nothing = { restarts: 0, droppedFrames: null, encoder: null };
  // A moment passes between the plug and the end of what it fed.
  const away = unplugged.filter(({ feed }) => statuses.every(({ id }) => id !== feed));
  const missing = away.map(({ feed: id, label }): SourceStatus => {
    return { id, kind: 'v4l2', label, state: 'waiting', reason: `${label} was unplugged.`, ...nothing };
  });
  return [...statuses, ...missing];
}
