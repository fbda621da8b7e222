import { z } from 'zod';
import { configErrorSchema } from './status.ts';

/** Config as the API shows it: values in force, where each came from, and the errors of a file that was refused. */
export const configViewSchema = z
  .object({
    file: z.string(),
    values: z.record(z.string(), z.unknown()).describe('The config in force, without secrets'),
    overrides: z
      .record(z.string(), z.unknown())
      .describe('Settings made through the API, which override the file'),
    errors: z.array(configErrorSchema),
  })
  .meta({ id: 'ConfigView' });

/** Body of `PATCH /api/config`: a JSON merge patch (RFC 7396) over the file's settings. */
export const configPatchSchema = z
  .record(z.string(), z.unknown())
  .describe('JSON merge patch (RFC 7396) with the keys of rushlight.toml; null drops an override');

/** Answer of `GET /api/config`. */
export type ConfigView = z.infer<typeof configViewSchema>;
