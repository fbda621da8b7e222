/** Where a setting is: `['source', 0, 'fps']`. */
export type KeyPath = readonly (string | number)[];

/** `source[0].fps`; keys that TOML would quote are quoted. */
export function formatKeyPath(path: KeyPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}
