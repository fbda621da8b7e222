import type { z } from 'zod';
import type { CamelCased } from '../../common/camel-case.ts';
import { fileSchema } from './schema-file.ts';
import { crossFieldFindings } from './schema-rules.ts';

export { configVersion } from './schema-file.ts';

/** Everything `rushlight.toml` may contain, with the rules between fields. */
export const configSchema = fileSchema.superRefine((file, context) => {
  for (const { path, message } of crossFieldFindings(file)) {
    context.addIssue({ code: 'custom', path, message });
  }
});

/** The settings as the file spells them, with defaults. */
export type ConfigFile = z.output<typeof configSchema>;

/** The settings in code. */
export type Config = CamelCased<ConfigFile>;
/** One `[[source]]` in code. */
export type SourceConfig = Config['source'][number];
/** One `[[remote]]` in code. */
export type RemoteConfig = Config['remote'][number];
/** One `[[output]]` in code. */
export type OutputSettings = Config['output'][number];
