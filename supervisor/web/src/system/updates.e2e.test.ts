import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../../contract/index.ts';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { picture, usePages } from '../../testing/browser.ts';
import { statusFixture } from '../../testing/fixture.ts';
import {
  hubMemberFixture,
  memberFixture,
  rolloutFixture,
  updateFixture,
} from '../../testing/rollout-fixture.ts';

const pages = usePages();

const halted = rolloutFixture({
  phase: 'halted',
  version: '1.3.0',
  startedAt: '2026-11-22T11:30:00.000Z',
  canary: 'a1b2c3',
  reason: 'the canary stage-left failed: no frames from cam0',
  members: [
    memberFixture({ state: 'failed', reason: 'no frames from cam0' }),
    memberFixture({ id: 'b2', name: 'stage-right', state: 'waiting' }),
    memberFixture({ id: 'c3', name: 'wide', state: 'waiting', online: false }),
    hubMemberFixture({ state: 'waiting' }),
  ],
});
const running = rolloutFixture({
  phase: 'running',
  version: '1.3.0',
  canary: 'a1b2c3',
  members: [
    memberFixture({ state: 'done', installedVersion: '1.3.0' }),
    memberFixture({ id: 'b2', name: 'stage-right', state: 'updating', busy: true, progressPercent: 42 }),
    memberFixture({ id: 'c3', name: 'wide', state: 'waiting' }),
    hubMemberFixture({ state: 'waiting' }),
  ],
});
const rolledBack = updateFixture({
  state: 'rolled-back',
  reason: 'no frames from cam0',
  lastAttempt: {
    version: '1.3.0',
    at: '2026-11-22T11:30:00.000Z',
    outcome: 'rolled-back',
    reason: 'no frames from cam0',
    stages: [
      { name: 'install', at: '2026-11-22T11:31:00.000Z', ok: true, detail: null },
      { name: 'health', at: '2026-11-22T11:36:00.000Z', ok: false, detail: 'no frames from cam0' },
    ],
  },
});

async function visit(
  status: Partial<Status>,
  look: (page: Page, appliance: FakeAppliance) => Promise<void>,
  viewport = { width: 1440, height: 900 },
): Promise<void> {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture(status);
  const context = await pages.browser.newContext({ viewport });
  const page = await context.newPage();
  try {
    await page.goto(`${await appliance.listen()}/#/system`);
    await page.locator('[data-testid="update"]').waitFor({ timeout: 30_000 });
    await look(page, appliance);
  } finally {
    await context.close();
  }
}

describe('updates on the page', { timeout: 120_000 }, () => {
  test('a rollout starts with the chosen camera and shows its progress', async () => {
    await visit({ rollout: rolloutFixture(), update: updateFixture() }, async (page, appliance) => {
      await page.screenshot({ path: picture('updates-available'), fullPage: true });
      await page.getByTestId('canary').selectOption('c3');
      await page.getByRole('button', { name: 'Update all to 1.3.0' }).click();
      await expect.poll(() => appliance.asked).toEqual(['POST /api/rollout {"canary":"c3"}']);
      appliance.publish({ type: 'rollout', rollout: running });
      await page.getByText('Version 1.3.0: 1 of 4 machines updated.').waitFor();
      await page.getByText('updating, 42 %').waitFor();
      await page.screenshot({ path: picture('updates-running'), fullPage: true });
      await page.getByRole('button', { name: 'Pause' }).click();
      await expect.poll(() => appliance.asked.at(-1)).toBe('POST /api/rollout/pause');
    });
  });

  test('a halt says why and what can be done', async () => {
    await visit({ rollout: halted, update: updateFixture() }, async (page, appliance) => {
      await page.getByText('the canary stage-left failed: no frames from cam0').waitFor();
      await page.getByTestId('canary').selectOption('b2');
      await expect.poll(() => appliance.asked.at(-1)).toBe('PUT /api/rollout/canary {"camera":"b2"}');
      await page.getByRole('button', { name: 'Try again' }).click();
      await expect.poll(() => appliance.asked.at(-1)).toBe('POST /api/rollout/resume');
    });
  });

  test('one camera alone, this machine alone, and a rollback that takes two presses', async () => {
    await visit({ rollout: rolloutFixture(), update: rolledBack }, async (page, appliance) => {
      await page.locator('[data-member="b2"]').getByRole('button', { name: 'Update this one alone' }).click();
      await expect.poll(() => appliance.asked.at(-1)).toBe('POST /api/rollout/cameras/b2/install');
      await page.getByRole('button', { name: 'Install 1.3.0' }).click();
      await expect.poll(() => appliance.asked.at(-1)).toBe('POST /api/update/install {}');
      await page.getByRole('button', { name: 'Go back to 1.1.0' }).click();
      expect(appliance.asked.at(-1)).toBe('POST /api/update/install {}');
      await page.getByText('restarts into 1.1.0').waitFor();
      await page.getByRole('button', { name: 'Go back to 1.1.0' }).click();
      await expect.poll(() => appliance.asked.at(-1)).toBe('POST /api/update/rollback');
    });
  });

  test('a check for an update says that there is none', async () => {
    const newest = updateFixture({ latestVersion: '1.2.0', releaseNotes: null });
    await visit({ rollout: null, update: newest }, async (page, appliance) => {
      await page.getByRole('button', { name: 'Check for updates' }).click();
      await page.getByText(`${newest.installedVersion} is the newest version.`).waitFor();
      expect(appliance.asked).toEqual(['POST /api/update/check']);
    });
  });

  test('fits a phone', async () => {
    const phone = { width: 360, height: 740 };
    for (const [name, rollout] of Object.entries({ halted, running })) {
      await visit(
        { rollout, update: rolledBack },
        async (page) => {
          await page.locator('details.fold').evaluateAll((folds) => {
            for (const fold of folds) fold.setAttribute('open', '');
          });
          const tooWide = await page.evaluate(() => {
            const { scrollWidth, clientWidth } = document.querySelector('.page') ?? document.body;
            return scrollWidth - clientWidth;
          });
          expect(tooWide).toBeLessThanOrEqual(0);
          const small = await page
            .locator('[data-testid="system"] :is(button, select, summary)')
            .evaluateAll((found) => found.filter((one) => one.getBoundingClientRect().height < 44).length);
          expect(small).toBe(0);
          await page.getByTestId('rollout').scrollIntoViewIfNeeded();
          await page.screenshot({ path: picture(`updates-${name}-phone`) });
          await page.getByTestId('update').scrollIntoViewIfNeeded();
          await page.screenshot({ path: picture(`updates-${name}-phone-2`) });
        },
        phone,
      );
    }
  });

  test('a camera shows its own update alone', async () => {
    await visit({ rollout: null, update: updateFixture() }, async (page) => {
      expect(await page.getByTestId('rollout').count()).toBe(0);
    });
  });
});
