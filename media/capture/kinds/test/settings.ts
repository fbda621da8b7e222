import { z } from 'zod';
import { encodedFields, sourceFields } from '../fields.ts';

/** What a `[[source]]` of this kind may say. */
export const settings = z
  .strictObject({
    kind: z.literal('test').meta({ description: 'A moving picture with a burnt-in clock and frame number.' }),
    ...sourceFields,
    ...encodedFields,
  })
  .meta({ description: 'kind = "test"' });
