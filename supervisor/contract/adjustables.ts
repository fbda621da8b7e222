import { z } from 'zod';
import { slugSchema } from './common.ts';

/** A setting of a source of this machine that may be changed while it runs. */
export const adjustableSchema = z
  .object({
    source: slugSchema,
    id: z
      .string()
      .describe('`target_kbps`, the bit rate of the live picture, or the name of a camera control'),
    label: z.string().describe('Its name, with that of the source'),
    kind: z.enum(['number', 'choice', 'switch']),
    value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
    min: z.number().nullable().describe('For a number'),
    max: z.number().nullable(),
    step: z.number().nullable(),
    unit: z.string().nullable(),
    choices: z.array(z.string()).describe('For a choice'),
  })
  .meta({ id: 'Adjustable' });

/** A change of one of them. */
export const adjustSchema = z.strictObject({
  source: slugSchema,
  setting: z.string().regex(/^[a-z0-9_]{1,64}$/, 'the id of a setting'),
  value: z.union([z.number(), z.boolean(), z.string().max(255)]),
});

/** See {@link adjustableSchema}. */
export type Adjustable = z.infer<typeof adjustableSchema>;
/** See {@link adjustSchema}. */
export type Adjust = z.infer<typeof adjustSchema>;
