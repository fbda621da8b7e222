import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { commandNames, parseCommand } from '../command.ts';
import { cameraEvents, refusalEvents, takeEvents } from '../events.ts';
import { inventoryOf } from '../inventory.ts';
import { cameraStatus, hubStatus } from '../status.fixture.ts';
import { topicsOf } from '../topics.ts';
import { discoveryDocument, discoveryInput } from './discovery.ts';

const read = (name: string) => readFile(new URL(`../../../docs/use/${name}`, import.meta.url), 'utf8');
const entityIds = [hubStatus(), cameraStatus()].flatMap((status) => {
  const topics = topicsOf(status.device.id, 'homeassistant');
  const { components } = discoveryDocument(discoveryInput(status, inventoryOf(status)), topics, 60);
  return Object.values(components).map((component) => String(component.default_entity_id));
});

test('every entity of the dashboard exists', async () => {
  const text = await read('home-assistant-dashboard.yaml');
  const used =
    text.match(/\b(?:binary_sensor|button|camera|event|image|select|sensor|switch|update)\.[a-z0-9_]+/g) ??
    [];
  const services = new Set(['button.press']);
  expect(used.length).toBeGreaterThan(25);
  expect(used.filter((id) => !entityIds.includes(id) && !services.has(id))).toEqual([]);
});

const blueprints = (await readdir(new URL('../../../docs/use/blueprints/', import.meta.url))).sort();

describe.each(blueprints)('docs/use/blueprints/%s', (name) => {
  test('is valid YAML and uses exactly the inputs it declares', async () => {
    const text = await read(`blueprints/${name}`);
    const tag = { tag: '!input', resolve: (value: string) => `input ${value}` };
    const document = parseDocument(text, { customTags: [tag] });
    expect(document.errors).toEqual([]);
    const { blueprint, triggers, actions } = document.toJS();
    expect(blueprint).toMatchObject({ domain: 'automation', name: expect.stringMatching(/^Rushlight: /) });
    expect(triggers.length * actions.length).toBeGreaterThan(0);
    const used = new Set([...text.matchAll(/!input (\w+)/g)].map(([, input]) => input));
    expect([...used].sort()).toEqual(Object.keys(blueprint.input).sort());
  });

  test('names only existing entities and events', async () => {
    const text = await read(`blueprints/${name}`);
    const endings = [...text.matchAll(/(?:event|sensor|switch)\.…(_[a-z_]+)/g)].map(
      ([, ending = '']) => ending,
    );
    for (const ending of endings)
      expect(
        entityIds.some((id) => id.endsWith(ending)),
        ending,
      ).toBe(true);
    const types: readonly string[] = [...takeEvents, ...cameraEvents, ...refusalEvents];
    const [, list = ''] = /event_type in \[([^\]]*)\]/.exec(text) ?? [];
    const named = [...list.matchAll(/'(\w+)'/g)].map(([, type = '']) => type);
    expect(named.filter((type) => !types.includes(type))).toEqual([]);
  });
});

describe('docs/use/home-assistant.md', () => {
  test('every command and its JSON are legal', async () => {
    const text = await read('home-assistant.md');
    const rows = [...text.matchAll(/^\| ((?:`[a-z]+`(?:, )?)+) \| .* \| `(\{.*\})` \|$/gm)];
    const documented = rows.flatMap(([, names = '', json = '']) =>
      names.split(', ').map((name) => ({ name: name.replaceAll('`', ''), json })),
    );
    expect(new Set(documented.map(({ name }) => name))).toEqual(new Set(commandNames));
    for (const { name, json } of documented) expect(parseCommand(name, Buffer.from(json)).name).toBe(name);
  });

  test('names every entity of the hub that exists once', async () => {
    const text = (await read('home-assistant.md')).toLowerCase();
    const status = hubStatus();
    const topics = topicsOf(status.device.id, 'homeassistant');
    const { components } = discoveryDocument(discoveryInput(status, inventoryOf(status)), topics, 60);
    const single = Object.entries(components).filter(
      ([key]) => !/^(feed|disk|network|camera|output|adjust)_/.test(key),
    );
    const missing = single
      .map(([, { name }]) => String(name))
      .filter((name) => !text.includes(name.toLowerCase()));
    expect(missing).toEqual([]);
  });
});
