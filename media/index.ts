export type { ChildHost } from '../common/child-host.ts';
export * from './capture/index.ts';
export type { ControlCode } from './control/errors.ts';
export { MediaClient } from './control/media-client.ts';
export { mediaCommand } from './control/media-command.ts';
export type {
  MediaEvent,
  OutputStatus,
  PushStatus,
} from './control/protocol.ts';
export { maxOutputs } from './control/protocol.ts';
export * from './fallback/index.ts';
export * from './masters/index.ts';
export type { VideoCodec } from './rtp/video-payload.ts';
export type { FeedStats, ViewerStats } from './sfu/feed-stats.ts';
export type { SignalingCode } from './signaling/errors.ts';
export { outputViewer } from './signaling/output-viewer.ts';
