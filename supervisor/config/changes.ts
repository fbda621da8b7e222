import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { RestartScope } from '../../common/setting-field.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';
import { schemaAt } from './known-keys.ts';
import { type ConfigFile, configSchema } from './schema.ts';

export interface ConfigChanges {
  /** The settings that differ, `source[cam0].fps` for one of a source that stayed. */
  readonly keys: readonly string[];
  /** What has to start anew for them. */
  readonly restarts: ReadonlySet<RestartScope>;
}

/** Compares two configs field by field. Elements of lists that have ids are compared with their namesake. */
export function changesBetween(before: ConfigFile, after: ConfigFile): ConfigChanges {
  const keys: string[] = [];
  const restarts = new Set<RestartScope>();
  compare(before, after, [], (path, shown) => {
    keys.push(shown);
    for (const scope of restartsOf(path, after) ?? restartsOf(path, before) ?? []) restarts.add(scope);
  });
  return { keys, restarts };
}

type Report = (path: KeyPath, shown: string) => void;

function compare(before: unknown, after: unknown, path: KeyPath, report: Report, shown = ''): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isTable(before) && isTable(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const name = shown === '' ? key : `${shown}.${key}`;
      compare(before[key], after[key], [...path, key], report, name);
    }
    return;
  }
  const olds = byId(before);
  const news = byId(after);
  if (olds === undefined || news === undefined || !sameIds(olds, news)) {
    report(path, shown === '' ? formatKeyPath(path) : shown);
    return;
  }
  for (const [index, [id, item]] of [...news].entries()) {
    compare(olds.get(id), item, [...path, index], report, `${shown}[${id}]`);
  }
}

/** Elements by id, where each has one and they are of the kind they were. */
function byId(value: unknown): Map<string, unknown> | undefined {
  if (!Array.isArray(value)) return undefined;
  const result = new Map<string, unknown>();
  for (const item of value) {
    if (!isTable(item) || typeof item.id !== 'string') return undefined;
    result.set(item.id, item);
  }
  return result;
}

function sameIds(a: Map<string, unknown>, b: Map<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((id) => b.has(id));
}

function restartsOf(path: KeyPath, value: unknown): readonly RestartScope[] | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const restarts = metaAt(path.slice(0, length), value);
    if (restarts !== undefined) return restarts;
  }
  return undefined;
}

/** What the field at a path says of itself; a table says nothing. */
function metaAt(path: KeyPath, value: unknown): readonly RestartScope[] | undefined {
  const holder = schemaAt(configSchema, path.slice(0, -1), value);
  if (!(holder instanceof z.ZodObject)) return undefined;
  const member: z.core.$ZodType | undefined = holder.shape[path.at(-1) ?? ''];
  return member === undefined ? undefined : z.globalRegistry.get(member)?.restarts;
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
