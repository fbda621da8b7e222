import { expect, test } from 'vitest';
import type { SourceStatus } from '../contract/index.ts';
import { withUnplugged } from './source-status.ts';

const running: SourceStatus = {
  ...{ id: 'cam0', kind: 'v4l2', label: 'Stage left', state: 'running', reason: null },
  ...{ restarts: 0, droppedFrames: null, encoder: null },
};

test('reports a pulled camera with the reason, once', () => {
  const pulled = { id: 'usb-2', label: 'Stage right', feed: 'cam1' };
  expect(withUnplugged([running], [pulled])).toMatchObject([
    { id: 'cam0', state: 'running' },
    { id: 'cam1', label: 'Stage right', state: 'waiting', reason: 'Stage right was unplugged.' },
  ]);
  expect(withUnplugged([running], [{ ...pulled, feed: 'cam0' }])).toEqual([running]);
});
