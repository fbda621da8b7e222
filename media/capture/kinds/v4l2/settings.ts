import { z } from 'zod';
import { field } from '../../../../common/setting-field.ts';
import { encodedFields, sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z.literal('v4l2').meta({ description: 'A USB camera or capture card, through V4L2.' }),
    ...sourceFields,
    ...encodedFields,
    device: field(
      z.string().min(1).max(255).default('auto'),
      'Stable id from `GET /api/devices`, or a path such as `/dev/video0`. `auto`: the first camera found.',
      ['pipelines'],
    ),
    format: field(
      z.enum(['auto', 'h264', 'mjpeg', 'yuyv', 'nv12']).default('auto'),
      'The format to request from the camera. H.264 is copied, not encoded again.',
      ['pipelines'],
    ),
    controls: field(
      z.record(z.string(), z.union([z.int(), z.boolean()], 'a whole number, true or false')).default({}),
      'Values for controls of the camera, set when they change here or the camera is plugged in. The names are those of `v4l2-ctl --list-ctrls`. What you set on the page later counts until you change the value here.',
      [],
    ),
  })
  .meta({ description: 'kind = "v4l2"' });
