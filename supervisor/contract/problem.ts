import { z } from 'zod';

/** An RFC 9457 problem document. `code` is ours: a literal that programs can rely on. */
export const problemSchema = z
  .object({
    type: z.string().describe('`about:blank`, or a page that explains the problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    code: z.string().describe('Literal error code, such as FEED_UNKNOWN'),
    hint: z.string().optional().describe('What to do next'),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Where the request was wrong, field by field'),
  })
  .meta({ id: 'Problem' });

/** See {@link problemSchema}. */
export type Problem = z.infer<typeof problemSchema>;
