/** A route's path as a regular expression with named groups: `/stream/:feed.jpg`, `/ws/feeds/:feed`. */
export function pathPattern(path: string): RegExp {
  const text = path
    .split(/(:\w+)/)
    .map((part) =>
      part.startsWith(':') ? `(?<${part.slice(1)}>[^/]+)` : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${text}/?$`);
}

/** The decoded parameters of a matching path; null if it does not match. */
export function matchPath(pattern: RegExp, path: string): Record<string, string> | null {
  const groups = pattern.exec(path)?.groups;
  if (groups === undefined) return pattern.test(path) ? {} : null;
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return null; // not percent-encoding: no route of ours has such a path
  }
}
