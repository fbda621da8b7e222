import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Status } from '../../../contract/index.ts';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { usePages } from '../../testing/browser.ts';
import {
  cameraFixture,
  feedFixture,
  sourceFixture,
  statusFixture,
  takeCameraFixture,
  takeFixture,
} from '../../testing/fixture.ts';

const pages = usePages();

const visit = async (status: Status, hash = ''): Promise<{ appliance: FakeAppliance; page: Page }> => {
  const appliance = new FakeAppliance(pages.folder);
  appliance.status = status;
  const page = await (await pages.browser.newContext()).newPage();
  await page.goto(`${await appliance.listen()}/${hash}`);
  await page.locator('[data-testid="record"]').waitFor();
  return { appliance, page };
};

const chips = (page: Page) => page.locator('.chip').allTextContents();

/** One of the page's colours, as the browser resolves it. */
const colourOf = (page: Page, name: string): Promise<string> =>
  page.evaluate((variable) => {
    const probe = document.createElement('i');
    probe.style.color = `var(${variable})`;
    document.body.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }, name);

test('a single ready camera appears once, with its rate; several have a chip each', async () => {
  const { appliance, page } = await visit(statusFixture());
  await using _appliance = appliance;
  expect(await chips(page)).toEqual([]);
  expect(await page.locator('.record-text').textContent()).toContain('30 fps');
  const stage = { id: 'stage', label: 'Stage' };
  appliance.update({
    sources: [sourceFixture(), sourceFixture(stage)],
    feeds: [feedFixture(), feedFixture({ ...stage, fps: 25 })],
  });
  await expect.poll(() => chips(page)).toEqual(['Test picture ready30 fps', 'Stage ready25 fps']);
  await page.context().close();
}, 60_000);

test('a camera that sends far fewer frames than requested is not shown as ready', async () => {
  const reason = 'The camera sends 3 of the 30 frames a second that were asked for.';
  const { appliance, page } = await visit(statusFixture({ sources: [sourceFixture({ reason })] }));
  await using _appliance = appliance;
  const [chip] = await chips(page);
  expect(chip).toContain(`Test picture not ready${reason}`);
  await page.context().close();
}, 60_000);

test('no camera appears ready while the connection is lost', async () => {
  const { appliance, page } = await visit(statusFixture({ cameras: [cameraFixture()] }));
  await using _appliance = appliance;
  const colours = () =>
    page.locator('.chip-dot').evaluateAll((dots) => dots.map((dot) => getComputedStyle(dot).backgroundColor));
  const ok = await colourOf(page, '--ok');
  await expect.poll(colours).toEqual([ok, ok]);
  await appliance.stop();
  await page.locator('[data-testid="connection-lost"]').waitFor({ timeout: 30_000 });
  expect(await colours()).not.toContain(ok);
  expect(await chips(page)).toEqual(['Test picture was ready30 fps', 'stage-left was ready']);
  await page.context().close();
}, 60_000);

test('shows progress and remaining time while finishing, if the appliance reports them', async () => {
  const part = { state: 'finishing' as const, verified: false };
  const finishing = (cameras: Parameters<typeof takeCameraFixture>[0][]): Status['recording'] => ({
    ...statusFixture().recording,
    state: 'finishing',
    take: takeFixture({ state: 'finishing', cameras: cameras.map(takeCameraFixture) }),
  });
  const progress = { ...part, finishing: { done: 0.42, remainingS: 71 } };
  const { appliance, page } = await visit(statusFixture({ recording: finishing([progress]) }));
  await using _appliance = appliance;
  const bar = page.locator('[data-testid="finishing"]');
  expect(await bar.textContent()).toBe('42 %, about 2 min left');
  expect(await bar.locator('progress').getAttribute('value')).toBe('0.42');
  // The take's own card agrees.
  appliance.takes = [takeFixture({ state: 'finishing', cameras: [takeCameraFixture(progress)] })];
  await page.goto(`${new URL('/', page.url())}#/takes`);
  await page.locator('.take').getByText('42 %, about 2 min left').waitFor();
  appliance.update({ recording: finishing([part]) });
  await bar.waitFor({ state: 'detached' });
  await page.context().close();
}, 60_000);

test('a take shows once that it is verified, and its delete button is neither larger nor plainer than its master', async () => {
  const appliance = new FakeAppliance(pages.folder);
  await using _appliance = appliance;
  appliance.takes = [takeFixture()];
  const page = await (await pages.browser.newContext()).newPage();
  await page.goto(`${await appliance.listen()}/#/takes`);
  const card = page.locator('.take');
  await card.waitFor();
  expect(await card.getByText('Verified').count()).toBe(1);
  const [master, remove] = await Promise.all([
    card.locator('a[download]').boundingBox(),
    card.getByRole('button', { name: 'Delete' }).boundingBox(),
  ]);
  expect(remove?.width).toBeLessThanOrEqual(master?.width ?? 0);
  expect(remove?.height).toBe(master?.height);
  const colour = await card
    .getByRole('button', { name: 'Delete' })
    .evaluate((button) => getComputedStyle(button).color);
  expect(colour).toBe(await colourOf(page, '--bad'));
  await page.context().close();
}, 60_000);

test('a camera offers no feeds of other hubs, a hub does', async () => {
  const { device } = statusFixture();
  const kinds = async (role: 'hub' | 'camera') => {
    const { appliance, page } = await visit(statusFixture({ device: { ...device, role } }), '#/cameras');
    await using _appliance = appliance;
    const options = page.getByLabel('What it is').locator('option');
    await options.first().waitFor({ state: 'attached' });
    const shown = await options.allTextContents();
    await page.context().close();
    return shown.length;
  };
  expect(await kinds('camera')).toBe(1);
  expect(await kinds('hub')).toBe(3);
}, 60_000);

test('the bars of a test picture are explained on its card, and on no other', async () => {
  for (const [kind, count] of [
    ['test', 1],
    ['rpicam', 0],
  ] as const) {
    const { appliance, page } = await visit(
      statusFixture({ sources: [sourceFixture({ kind })] }),
      '#/cameras',
    );
    await using _appliance = appliance;
    const card = page.locator('.device');
    await card.waitFor();
    expect(await card.getByText('black and white bars').count()).toBe(count);
    await page.context().close();
  }
}, 60_000);

test('by keyboard alone: record, stop, and change your mind about deleting a take', async () => {
  const { appliance, page } = await visit(statusFixture());
  await using _appliance = appliance;
  const button = page.getByTestId('record');
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await button.focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="record"][data-state="recording"]').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="record"][data-state="armed"]').waitFor();
  await page.waitForTimeout(500);
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="record"][data-state="idle"]').waitFor();
  // The button rests for a second after a stop.
  await expect.poll(focused, { timeout: 10_000 }).toBe('Record');
  await page.goto(`${page.url().split('#')[0]}#/takes`);
  await page.getByRole('button', { name: 'Delete' }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(focused).toBe('Keep it');
  await page.keyboard.press('Escape');
  await expect.poll(focused).toBe('Delete');
  expect(appliance.count('DELETE', /takes/)).toBe(0);
  await page.context().close();
}, 60_000);
