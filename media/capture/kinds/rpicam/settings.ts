import { z } from 'zod';
import { field, filePath } from '../../../../common/setting-field.ts';
import { encodedFields, sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z.literal('rpicam').meta({ description: 'A camera module, through libcamera.' }),
    ...sourceFields,
    ...encodedFields,
    camera: field(
      z.int().min(0).max(7).default(0),
      'Number of the camera in the list of `rpicam-hello --list-cameras`.',
      ['pipelines'],
    ),
    mode: field(
      z
        .string()
        .regex(/^\d+:\d+(:\d+(:[PU])?)?$/, 'width:height, width:height:bits or width:height:bits:P')
        .optional(),
      'Sensor mode, `width:height:bits:packing`. Default: libcamera chooses.',
      ['pipelines'],
    ),
    rotation: field(z.literal([0, 180]).default(0), 'Turns the picture by this many degrees.', ['pipelines']),
    hflip: field(z.boolean().default(false), 'Mirrors the picture.', ['pipelines']),
    vflip: field(z.boolean().default(false), 'Turns the picture upside down.', ['pipelines']),
    autofocus: field(
      z.enum(['default', 'manual', 'auto', 'continuous']).default('default'),
      'How the lens focuses, if it can.',
      ['pipelines'],
    ),
    lens_position: field(
      z.number().min(0).max(32).optional(),
      'Focus for `autofocus = "manual"`, in dioptres (1 / metres). 0 is infinity.',
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
      'Starts frames together with other cameras. One is the server, the others are clients.',
      ['pipelines'],
    ),
  })
  .meta({ description: 'kind = "rpicam"' });

function fraction() {
  return z.number().min(0).max(1);
}
