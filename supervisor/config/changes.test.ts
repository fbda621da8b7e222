import { expect, it } from 'vitest';
import { changesBetween } from './changes.ts';
import { configSchema } from './schema.ts';

const source = { id: 'cam0', kind: 'test' };

it.each([
  [{}, {}, []],
  [{}, { role: 'auto' }, []],
  [{ role: 'hub' }, { role: 'camera' }, ['role']],
  [{}, { mqtt: { url: 'auto' } }, ['mqtt.url']],
  [{ name: 'a' }, {}, ['name']],
  [{}, { source: [source] }, ['source']],
  [{ source: [source] }, { source: [{ ...source, fps: 25 }] }, ['source[cam0].fps']],
  [{ source: [source] }, { source: [{ ...source, label: 'x' }] }, ['source[cam0].label']],
  [
    { source: [source, { id: 'b', kind: 'test' }] },
    { source: [{ id: 'b', kind: 'test', record: false }, source] },
    ['source[b].record'],
  ],
  [
    { source: [{ id: 'a', kind: 'v4l2', controls: { gain: 1 } }] },
    { source: [{ id: 'a', kind: 'v4l2', controls: { gain: 2 } }] },
    ['source[a].controls.gain'],
  ],
  [{}, { http: { listen: ['::1'] }, log: { level: 'warn' } }, ['http.listen', 'log.level']],
])('from %j to %j', (before, after, keys) => {
  const changes = changesBetween(configSchema.parse(before), configSchema.parse(after));
  expect([...changes.keys].sort()).toEqual([...keys].sort());
});
