import type { EncoderChoice } from './encoder-choice.ts';
import type { SmallLayer } from './small-layer.ts';

/** Fields of every source kind. Sizes in pixels, rates in frames per second. */
export interface SourceBase {
  /** Name of the source and of its feed: `cam0`. File-name safe. */
  readonly id: string;
}

/** A source whose live stream may be encoded here. */
export interface EncodedSource extends SourceBase {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** Target of the live H.264 stream. Not used if the camera's own H.264 is copied. */
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
  /** The same pictures once more, small; absent if there is no such layer. */
  readonly small?: SmallLayer & { readonly rtpPort: number };
  /** Unix socket that takes JPEG after JPEG if the encoder is `mjpeg`. */
  readonly picturesSocket?: string;
  /** Named pipe (raw-pipe.ts) that a recorder may read; must exist when the pipeline starts. Absent: live only. */
  readonly rawPipe?: string;
  /** Memory for raw frames that a slow recorder has not taken yet. Default 48 MiB. */
  readonly rawQueueBytes?: number;
  /** For tests: a file that gets the framemd5 of every frame captured. */
  readonly witness?: string;
}

/** What flows through the raw pipe: the frames as captured, in NUT. */
export interface RawStream {
  readonly codec: 'rawvideo' | 'mjpeg' | 'h264' | 'hevc';
  /** Planar format that holds the captured samples without loss; several, divided by `|`, if only the stream itself knows. */
  readonly pixelFormat: string;
  /** How samples are meant: JPEG's are `full`. They stay unchanged; this only prevents their conversion. */
  readonly range: 'full' | 'limited';
  /** Nominal rate. */
  readonly fps: number;
  /** Zero if only the stream itself knows (RTSP). */
  readonly width: number;
  readonly height: number;
  /** `epoch`: timestamps are wall-clock time since 1970; `stream`: they start anywhere and the recorder anchors them. */
  readonly clock: 'epoch' | 'stream';
}

/** A pipeline ready to be handed to a ChildHost. */
export interface CaptureCommand {
  readonly argv: readonly [program: string, ...args: string[]];
  readonly raw: RawStream;
  /** Why the live stream is encoded (or copied) this way, in words. */
  readonly encoderReason: string;
  /** Frames per second that were requested; null if the sender decides, and its statement or a measurement counts. */
  readonly askedFps: number | null;
  /** File that gets one presentation time per frame, in milliseconds (sensor-clock.ts). */
  readonly sensorTimes?: string;
  /** Program that prints which range the samples were negotiated to have, where the stream itself does not say. */
  readonly rangeQuery?: readonly [program: string, ...args: string[]];
}
