import { z } from 'zod';
import { field, filePath } from '../../../../common/setting-field.ts';
import { encoderFields, sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z.literal('file').meta({
      description:
        'A video file, played in a loop at its own size and rate. H.264 or H.265 without B-frames is copied, anything else is encoded.',
    }),
    ...sourceFields,
    path: field(
      filePath(),
      'The video file. A file that takes its place is played as soon as it is complete.',
      ['pipelines'],
    ),
    ...encoderFields,
  })
  .meta({ description: 'kind = "file"' });
