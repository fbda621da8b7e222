import { expect, test } from 'vitest';
import { apiMarkdown } from './api-page.ts';
import { type RouteDefinition, routes } from './index.ts';

test('the API page has every route once, with who may use it', () => {
  const rows = apiMarkdown()
    .split('\n')
    .filter((line) => /^\| `/.test(line));
  expect(rows).toHaveLength(Object.keys(routes).length);
  for (const { method, path, access, websocket } of Object.values<RouteDefinition>(routes)) {
    const word = websocket === true ? 'WS' : method;
    const found = rows.filter((row) => row.startsWith(`| \`${word} ${path}\` |`));
    expect(found, `${word} ${path}`).toHaveLength(1);
    expect(found[0]).toContain(`| ${access.join(', ')} |`);
  }
});
