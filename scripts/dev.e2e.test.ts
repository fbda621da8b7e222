import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Status } from '../supervisor/contract/index.ts';
import { root, startAppliance } from './testing/appliance-process.ts';
import { isSource } from './watch-sources.mjs';

test('npm run dev restarts the appliance when a source file of any process changes, and ends with Ctrl-C', async () => {
  await using appliance = await startAppliance({ command: ['npm', 'run', 'dev', '--silent'] });
  const startOf = async () => (await appliance.get<Status>('/api/status')).device.startedAt;
  let before = await appliance.until('the first start', startOf, 60_000);

  for (const file of ['supervisor/status/status-composer.ts', 'media/sfu/feed.ts']) {
    const now = new Date();
    await utimes(join(root, file), now, now);
    before = await appliance.until(
      `a start after ${file}`,
      async () => {
        const started = await startOf().catch(() => before);
        return started === before ? null : started;
      },
      60_000,
    );
    expect(appliance.output()).toContain(`${file} changed`);
  }
  expect((await appliance.stop()).killed).toBe(false);
});

test('a change of a test or of a build result restarts nothing', () => {
  expect(
    ['app/reconciler.ts', 'web/src/main.tsx', 'datapath/native/src/loop.cc', 'web/src/app/app.css'].map(
      isSource,
    ),
  ).toEqual([true, true, true, true]);
  expect(
    ['app/reconciler.test.ts', 'web/dist/index.html', 'platform/gpio.fake.ts', 'README.md'].map(isSource),
  ).toEqual([false, false, false, false]);
});
