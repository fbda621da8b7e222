import { expect, test } from 'vitest';
import type { ConfigView } from '../../../contract/index.ts';
import { outputFixture, statusFixture } from '../../testing/fixture.ts';
import {
  editsOf,
  entryOf,
  feedChoices,
  flowNote,
  formOf,
  outputNote,
  withChangedOutput,
  withOutput,
  withOutputSwitched,
  withoutOutput,
} from './output-view.ts';

const cloud = {
  id: 'cloud',
  label: 'Cloud',
  feed: 'cam0',
  url: 'https://a/whip',
  token: 'not shown',
  tls_fingerprint: 'aa',
  ca_file: 'ca.pem',
};
const config: ConfigView = { file: 'f', values: { output: [cloud] }, overrides: {}, errors: [] };
const form = { label: ' Cloud ', feed: '*', url: ' https://b/{feed} ', token: '', fingerprint: '' };

test('a new output has a unique id and no empty fields', () => {
  expect(withOutput(config, form)).toEqual({
    output: [cloud, { id: 'cloud-2', label: 'Cloud', feed: '*', url: 'https://b/{feed}' }],
  });
  expect(withOutput(config, { ...form, token: 'tok', fingerprint: 'bb' }).output[1]).toMatchObject({
    token: 'tok',
    tls_fingerprint: 'bb',
  });
});

test('a change keeps the hidden token and what the form does not have', () => {
  expect(withChangedOutput(config, 'cloud', editsOf(cloud), form).output).toEqual([
    {
      id: 'cloud',
      label: 'Cloud',
      feed: '*',
      url: 'https://b/{feed}',
      token: 'not shown',
      ca_file: 'ca.pem',
    },
  ]);
  expect(
    withChangedOutput(config, 'cloud', editsOf(cloud), { ...form, token: 'new' }).output[0],
  ).toMatchObject({
    token: 'new',
  });
  expect(withOutputSwitched(config, 'cloud', false).output).toEqual([{ ...cloud, enabled: false }]);
  expect(withoutOutput(config, 'cloud').output).toEqual([]);
  expect(entryOf(null, cloud)).toBeNull();
});

test('keeps what another page changed meanwhile, and asks again if that was the same field', () => {
  const edits = editsOf(cloud);
  const shown = formOf(cloud);
  const now = (entry: object) => ({ ...config, values: { output: [{ ...cloud, ...entry }] } });
  const saved = (entry: object, changes: Partial<typeof shown>) =>
    withChangedOutput(now(entry), 'cloud', edits, { ...shown, ...changes }).output[0];
  expect(saved({ label: 'Main', feed: '*' }, { url: 'https://b/whip' })).toEqual({
    ...cloud,
    label: 'Main',
    feed: '*',
    url: 'https://b/whip',
  });
  const both = () =>
    saved({ label: 'Main', url: 'https://c/whip' }, { label: 'Stage', url: 'https://c/whip' });
  expect(both).toThrow(
    'Not saved: someone else changed it meanwhile, and the name is now “Main”. Save again to replace that.',
  );
  expect(both()).toEqual({ ...cloud, label: 'Stage', url: 'https://c/whip' });
  const gone = { ...config, values: { output: [] } };
  expect(() => withChangedOutput(gone, 'cloud', edits, shown)).toThrow('someone else removed this output');
});

test('the choice of feeds includes the configured one, even while it is away', () => {
  const status = statusFixture();
  expect(feedChoices(status, null).map(({ value }) => value)).toEqual(['cam0', '*']);
  expect(feedChoices(status, 'gone')).toContainEqual({ value: 'gone', text: 'gone (not there now)' });
  expect(feedChoices(status, '*').filter(({ value }) => value === '*')).toHaveLength(1);
});

test('a row shows what goes where, how much and since when', () => {
  const output = outputFixture();
  const nowMs = Date.parse(output.since) + 185_000;
  expect(outputNote(statusFixture(), output, nowMs)).toBe(
    'Test picture to https://live.example.com, 3.1 Mbit/s, for 3 min',
  );
  const off = outputFixture({ state: 'off', feed: '*' });
  expect(outputNote(statusFixture(), off, nowMs)).toBe('Every feed to https://live.example.com');
  const [flow] = output.flows;
  if (flow === undefined) throw new Error('no flow');
  expect(flowNote(flow)).toBe('3.1 Mbit/s');
  expect(flowNote({ ...flow, state: 'failed', reason: 'Refused.' })).toBe('Refused.');
  expect(flowNote({ ...flow, state: 'connecting', reason: null })).toBe('connecting');
});
