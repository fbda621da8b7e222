import { z } from 'zod';
import { unwrap } from '../../common/camel-case.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';
import type { KnownKey } from './nearest-key.ts';

/** Every key the schema knows, as candidates for an unknown key in the table at `table`. */
export function knownKeys(schema: z.ZodType, table: KeyPath, value: unknown): readonly KnownKey[] {
  const here = shapeAt(schema, table, value).map((name) => ({
    path: formatKeyPath([...table, name]),
    name,
    here: true,
  }));
  return [...here, ...everyKey(schema, '')];
}

/** The schema of the table or value at a path, in the branch of each union that fits the value there. */
function schemaAt(schema: z.core.$ZodType, path: KeyPath, value: unknown): z.core.$ZodType | undefined {
  const inner = branchOf(unwrap(schema, value), value);
  const [head, ...rest] = path;
  if (head === undefined) return inner;
  const below = childOf(value, head);
  if (inner instanceof z.ZodObject) {
    const member: z.core.$ZodType | undefined = inner.shape[head];
    return member === undefined ? undefined : schemaAt(member, rest, below);
  }
  if (inner instanceof z.ZodArray) return schemaAt(inner.element, rest, below);
  if (inner instanceof z.ZodRecord) return schemaAt(inner.valueType, rest, below);
  return undefined;
}

/** The branch of a discriminated union whose discriminator fits, even if the rest of the value does not. */
function branchOf(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator } = schema.def;
  const wanted = childOf(value, discriminator);
  const branch = schema.options.find(
    (option) =>
      option instanceof z.ZodObject && z.safeParse(option.shape[discriminator] ?? z.never(), wanted).success,
  );
  return branch ?? schema;
}

function childOf(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string | number, unknown>)[key]
    : undefined;
}

function shapeAt(schema: z.ZodType, path: KeyPath, value: unknown): string[] {
  const inner = schemaAt(schema, path, value);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function everyKey(schema: z.core.$ZodType, prefix: string): KnownKey[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return everyKey(inner.element, `${prefix.slice(0, -1)}[].`);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => everyKey(option, prefix));
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape).flatMap(([name, member]) => [
    { path: `${prefix}${name}`, name, here: false },
    ...everyKey(member as z.core.$ZodType, `${prefix}${name}.`),
  ]);
}
