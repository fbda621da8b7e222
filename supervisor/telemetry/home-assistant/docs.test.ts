import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { commandNames, parseCommand } from '../command.ts';
import { inventoryOf } from '../inventory.ts';
import { cameraStatus, hubStatus } from '../status.fixture.ts';
import { topicsOf } from '../topics.ts';
import { discoveryDocument, discoveryInput } from './discovery.ts';

const read = (name: string) => readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const entityIds = [hubStatus(), cameraStatus()].flatMap((status) => {
  const topics = topicsOf(status.device.id, 'homeassistant');
  const { components } = discoveryDocument(discoveryInput(status, inventoryOf(status)), topics, 60);
  return Object.values(components).map((component) => String(component.default_entity_id));
});

test('every entity of the dashboard exists', async () => {
  const text = await read('home-assistant-dashboard.yaml');
  const used = text.match(/\b(?:binary_sensor|button|image|select|sensor|switch|update)\.[a-z0-9_]+/g) ?? [];
  const services = new Set(['button.press']);
  expect(used.length).toBeGreaterThan(25);
  expect(used.filter((id) => !entityIds.includes(id) && !services.has(id))).toEqual([]);
});

describe('docs/home-assistant.md', () => {
  test('every command and its JSON are legal', async () => {
    const text = await read('home-assistant.md');
    const rows = [...text.matchAll(/^\| ((?:`[a-z]+`(?:, )?)+) \| .* \| `(\{.*\})` \|$/gm)];
    const documented = rows.flatMap(([, names = '', json = '']) =>
      names.split(', ').map((name) => ({ name: name.replaceAll('`', ''), json })),
    );
    expect(new Set(documented.map(({ name }) => name))).toEqual(new Set(commandNames));
    for (const { name, json } of documented) expect(parseCommand(name, Buffer.from(json)).name).toBe(name);
  });

  test('names every entity of the hub that is not one of several', async () => {
    const text = (await read('home-assistant.md')).toLowerCase();
    const status = hubStatus();
    const topics = topicsOf(status.device.id, 'homeassistant');
    const { components } = discoveryDocument(discoveryInput(status, inventoryOf(status)), topics, 60);
    const single = Object.entries(components).filter(([key]) => !/^(feed|disk|network|camera)_/.test(key));
    const missing = single
      .map(([, { name }]) => String(name))
      .filter((name) => !text.includes(name.toLowerCase()));
    expect(missing).toEqual([]);
  });
});
