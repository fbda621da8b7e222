export type { Child, ChildExit, ChildHost, ChildLine, ChildSpec } from '../common/child-host.ts';
export * from './capture/index.ts';
export { type ControlCode, MediaControlError, MediaRequestError } from './control/errors.ts';
export { MediaClient, type MediaClientEvents, type MediaClientOptions } from './control/media-client.ts';
export { type MediaCommand, mediaCommand } from './control/media-command.ts';
export type {
  IngestConfig,
  MediaConfig,
  MediaEvent,
  MediaStatus,
  OutputConfig,
  OutputStatus,
  PushConfig,
  PushStatus,
  SessionInfo,
  SignalingAnswer,
} from './control/protocol.ts';
export { maxOutputs } from './control/protocol.ts';
export * from './fallback/index.ts';
export * from './masters/index.ts';
export type { VideoCodec } from './rtp/video-payload.ts';
export type { FeedState, FeedStats, PublisherInfo, ViewerStats } from './sfu/feed-stats.ts';
export type { SignalingCode } from './signaling/errors.ts';
export { outputViewer } from './signaling/output-viewer.ts';
