import { z } from 'zod';
import { encodedFields, sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z.literal('test').meta({
      description:
        'A moving picture with a burnt-in clock and frame number. The black and white bars across its top hold both for programs.',
    }),
    ...sourceFields,
    ...encodedFields,
  })
  .meta({ description: 'kind = "test"' });
