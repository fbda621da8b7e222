import { z } from 'zod';
import { unwrap } from '../../common/camel-case.ts';
import { isRecord } from '../../common/record.ts';
import { fileSchema } from './schema-file.ts';

/** Shown in place of a secret wherever settings are shown. No secret looks like it: none has spaces. */
export const notShown = 'not shown';

type Values = Readonly<Record<string, unknown>>;

/** Settings, spelled as in the file, without the values that nobody may read. */
export function withoutSecrets(values: Values): Record<string, unknown> {
  return mapSecrets(fileSchema, values, values, () => notShown) as Record<string, unknown>;
}

/**
 * A change made from settings that were shown: if it repeats {@link notShown}, the secret in force stays. Elements of
 * lists are known by their ids. A secret that is not there stays as it was written, which no field accepts.
 */
export function withSecrets(patch: Values, inForce: Values): Record<string, unknown> {
  return mapSecrets(fileSchema, patch, inForce, (written, known) =>
    written === notShown && typeof known === 'string' ? known : written,
  ) as Record<string, unknown>;
}

type Change = (written: unknown, known: unknown) => unknown;

function mapSecrets(schema: z.core.$ZodType, value: unknown, known: unknown, change: Change): unknown {
  if (Array.isArray(value)) {
    const element = elementOf(schema);
    if (element === null) return value;
    return value.map((item) => mapSecrets(element, item, namesake(item, known), change));
  }
  if (!isRecord(value)) return value;
  const shapes = shapesOf(schema);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const member = shapes.map((shape) => shape[key]).find((one) => one !== undefined);
      if (member === undefined) return [key, item];
      const other = isRecord(known) ? known[key] : undefined;
      if (z.globalRegistry.get(member)?.secret === true) {
        return [key, item === undefined || item === null ? item : change(item, other)];
      }
      return [key, mapSecrets(member, item, other, change)];
    }),
  );
}

function elementOf(schema: z.core.$ZodType): z.core.$ZodType | null {
  const inner = unwrap(schema);
  return inner instanceof z.ZodArray ? inner.element : null;
}

type Shape = Readonly<Record<string, z.core.$ZodType | undefined>>;

/** Every field that a table may have: what is shown need not be valid, so that no branch of a union is left out. */
function shapesOf(schema: z.core.$ZodType): Shape[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion || inner instanceof z.ZodDiscriminatedUnion) {
    return inner.options.flatMap((option: z.core.$ZodType) => shapesOf(option));
  }
  return inner instanceof z.ZodObject ? [inner.shape] : [];
}

function namesake(item: unknown, list: unknown): unknown {
  if (!isRecord(item) || !Array.isArray(list)) return undefined;
  return list.find((one) => isRecord(one) && one.id !== undefined && one.id === item.id);
}
