import { z } from 'zod';
import { isRecord } from './record.ts';

/** The type of a snake_case name in camelCase. */
export type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The type of parsed settings in code: snake_case keys become camelCase, everything becomes read-only. */
export type CamelCased<T> = T extends readonly unknown[]
  ? { readonly [K in keyof T]: CamelCased<T[K]> }
  : T extends object
    ? { readonly [K in keyof T as K extends string ? CamelCase<K> : K]: CamelCased<T[K]> }
    : T;

/** `bitrate_kbps` to `bitrateKbps`. */
export function camelCase<S extends string>(key: S): CamelCase<S> {
  return key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<S>;
}

/**
 * Renames the keys of a parsed value as its schema says. Only an object's own keys are settings and get renamed;
 * the keys of a record (V4L2 control names, say) are data and stay.
 */
export function camelCaseKeys<T extends z.ZodType>(schema: T, value: z.output<T>): CamelCased<z.output<T>> {
  return rename(schema, value) as CamelCased<z.output<T>>;
}

function rename(schema: z.core.$ZodType, value: unknown): unknown {
  const inner = unwrap(schema, value);
  if (Array.isArray(value) && inner instanceof z.ZodArray) {
    return value.map((item) => rename(inner.element, item));
  }
  if (inner instanceof z.ZodObject && isRecord(value)) {
    const shape: Readonly<Record<string, z.core.$ZodType | undefined>> = inner.shape;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const member = shape[key];
        return [camelCase(key), member === undefined ? item : rename(member, item)];
      }),
    );
  }
  return value;
}

/** The schema that describes the value itself, without defaults, optionality and the choice of a union's branch. */
export function unwrap(schema: z.core.$ZodType, value?: unknown): z.core.$ZodType {
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodReadonly
  ) {
    return unwrap(schema.def.innerType, value);
  }
  if (schema instanceof z.ZodUnion) {
    const branch = schema.options.find((option) => z.safeParse(option, value).success);
    return branch === undefined ? schema : unwrap(branch, value);
  }
  return schema;
}
