import type { EncoderChoice } from './encoder-choice.ts';

/** What every source kind shares. Sizes in pixels, rates in frames per second. */
interface SourceBase {
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

/** A generated picture with a machine-readable strip (strip.ts) and, with a font, a clock for people; its frames keep to the wall clock. */
export interface TestSource extends EncodedSource {
  readonly kind: 'test';
  /** TrueType font for the burnt-in clock; without it only the strip is drawn. */
  readonly fontFile?: string;
}

/** Formats a V4L2 camera is opened with. `h264` is copied, never decoded on the live path. */
export type V4l2Format = 'mjpeg' | 'yuyv' | 'nv12' | 'h264';

export interface V4l2Source extends EncodedSource {
  readonly kind: 'v4l2';
  /** Device node, best a stable one: `/dev/v4l/by-id/…`. */
  readonly device: string;
  readonly format: V4l2Format;
}

/** A network camera whose H.264 is copied. Its size and rate are what the camera sends. */
export interface RtspSource extends SourceBase {
  readonly kind: 'rtsp';
  /** `rtsp://host[:port]/path`, without user and password. */
  readonly url: string;
  readonly username?: string;
  /** Never reaches a log (redact in ffmpeg-faults.ts). */
  readonly password?: string;
  /** Default `tcp`. */
  readonly transport?: 'tcp' | 'udp';
  /** Nominal rate, used for counting dropped frames. Default 25. */
  readonly fps?: number;
}

/** A camera module through libcamera. What is not set is left to rpicam-vid. */
export interface RpicamSource extends EncodedSource {
  readonly kind: 'rpicam';
  /** Index in the list of `rpicam-hello --list-cameras`. */
  readonly camera: number;
  /** Sensor mode `width:height[:bits[:packing]]`. */
  readonly mode?: string;
  readonly rotation?: 0 | 180;
  readonly hflip?: boolean;
  readonly vflip?: boolean;
  readonly autofocus?: 'default' | 'manual' | 'auto' | 'continuous';
  /** Dioptres (1/m), with `autofocus: 'manual'`. */
  readonly lensPosition?: number;
  readonly exposure?: 'normal' | 'sport' | 'long';
  readonly shutterUs?: number;
  readonly gain?: number;
  /** Exposure compensation in stops. */
  readonly ev?: number;
  readonly whiteBalance?: string;
  readonly hdr?: 'off' | 'auto' | 'sensor' | 'single-exp';
  /** Part of the sensor: x, y, width, height, each 0…1. */
  readonly roi?: readonly [number, number, number, number];
  readonly tuningFile?: string;
  readonly sync?: 'off' | 'server' | 'client';
  /** File that gets one presentation time per frame, in milliseconds (sensor-clock.ts). */
  readonly ptsFile?: string;
}

export type SourceSpec = TestSource | V4l2Source | RtspSource | RpicamSource;

/** Where a pipeline delivers. */
export interface CaptureTargets {
  /** Loopback UDP port that takes the live RTP stream. */
  readonly rtpPort: number;
  /** Default 96. */
  readonly rtpPayloadType?: number;
  readonly encoder: EncoderChoice;
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
}
