import { z } from 'zod';
import { field, filePath, slug, urlOf } from './field.ts';

/** What every source has, whatever makes its video. */
const common = {
  id: field(slug(), 'Name of the feed and of the masters of this source. Unique.', ['pipelines', 'media']),
  label: field(z.string().min(1).max(64).optional(), 'Name shown to people; default: the id.'),
  enabled: field(z.boolean().default(true), 'Whether the source runs.', ['pipelines', 'media']),
  record: field(z.boolean().default(true), 'Whether a take records this source.', ['masters']),
};

/** What a source that is encoded here has. A source that sends H.264 itself is copied, and has none of it. */
const encoded = {
  width: field(z.int().min(16).max(7680).multipleOf(2).default(1920), 'Width of the picture in pixels.', [
    'pipelines',
  ]),
  height: field(z.int().min(16).max(4320).multipleOf(2).default(1080), 'Height of the picture in pixels.', [
    'pipelines',
  ]),
  fps: field(z.number().min(1).max(240).default(30), 'Frames per second.', ['pipelines']),
  bitrate_kbps: field(
    z.int().min(100).max(100_000).default(6000),
    'Bit rate of the live picture. Masters are not touched by it.',
    ['pipelines'],
  ),
  keyframe_interval_s: field(
    z.number().min(0.1).max(10).default(1),
    'Seconds from one keyframe of the live picture to the next.',
    ['pipelines'],
  ),
  encoder: field(
    z.enum(['auto', 'hardware', 'software', 'jpeg']).default('auto'),
    'Who encodes the live picture. `auto` takes what this board does best, and says why; `jpeg` sends pictures instead of video.',
    ['pipelines'],
  ),
};

const rpicamSource = z
  .strictObject({
    kind: z.literal('rpicam').meta({ description: 'A camera module, through libcamera.' }),
    ...common,
    ...encoded,
    camera: field(
      z.int().min(0).max(7).default(0),
      'Number of the camera as `rpicam-hello --list-cameras` counts.',
      ['pipelines'],
    ),
    mode: field(
      z
        .string()
        .regex(/^\d+:\d+(:\d+(:[PU])?)?$/, 'width:height, width:height:bits or width:height:bits:P')
        .optional(),
      'Sensor mode, `width:height:bits:packing`; default: libcamera chooses.',
      ['pipelines'],
    ),
    rotation: field(z.literal([0, 180]).default(0), 'Degrees the picture is turned.', ['pipelines']),
    hflip: field(z.boolean().default(false), 'Mirrors the picture.', ['pipelines']),
    vflip: field(z.boolean().default(false), 'Turns the picture upside down.', ['pipelines']),
    autofocus: field(
      z.enum(['default', 'manual', 'auto', 'continuous']).default('default'),
      'How the lens focuses, where it can.',
      ['pipelines'],
    ),
    lens_position: field(
      z.number().min(0).max(32).optional(),
      'Focus for `autofocus = "manual"`, in dioptres (1 / metres); 0 is infinity.',
      ['pipelines'],
    ),
    exposure: field(z.enum(['normal', 'sport', 'long']).default('normal'), 'Exposure program.', [
      'pipelines',
    ]),
    shutter_us: field(z.int().min(1).max(10_000_000).optional(), 'Fixed exposure time in microseconds.', [
      'pipelines',
    ]),
    gain: field(z.number().min(1).max(64).optional(), 'Fixed analogue gain.', ['pipelines']),
    ev: field(z.number().min(-10).max(10).default(0), 'Exposure compensation in stops.', ['pipelines']),
    white_balance: field(
      z
        .enum(['auto', 'incandescent', 'tungsten', 'fluorescent', 'indoor', 'daylight', 'cloudy'])
        .default('auto'),
      'White balance.',
      ['pipelines'],
    ),
    hdr: field(z.enum(['off', 'auto', 'sensor', 'single-exp']).default('off'), 'High dynamic range.', [
      'pipelines',
    ]),
    roi: field(
      z.tuple([fraction(), fraction(), fraction(), fraction()]).optional(),
      'Part of the sensor to use: x, y, width, height, each from 0 to 1.',
      ['pipelines'],
    ),
    tuning_file: field(filePath().optional(), 'Tuning file for libcamera.', ['pipelines']),
    sync: field(
      z.enum(['off', 'server', 'client']).default('off'),
      'Starts frames together with other cameras: one is the server, the others are clients.',
      ['pipelines'],
    ),
  })
  .meta({ description: 'kind = "rpicam"' });

const v4l2Source = z
  .strictObject({
    kind: z.literal('v4l2').meta({ description: 'A USB camera or capture card, through V4L2.' }),
    ...common,
    ...encoded,
    device: field(
      z.string().min(1).max(255).default('auto'),
      'Stable id (as `GET /api/devices` lists), or a path such as `/dev/video0`; `auto`: the first camera found.',
      ['pipelines'],
    ),
    format: field(
      z.enum(['auto', 'h264', 'mjpeg', 'yuyv', 'nv12']).default('auto'),
      'What the camera is asked for. H.264 is copied, not encoded again.',
      ['pipelines'],
    ),
    controls: field(
      z.record(z.string(), z.union([z.int(), z.boolean()], 'a whole number, true or false')).default({}),
      'Values for controls of the camera by name, as `v4l2-ctl --list-ctrls` prints them.',
      ['pipelines'],
    ),
  })
  .meta({ description: 'kind = "v4l2"' });

const rtspSource = z
  .strictObject({
    kind: z
      .literal('rtsp')
      .meta({ description: 'A network camera. Its H.264 is copied, not encoded again.' }),
    ...common,
    url: field(urlOf('rtsp', 'rtsps'), 'Address of the stream, without user and password.', ['pipelines']),
    username: field(z.string().min(1).max(255).optional(), 'User, where the camera asks for one.', [
      'pipelines',
    ]),
    password_file: field(filePath().optional(), 'File with the password.', ['pipelines']),
    transport: field(z.enum(['tcp', 'udp']).default('tcp'), 'How the packets travel.', ['pipelines']),
  })
  .meta({ description: 'kind = "rtsp"' });

const testSource = z
  .strictObject({
    kind: z.literal('test').meta({ description: 'A moving picture with a burnt-in clock and frame number.' }),
    ...common,
    ...encoded,
  })
  .meta({ description: 'kind = "test"' });

/** One `[[source]]`. */
export const sourceSchema = z.discriminatedUnion('kind', [rpicamSource, v4l2Source, rtspSource, testSource]);

/** One `[[remote]]`: a feed that another server makes and the hub shows beside its own, copied as it is. */
export const remoteSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('whep').meta({ description: 'Another hub or WebRTC server, pulled by WHEP.' }),
      id: common.id,
      label: common.label,
      enabled: common.enabled,
      url: field(urlOf('http', 'https'), 'WHEP endpoint.', ['media']),
      token_file: field(filePath().optional(), 'File with the bearer token.', ['media']),
      tls_fingerprint: field(sha256Fingerprint().optional(), 'SHA-256 of the certificate to accept.', [
        'media',
      ]),
    })
    .meta({ description: 'kind = "whep"' }),
  z
    .strictObject({
      kind: z.literal('mjpeg').meta({ description: 'A camera that speaks only motion JPEG over HTTP.' }),
      id: common.id,
      label: common.label,
      enabled: common.enabled,
      url: field(urlOf('http', 'https'), 'Address of the stream.', ['pipelines']),
      username: field(z.string().min(1).max(255).optional(), 'User, where the camera asks for one.', [
        'pipelines',
      ]),
      password_file: field(filePath().optional(), 'File with the password.', ['pipelines']),
    })
    .meta({ description: 'kind = "mjpeg"' }),
]);

/** SHA-256 of a certificate in hex, with or without colons. */
export function sha256Fingerprint() {
  return z
    .string()
    .regex(
      /^[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}$/,
      'a SHA-256 fingerprint: 64 hex digits, colons allowed',
    );
}

function fraction() {
  return z.number().min(0).max(1);
}
