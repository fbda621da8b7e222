import { z } from 'zod';

/** Body of the system routes: what the machine should do. */
export const systemActionSchema = z
  .strictObject({ force: z.boolean().default(false).describe('Also during a take') })
  .default({ force: false });

/** Body of `PUT /api/tally`: the camera that is on air. */
export const tallySchema = z.strictObject({
  state: z.enum(['off', 'preview', 'program']).describe('program: this camera is on air'),
});

/** See {@link systemActionSchema}. */
export type SystemAction = z.infer<typeof systemActionSchema>;
/** See {@link tallySchema}. */
export type Tally = z.infer<typeof tallySchema>;
