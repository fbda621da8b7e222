import { z } from 'zod';

export const systemActionSchema = z
  .strictObject({ force: z.boolean().default(false).describe('Also during a take') })
  .default({ force: false });

export const tallySchema = z.strictObject({
  state: z.enum(['off', 'preview', 'program']).describe('program: this camera is on air'),
});

export type SystemAction = z.infer<typeof systemActionSchema>;
export type Tally = z.infer<typeof tallySchema>;
