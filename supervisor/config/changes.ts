import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '../../common/record.ts';
import { formatKeyPath, type KeyPath } from './key-path.ts';
import type { ConfigFile } from './schema.ts';

/** What differs between two configs. */
export interface ConfigChanges {
  /** Paths of the settings that differ; `source[cam0].fps` for a source that both have. */
  readonly keys: readonly string[];
}

/** Compares two configs field by field. Elements of lists with ids are compared by id. */
export function changesBetween(before: ConfigFile, after: ConfigFile): ConfigChanges {
  const keys: string[] = [];
  compare(before, after, [], (path, shown) => keys.push(shown === '' ? formatKeyPath(path) : shown));
  return { keys };
}

type Report = (path: KeyPath, shown: string) => void;

function compare(before: unknown, after: unknown, path: KeyPath, report: Report, shown = ''): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isRecord(before) && isRecord(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const name = shown === '' ? key : `${shown}.${key}`;
      compare(before[key], after[key], [...path, key], report, name);
    }
    return;
  }
  const olds = byId(before);
  const news = byId(after);
  if (olds === undefined || news === undefined || !sameIds(olds, news)) {
    report(path, shown);
    return;
  }
  for (const [index, [id, item]] of [...news].entries()) {
    compare(olds.get(id), item, [...path, index], report, `${shown}[${id}]`);
  }
}

/** Elements by id, if each has one and they are of the same kind as before. */
function byId(value: unknown): Map<string, unknown> | undefined {
  if (!Array.isArray(value)) return undefined;
  const result = new Map<string, unknown>();
  for (const item of value) {
    if (!isRecord(item) || typeof item.id !== 'string') return undefined;
    result.set(item.id, item);
  }
  return result;
}

function sameIds(a: Map<string, unknown>, b: Map<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((id) => b.has(id));
}
