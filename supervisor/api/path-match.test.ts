import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchPath, pathPattern } from './path-match.ts';

it.each([
  ['/ws/feeds/:feed', '/ws/feeds/cam0', { feed: 'cam0' }],
  ['/ws/feeds/:feed', '/ws/feeds/cam0/', { feed: 'cam0' }],
  ['/ws/feeds/:feed', '/ws/feeds/a%20b', { feed: 'a b' }],
  ['/ws/feeds/:feed', '/ws/feeds/%', null],
  ['/ws/feeds/:feed', '/ws/feeds/', null],
  ['/ws/feeds/:feed', '/ws/feeds/a/b', null],
  ['/stream/:feed.mjpg', '/stream/cam0.mjpg', { feed: 'cam0' }],
  ['/stream/:feed.mjpg', '/stream/cam0xmjpg', null],
  ['/stream/:feed.mjpg', '/stream/cam0.jpg', null],
  ['/ws/agent', '/ws/agent', {}],
  ['/ws/agent', '/ws/agents', null],
])('%s and %s', (pattern, path, expected) => {
  expect(matchPath(pathPattern(pattern), path)).toEqual(expected);
});

it('never throws, whatever the path', () => {
  const pattern = pathPattern('/a/:b/c.:d');
  fc.assert(
    fc.property(
      fc.webPath(),
      fc.string(),
      (path, any) => void [matchPath(pattern, path), matchPath(pattern, any)],
    ),
  );
});
