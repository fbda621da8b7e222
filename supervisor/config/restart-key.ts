import { z } from 'zod';
import { camelCase, unwrap } from '../../common/camel-case.ts';
import type { RestartScope } from '../../common/setting-field.ts';
import type { Config } from './schema.ts';
import { fileSchema } from './schema-file.ts';

/**
 * The values of all settings whose change restarts a service, as the schema and docs/reference/config.md say. A running service is left
 * alone while its key is equal, so the published column is what really happens. Lists (`source`, `remote`, `output`) are not part of
 * it: each of their elements is compared on its own.
 */
export function restartKey(config: Config, service: RestartScope): Readonly<Record<string, unknown>> {
  const key: Record<string, unknown> = {};
  collect(fileSchema, config, service, '', key);
  return key;
}

function collect(
  table: z.ZodObject,
  values: Readonly<Record<string, unknown>>,
  service: RestartScope,
  prefix: string,
  key: Record<string, unknown>,
): void {
  for (const [name, member] of Object.entries(table.shape) as [string, z.core.$ZodType][]) {
    const value = values[camelCase(name)];
    const inner = unwrap(member, value);
    if (inner instanceof z.ZodObject) {
      collect(inner, value as Readonly<Record<string, unknown>>, service, `${prefix}${name}.`, key);
    } else if (!isListOfTables(inner)) {
      if (z.globalRegistry.get(member)?.restarts?.includes(service)) key[`${prefix}${name}`] = value;
    }
  }
}

function isListOfTables(schema: z.core.$ZodType): boolean {
  if (!(schema instanceof z.ZodArray)) return false;
  const { element } = schema;
  return element instanceof z.ZodDiscriminatedUnion || element instanceof z.ZodObject;
}
