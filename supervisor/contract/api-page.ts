import { routes as allRoutes } from './index.ts';
import type { RouteDefinition } from './route.ts';
import { accessRoutes } from './routes/access.ts';
import { camerasRoutes } from './routes/cameras.ts';
import { devicesRoutes } from './routes/devices.ts';
import { feedsRoutes } from './routes/feeds.ts';
import { machineRoutes } from './routes/machine.ts';
import { mqttRoutes } from './routes/mqtt.ts';
import { signalingRoutes } from './routes/signaling.ts';
import { takesRoutes } from './routes/takes.ts';
import { updatesRoutes } from './routes/updates.ts';

const groups: readonly (readonly [title: string, routes: Readonly<Record<string, RouteDefinition>>])[] = [
  ['Publish and view', signalingRoutes],
  ['Feeds and pictures', feedsRoutes],
  ['Plugged-in cameras', devicesRoutes],
  ['Takes', takesRoutes],
  ['Hub and cameras', camerasRoutes],
  ['Status, settings, system', machineRoutes],
  ['MQTT', mqttRoutes],
  ['Updates', updatesRoutes],
  ['Keys and sessions', accessRoutes],
];

const intro = `<!-- Generated from supervisor/contract/routes by supervisor/config/generate-docs.ts. -->

# API

Every appliance describes its API at \`/openapi.json\`, with all fields of requests and answers. This page lists the routes.

## Keys

Send the key as \`Authorization: Bearer <key>\`, over HTTPS. On \`/stream\`, \`/whep\`, \`/whip\` and \`/ws/feeds\`, players may also send it as the password of
any user. A browser trades its key for a cookie. The last column says which role a key needs; an operator may do what a viewer may, and an owner
everything. \`public\` needs no key, and neither does anything on an appliance that listens on loopback alone.

## Errors

Errors are RFC 9457 problem documents (\`application/problem+json\`):

\`\`\`json
{ "type": "about:blank", "title": "Not found", "status": 404, "detail": "…", "instance": "/api/feeds/none", "code": "FEED_UNKNOWN" }
\`\`\`

Decide by \`code\`. \`detail\` and, where there is one, \`hint\` are for people: what happened, and what to do. A 503 has \`Retry-After\`.

## Changes as they happen

\`GET /api/events\` is a stream of server-sent events: first the whole status, then each change. \`GET /api/status\` is the same status once.
`;

/** Those that no group has yet. */
function others(): Readonly<Record<string, RouteDefinition>> {
  const grouped = new Set(groups.flatMap(([, routes]) => Object.keys(routes)));
  return Object.fromEntries(Object.entries<RouteDefinition>(allRoutes).filter(([id]) => !grouped.has(id)));
}

/** docs/reference/api.md */
export function apiMarkdown(): string {
  const all = [...groups, ['More', others()] as const].filter(([, routes]) => Object.keys(routes).length > 0);
  const tables = all.map(([title, routes]) =>
    [
      `## ${title}`,
      '',
      '| route | what it does | for |',
      '| --- | --- | --- |',
      ...Object.values(routes).map(
        ({ method, path, summary, access, websocket }) =>
          `| \`${websocket === true ? 'WS' : method} ${path}\` | ${summary.replaceAll('|', '\\|')} | ${access.join(', ')} |`,
      ),
    ].join('\n'),
  );
  return `${[intro.trim(), ...tables].join('\n\n')}\n`;
}
