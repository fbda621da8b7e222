/**
 * Feeds: the media process, their list, and what goes on to other servers. `self-view.ts` is a face of its own, because it takes
 * much memory and only an update loads it.
 */

export { JpegPushes } from './jpeg/jpeg-pushes.ts';
export { JpegTaps } from './jpeg/jpeg-taps.ts';
export { assemblePictures } from './live.ts';
export type { Push } from './media-flows.ts';
export { MediaLink } from './media-link.ts';
export { Outputs } from './outputs/outputs.ts';
export { RemoteFeeds } from './remote-feeds.ts';
