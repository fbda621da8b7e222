import { expect, it } from 'vitest';
import { changesBetween } from './changes.ts';
import { configSchema } from './schema.ts';

const source = { id: 'cam0', kind: 'test' };

it.each([
  [{}, {}, [], []],
  [{}, { role: 'auto' }, [], []],
  [{ role: 'hub' }, { role: 'camera' }, ['role'], ['appliance']],
  [{}, { mqtt: { url: 'auto' } }, ['mqtt.url'], ['mqtt']],
  [{ name: 'a' }, {}, ['name'], ['network', 'discovery', 'mqtt', 'http']],
  [{}, { source: [source] }, ['source'], ['pipelines', 'media']],
  [{ source: [source] }, { source: [{ ...source, fps: 25 }] }, ['source[cam0].fps'], ['pipelines']],
  [{ source: [source] }, { source: [{ ...source, label: 'x' }] }, ['source[cam0].label'], []],
  [
    { source: [source, { id: 'b', kind: 'test' }] },
    { source: [{ id: 'b', kind: 'test', record: false }, source] },
    ['source[b].record'],
    ['masters'],
  ],
  [
    { source: [{ id: 'a', kind: 'v4l2', controls: { gain: 1 } }] },
    { source: [{ id: 'a', kind: 'v4l2', controls: { gain: 2 } }] },
    ['source[a].controls.gain'],
    ['pipelines'],
  ],
  [{}, { http: { listen: ['::1'] }, log: { level: 'warn' } }, ['http.listen', 'log.level'], ['http', 'log']],
])('from %j to %j', (before, after, keys, restarts) => {
  const changes = changesBetween(configSchema.parse(before), configSchema.parse(after));
  expect([...changes.keys].sort()).toEqual([...keys].sort());
  expect([...changes.restarts].sort()).toEqual([...restarts].sort());
});
