import type { EncoderChoice } from './encoder-choice.ts';
import type { SmallLayer } from './small-layer.ts';

/** What every source kind shares. Sizes in pixels, rates in frames per second. */
export interface SourceBase {
  /** Name of the source and of its feed: `cam0`. File-name safe. */
  readonly id: string;
}

export interface EncodedSource extends SourceBase {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Target of the live H.264 stream. Not used where the camera's own H.264 is copied. */
  readonly bitrateKbps: number;
  /** Seconds from one keyframe of the live stream to the next. Default 1. */
  readonly keyframeIntervalS?: number;
}

/** Where a pipeline delivers. */
export interface CaptureTargets {
  /** Loopback UDP port that takes the live RTP stream. */
  readonly rtpPort: number;
  /** Default 96. */
  readonly rtpPayloadType?: number;
  readonly encoder: EncoderChoice;
  /** The same pictures once more, small; absent where there is no such layer. */
  readonly small?: SmallLayer & { readonly rtpPort: number };
  /** Unix socket that takes JPEG after JPEG where the encoder is `mjpeg`. */
  readonly picturesSocket?: string;
  /** Named pipe (raw-pipe.ts) a recorder may read from; must exist when the pipeline starts. Absent: live only. */
  readonly rawPipe?: string;
  /** Memory for raw frames a slow recorder has not yet taken. Default 48 MiB. */
  readonly rawQueueBytes?: number;
  /** For tests: a file that gets the framemd5 of every frame captured. */
  readonly witness?: string;
}

/** What flows through the raw pipe: the frames as captured, in NUT. */
export interface RawStream {
  readonly codec: 'rawvideo' | 'mjpeg' | 'h264';
  /** Planar format that holds the captured samples without loss; several, divided by `|`, where only the stream itself knows. */
  readonly pixelFormat: string;
  /** How samples are meant: JPEG's are `full`. They are kept as they are; this only avoids that they are converted. */
  readonly range: 'full' | 'limited';
  /** Nominal rate. */
  readonly fps: number;
  /** Zero where only the stream itself knows (RTSP). */
  readonly width: number;
  readonly height: number;
  /** `epoch`: timestamps are wall-clock time since 1970; `stream`: they start anywhere and the recorder anchors them. */
  readonly clock: 'epoch' | 'stream';
}

/** A pipeline ready to be handed to a ChildHost. */
export interface CaptureCommand {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly raw: RawStream;
  /** Why the live stream is encoded (or copied) as it is, in words. */
  readonly encoderReason: string;
  /** Frames a second that were asked for; null where the sender decides, and what it says or is measured counts. */
  readonly askedFps: number | null;
  /** File that gets one presentation time per frame, in milliseconds (sensor-clock.ts). */
  readonly sensorTimes?: string;
  /** Program that prints which range the samples were negotiated to have, where the stream itself does not say. */
  readonly rangeQuery?: readonly [program: string, ...args: string[]];
}
