import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Device, Feed } from '../supervisor/contract/index.ts';
import { openBrowser } from './testing/browser.ts';
import { openRecordedMachine, type RecordedMachine } from './testing/recorded-machine.ts';

const c920 = 'usb-046d_HD_Pro_Webcam_C920_CD5AF2DF';
const feed = 'hd-pro-webcam-c920';
const patient = { timeout: 60_000 };

/** Replaces ffmpeg for opening a camera that does not exist: the picture comes from a generator instead. */
const fakeFfmpeg = `#!/bin/bash
real=/usr/bin/ffmpeg
case " $* " in *" -f v4l2 "*) ;; *) exec $real "$@" ;; esac
before=(); while [ "$1" != -f ]; do before+=("$1"); shift; done
while [ "$1" != -i ]; do shift; done
shift 2
$real -v error -nostdin -re -f lavfi -i testsrc2=s=640x360:r=15 -c:v libx264 -profile:v baseline -preset ultrafast \\
  -tune zerolatency -g 15 -f h264 - | exec $real "\${before[@]}" -use_wallclock_as_timestamps 1 -r 15 -f h264 -i pipe:0 "$@"
`;

const settings = `role = "hub"
name = "stage"
[devices]
adopt = "ask"
`;

describe('plugged cameras as the page shows them', { timeout: 120_000 }, () => {
  let machine: RecordedMachine;
  let browser: BrowserContext & AsyncDisposable;
  let page: Page;

  beforeAll(async () => {
    machine = await openRecordedMachine({
      fixture: 'none',
      config: settings,
      programs: { ffmpeg: fakeFfmpeg },
    });
    browser = await openBrowser();
  }, 120_000);

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await machine?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    return () => page.close();
  });

  const get = async <T>(path: string): Promise<T> => (await (await fetch(machine.url + path)).json()) as T;

  async function setConfig(patch: object): Promise<void> {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const answer = await fetch(`${machine.url}/api/config`, {
      method: 'PATCH',
      headers,
      body: JSON.stringify(patch),
    });
    expect(answer.ok).toBe(true);
  }

  const framesShown = (shown: Page): Promise<number> =>
    shown
      .locator(`[data-feed="${feed}"] video`)
      .evaluate((video: HTMLVideoElement) => video.getVideoPlaybackQuality().totalVideoFrames);

  const card = (): Locator => page.locator(`[data-device="${c920}"]`);
  const inState = (state: string): Promise<void> =>
    page.locator(`[data-device="${c920}"][data-state="${state}"]`).waitFor(patient);
  const controlValue = async (control: string): Promise<unknown> => {
    const devices = await get<Device[]>('/api/devices');
    return devices[0]?.controls.find(({ id }) => id === control)?.value;
  };

  test('a plugged camera is offered on the live page, used after one press, and its picture arrives', async () => {
    await page.goto(machine.url);
    await page.getByText('No camera yet').waitFor(patient);
    await machine.become('c920-pi4');
    const pluggedAtMs = performance.now();
    const offer = page.locator(`[data-offered="${c920}"]`);
    await offer.waitFor(patient);
    console.log(
      `offered ${Math.round(performance.now() - pluggedAtMs)} ms after it was plugged in (bar: 1000 ms)`,
    );
    await offer.getByRole('button', { name: 'Use it' }).click();
    await offer.waitFor({ state: 'hidden', ...patient });
    await page.locator(`[data-feed="${feed}"][data-state="live"]`).waitFor(patient);
    expect((await get<Device[]>('/api/devices'))[0]).toMatchObject({ id: c920, use: 'used', source: feed });
  });

  test('sets its controls by mouse and keyboard, and resets them to their defaults', async () => {
    await page.goto(`${machine.url}/#/cameras`);
    await inState('running');
    await expect.poll(() => card().textContent(), patient).toContain('passed on untouched');
    await card().getByText('Picture controls').click();
    const exposure = card().getByRole('slider', { name: 'Exposure time absolute' });
    expect(await exposure.isDisabled()).toBe(true);
    await card().getByLabel('Auto exposure').selectOption({ label: 'Manual Mode' });
    await expect.poll(() => exposure.isDisabled(), patient).toBe(false);
    await exposure.focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => controlValue('exposure_time_absolute'), patient).toBe(251);
    await card().getByLabel('Gain, as a number').fill('80');
    await page.keyboard.press('Tab');
    await expect.poll(() => controlValue('gain'), patient).toBe(80);
    await card().getByTestId('reset-controls').click();
    await expect.poll(() => controlValue('gain'), patient).toBe(0);
    expect(await controlValue('auto_exposure')).toBe(3);
    await expect.poll(() => exposure.isDisabled(), patient).toBe(true);
  });

  test('reports a value that the camera refuses, and the page still shows the real one', async () => {
    await page.goto(`${machine.url}/#/cameras`);
    await inState('running');
    await card().getByText('Picture controls').click();
    const gain = card().getByLabel('Gain, as a number');
    await gain.fill('999');
    await page.keyboard.press('Tab');
    await page.getByText('Not done: gain: a number from 0 to 255 expected').waitFor(patient);
    await expect.poll(() => gain.inputValue(), patient).toBe('0');
  });

  test('gets a name, and keeps name and settings while it is away and in another port', async () => {
    await page.goto(`${machine.url}/#/cameras`);
    await inState('running');
    await card().getByRole('button', { name: 'Rename' }).click();
    await page.keyboard.type('Stage left');
    await page.keyboard.press('Enter');
    await card().getByRole('heading', { name: 'Stage left' }).waitFor(patient);
    expect(await get<Feed[]>('/api/feeds')).toMatchObject([{ id: feed, label: 'Stage left' }]);
    await machine.become('none');
    const pulledAtMs = performance.now();
    await inState('unplugged');
    console.log(`told ${Math.round(performance.now() - pulledAtMs)} ms after it was pulled (bar: 1000 ms)`);
    expect(await card().textContent()).toContain('Plug it in again');
    await page.reload();
    await inState('unplugged');
    await machine.become('c920-pi4-other-port');
    await inState('running');
    expect(await card().getByRole('heading').textContent()).toBe('Stage left');
    await page.goto(`${machine.url}/#/`);
    await page.locator(`[data-feed="${feed}"][data-state="live"]`).waitFor(patient);
  });

  test('viewers see a notice when it is pulled; plugged in again, it resumes automatically in the same tile', async () => {
    const remote = { id: 'balcony', kind: 'mjpeg', url: 'http://127.0.0.1:9/none.mjpg' };
    await setConfig({ remote: [remote] });
    const phone = await browser.newPage();
    await phone.setViewportSize({ width: 390, height: 844 });
    await Promise.all([page.goto(machine.url), phone.goto(`${machine.url}/#/feed/${feed}`)]);
    const tileIn = (shown: Page, state: string) =>
      shown.locator(`[data-feed="${feed}"][data-state="${state}"]`);
    await Promise.all([page, phone].map((shown) => tileIn(shown, 'live').waitFor(patient)));
    await page.locator('[data-feed="balcony"]').waitFor(patient);
    await phone.getByRole('button', { name: 'Full screen' }).click();
    // These marks disappear if the page reloads or an element is replaced.
    await page.evaluate(() => document.body.setAttribute('data-mark', 'first'));
    const mark = () => document.fullscreenElement?.setAttribute('data-mark', 'first');
    await phone.evaluate(mark);

    await machine.become('none');
    await page.getByRole('alert').getByText('Stage left was unplugged.').waitFor(patient);
    await page.locator(`[data-feed="${feed}"]`).waitFor({ state: 'detached', ...patient });
    await tileIn(phone, 'offline').waitFor(patient);
    expect(await tileIn(phone, 'offline').textContent()).toContain('Stage left was unplugged.');
    const fullScreen = () => document.fullscreenElement?.getAttribute('data-mark');
    expect(await phone.evaluate(fullScreen)).toBe('first');

    await machine.become('c920-pi4');
    await page.getByRole('alert').getByText('Stage left is plugged in again.').waitFor(patient);
    for (const shown of [page, phone]) {
      await tileIn(shown, 'live').waitFor(patient);
      const seen = await framesShown(shown);
      await expect.poll(() => framesShown(shown), patient).toBeGreaterThan(seen + 5);
    }
    expect(await phone.evaluate(fullScreen)).toBe('first');
    expect(await page.evaluate(() => document.body.getAttribute('data-mark'))).toBe('first');
    const order = () =>
      [...document.querySelectorAll('[data-feed]')].map((tile) => tile.getAttribute('data-feed'));
    expect(await page.evaluate(order)).toEqual([feed, 'balcony']);
    await phone.close();
    await setConfig({ remote: [] });
  });

  test('is released, and the next camera is used as soon as it is plugged in', async () => {
    await page.goto(`${machine.url}/#/cameras`);
    await card().getByRole('button', { name: 'Stop using it' }).click();
    await inState('unused');
    await page.getByLabel('Use it', { exact: true }).click();
    await expect
      .poll(async () => (await get<{ values: { devices: object } }>('/api/config')).values.devices, patient)
      .toEqual({ adopt: 'auto' });
    await machine.become('uvc-twins-pc');
    await expect
      .poll(async () => (await get<Device[]>('/api/devices')).map(({ use }) => use), patient)
      .toEqual(['used', 'used']);
    await machine.become('none');
    await page.locator('[data-state="unplugged"]').first().getByRole('button', { name: 'Forget' }).click();
    await expect.poll(async () => (await get<object[]>('/api/unplugged-devices')).length, patient).toBe(1);
  });

  test('adds a feed by its address, shows its state and removes it', async () => {
    await page.goto(`${machine.url}/#/cameras`);
    await page.getByText('Add a feed').click();
    await page.getByLabel('What it is').selectOption('mjpeg');
    await page.getByLabel('Name', { exact: true }).fill('Balcony');
    await page.getByLabel('Address').fill('http://me:p%40ss@127.0.0.1:9/none.mjpg');
    await page.keyboard.press('Enter');
    const row = page.locator('[data-remote="balcony"][data-state="waiting"]');
    await row.waitFor(patient);
    expect(await row.textContent()).toContain('http://127.0.0.1:9/none.mjpg');
    const shown = { url: 'http://127.0.0.1:9/none.mjpg', username: 'me', password: 'not shown' };
    expect(await get<{ values: object }>('/api/config')).toMatchObject({ values: { remote: [shown] } });
    await row.getByRole('button', { name: 'Remove Balcony' }).click();
    await row.getByText('its address is forgotten').waitFor();
    await row.getByRole('button', { name: 'Remove Balcony' }).click();
    await page.locator('[data-remote="balcony"]').waitFor({ state: 'hidden', ...patient });
    expect(await get<{ values: object }>('/api/config')).toMatchObject({ values: { remote: [] } });
  });
});
