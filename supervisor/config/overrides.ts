import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { KeyPath } from './key-path.ts';
import type { TomlTable } from './migrate.ts';
import { listOf, type StateSection } from './state.ts';

const overrideSchema = z.object({
  /** Path of the setting in the file. */
  path: z.array(z.string()).min(1),
  value: z.json(),
  /** The file's value when the override was made; absent: none. */
  fileValue: z.json().optional(),
});

/** A setting made through the API that overrides the file, because machines never write the file. */
export type Override = z.output<typeof overrideSchema>;

/** The overrides' section of state.json. */
export const overridesSection = {
  name: 'config',
  schema: z.object({ overrides: listOf(overrideSchema) }),
} as const satisfies StateSection<z.ZodObject>;

type Json = z.infer<ReturnType<typeof z.json>>;

/**
 * Adds a JSON merge patch (RFC 7396) to the overrides: each value overrides the file from now on, and `null` removes the
 * overrides of that key and below. A list is one value.
 */
export function patchOverrides(
  overrides: readonly Override[],
  patch: Readonly<Record<string, unknown>>,
  table: TomlTable,
): Override[] {
  let result = [...overrides];
  for (const { path, value } of leavesOf(patch, [])) {
    result = result.filter(
      (override) => !startsWith(override.path, path) && !startsWith(path, override.path),
    );
    if (value === null) continue;
    const fileValue = valueAt(table, path);
    result.push({ path, value, ...(fileValue !== undefined && { fileValue: toJson(fileValue) }) });
  }
  return result;
}

/** The overrides that still apply: the file has not changed their keys since they were made. */
export function standingOverrides(overrides: readonly Override[], table: TomlTable): Override[] {
  return overrides.filter(({ path, fileValue }) => {
    const now = valueAt(table, path);
    return isDeepStrictEqual(now === undefined ? undefined : toJson(now), fileValue);
  });
}

/** The file's settings with the overrides applied. */
export function applyOverrides(table: TomlTable, overrides: readonly Override[]): TomlTable {
  const result = structuredClone({ ...table });
  for (const { path, value } of overrides) {
    let holder: TomlTable = result;
    for (const part of path.slice(0, -1)) {
      const next = Object.hasOwn(holder, part) ? holder[part] : undefined;
      holder = isTable(next) ? next : defineTable(holder, part);
    }
    define(holder, path.at(-1) ?? '', value);
  }
  return result;
}

/** The overrides as a nested table, for people. */
export function overridesTable(overrides: readonly Override[]): TomlTable {
  return applyOverrides({}, overrides);
}

function leavesOf(
  patch: Readonly<Record<string, unknown>>,
  prefix: readonly string[],
): { path: string[]; value: Json }[] {
  return Object.entries(patch).flatMap(([key, value]) => {
    const path = [...prefix, key];
    if (isTable(value)) return leavesOf(value, path);
    return [{ path, value: toJson(value) }];
  });
}

function defineTable(holder: TomlTable, key: string): TomlTable {
  const table: TomlTable = {};
  define(holder, key, table);
  return table;
}

/** Sets a key as data, even one named `__proto__`. */
function define(holder: TomlTable, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, writable: true, configurable: true });
}

function valueAt(table: TomlTable, path: KeyPath): unknown {
  let value: unknown = table;
  for (const part of path) {
    if (!isTable(value) || !Object.hasOwn(value, part)) return undefined;
    value = value[part];
  }
  return value;
}

function startsWith(path: KeyPath, prefix: KeyPath): boolean {
  return prefix.every((part, index) => path[index] === part);
}

function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
