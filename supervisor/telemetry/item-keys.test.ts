import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inventoryOf } from './inventory.ts';
import { keyedDisks, keyedNetworks } from './item-keys.ts';
import { statePayload } from './state-payload.ts';
import { hubStatus } from './status.fixture.ts';

const disk = (label: string, mount: string, freeBytes = 1e9) => ({
  ...{ label, mount, freeBytes, totalBytes: 2e9, wearPercent: null },
});
const network = (name: string) => ({ name, addresses: [], rxKbps: 0, txKbps: 0, wifiSignalDbm: null });

test.each([
  ['in other scripts', [disk('Диск', '/media/a'), disk('写真', '/media/b'), disk('', '/')]],
  ['that differ by a sign', [disk('My SSD', '/media/a'), disk('My-SSD', '/media/b')]],
  ['of one label', [disk('SSD', '/media/a'), disk('SSD', '/media/b')]],
])('disks %s each have separate entities and figures', (_, disks) => {
  const sized = disks.map((one, index) => ({ ...one, freeBytes: (index + 1) * 1e9 }));
  const status = hubStatus({ host: { ...hubStatus().host, disks: sized } });
  const items = inventoryOf(status).disks;
  expect(items).toHaveLength(disks.length);
  expect(new Set(items.map(({ label }) => label)).size).toBe(disks.length);
  const state = statePayload(status).host.disks;
  expect(Object.keys(state).sort()).toEqual(items.map(({ key }) => key));
  for (const { key, item } of keyedDisks(sized)) expect(state[key]?.free_gb).toBe(item.freeBytes / 1e9);
});

test('a disk in another script keeps its key whatever else is plugged in', () => {
  const alone = keyedDisks([disk('Диск', '/media/a')])[0]?.key;
  const beside = keyedDisks([disk('写真', '/media/b'), disk('Диск', '/media/a'), disk('', '/')]);
  expect(beside.find(({ item }) => item.label === 'Диск')?.key).toBe(alone);
});

test('usual names keep the keys they have in Home Assistant', () => {
  expect(
    keyedDisks([disk('My SSD', '/m'), disk('data', '/data'), disk('', '/')]).map(({ key }) => key),
  ).toEqual(['root', 'my_ssd', 'data']);
  expect(keyedNetworks([network('lo'), network('eth0.10')]).map(({ key }) => key)).toEqual(['eth0_10']);
});

test('no two networks share a key, whatever their names', () => {
  const names = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), { maxLength: 8 });
  fc.assert(
    fc.property(names, (list) => {
      const keys = keyedNetworks(list.map(network)).map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(keys.every((key) => /^[a-z0-9]+(_[a-z0-9]+)*$/.test(key))).toBe(true);
    }),
  );
});
