/** Tracks as the JavaScript plane made them, behind what a feed shows of them. */
import { AudioTrack } from './audio-track.ts';
import type { FeedAudio, FeedVideo } from './feed-port.ts';
import { VideoTrack } from './video-track.ts';

/** The track behind a feed's picture. Throws for a track of another plane. */
export function nodeVideo(video: FeedVideo): VideoTrack {
  if (!(video instanceof VideoTrack)) throw new TypeError('track of another plane');
  return video;
}

/** The track behind a feed's sound. Throws for a track of another plane. */
export function nodeAudio(audio: FeedAudio): AudioTrack {
  if (!(audio instanceof AudioTrack)) throw new TypeError('track of another plane');
  return audio;
}
