import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { FakeAppliance } from '../../testing/appliance.fake.ts';
import { usePages } from '../../testing/browser.ts';
import {
  cameraFixture,
  deviceFixture,
  feedFixture,
  statusFixture,
  takeCameraFixture,
  takeFixture,
} from '../../testing/fixture.ts';

const pages = usePages();

const fresh = async (): Promise<Page> => (await pages.browser.newContext()).newPage();
const record = '[data-testid="record"]';

test('recording: one press starts, two stop, and the bar and the list show it', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator(`${record}[data-state="idle"]`).click();
  await page.locator(`${record}[data-state="recording"]`).waitFor();
  expect(await page.locator('[data-testid="record-summary"]').textContent()).toBe('Recording 1 camera');
  expect(await page.locator('[data-testid="elapsed"]').textContent()).toMatch(/^0:0\d$/);
  await page.locator('[data-feed="cam0"] [data-testid="tile-recording"]').waitFor();
  await page.locator(record).click();
  await page.locator(`${record}[data-state="armed"]`).waitFor();
  expect(appliance.count('POST', /stop$/)).toBe(0);
  await page.waitForTimeout(500);
  await page.locator(record).click();
  await page.locator(`${record}[data-state="idle"]`).waitFor();
  expect(appliance.count('POST', /^\/api\/takes\/take-1\/stop$/)).toBe(1);
  await page.goto(`${page.url().split('#')[0]}#/takes`);
  const take = page.locator('[data-take="take-1"]');
  await take.waitFor();
  expect(await take.getAttribute('data-state')).toBe('verified');
  expect(await take.locator('a[download]').getAttribute('href')).toBe(
    '/api/takes/take-1/masters/cam0?segment=1',
  );
  await page.context().close();
}, 60_000);

test('each camera has its clock beside it, and one that is far off raises an alert', async () => {
  const near = cameraFixture({ id: 'a', name: 'near', clockOffsetMs: 2.5, clockUncertaintyMs: 1.2 });
  const far = cameraFixture({ id: 'b', name: 'far', clockOffsetMs: -130, clockUncertaintyMs: 5 });
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ cameras: [near, far] });
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/cameras`);
  await page.getByText('2.5 ms ahead, ± 1.2 ms').waitFor();
  await page.getByText(/130 ms behind, ± 5/).waitFor();
  await page.getByText('The clock of far is 130 ms behind').first().waitFor();
  await page.context().close();
}, 60_000);

test('a rejected take is not shown as running, and the reason appears', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.takeRefusal = {
    type: 'about:blank',
    title: 'No room',
    status: 409,
    code: 'DISK_FULL',
    detail: 'The disk has room for less than a minute',
    hint: 'Delete a take.',
  };
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator(`${record}[data-state="idle"]`).click();
  await page.locator('.notice').waitFor();
  expect(await page.locator('.notice').textContent()).toBe(
    'Not done: The disk has room for less than a minute. Delete a take.',
  );
  await page.locator(`${record}[data-state="idle"]`).waitFor();
  await page.context().close();
}, 60_000);

test('an armed stop button disarms after a while', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator(`${record}[data-state="idle"]`).click();
  await page.locator(`${record}[data-state="recording"]`).click();
  await page.locator(`${record}[data-state="armed"]`).waitFor();
  await page.locator(`${record}[data-state="recording"]`).waitFor({ timeout: 15_000 });
  expect(appliance.count('POST', /stop$/)).toBe(0);
  await page.context().close();
}, 60_000);

test('an appliance that disappears and returns: reported, counted down, recovered without a reload', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator(record).waitFor();
  const { port } = appliance;
  await appliance.stop();
  const banner = page.locator('[data-testid="connection-lost"]');
  await banner.waitFor({ timeout: 20_000 });
  expect(await banner.textContent()).toMatch(/Connection lost .* ago/);
  expect(await page.locator(record).isDisabled()).toBe(true);
  await using back = new FakeAppliance(pages.folder);
  const { device } = statusFixture();
  back.status = statusFixture({ device: { ...device, name: 'after-the-storm' } });
  await back.listen(port);
  await banner.waitFor({ state: 'hidden', timeout: 30_000 });
  expect(await page.locator('h1').textContent()).toBe('after-the-storm');
  await page.context().close();
}, 90_000);

test('changes arrive by event', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator('[data-feed="cam0"]').waitFor();
  appliance.update({ feeds: [feedFixture(), feedFixture({ id: 'cam1', label: 'Second' })] });
  await page.locator('[data-feed="cam1"]').waitFor();
  await page.context().close();
}, 60_000);

test('a locked appliance: wrong key, right key, a reload stays in, a revoked key asks again', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.token = 'right';
  const page = await fresh();
  await page.goto(await appliance.listen());
  const login = page.locator('[data-testid="login"]');
  await login.waitFor();
  await page.getByLabel('Key').fill('wrong');
  await page.getByLabel('Key').press('Enter');
  await expect.poll(() => login.textContent()).toContain('was revoked');
  await page.getByLabel('Key').fill('right');
  await page.getByLabel('Key').press('Enter');
  await page.locator(record).waitFor();
  await page.reload();
  await page.locator(record).waitFor();
  expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, '']);
  appliance.token = 'another';
  await page.reload();
  await login.waitFor();
  await page.context().close();
}, 60_000);

test('the key of the QR code opens the page and leaves the address', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.token = 'from-qr';
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#token=from-qr`);
  await page.locator(record).waitFor();
  expect(page.url()).not.toContain('from-qr');
  const shown = appliance.requests.filter(({ authorization }) => authorization !== undefined);
  expect(shown.map(({ path }) => path)).toEqual(['/api/session']);
  await page.context().close();
}, 60_000);

test('a QR code with a revoked key is reported as such and opens nothing', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.token = 'right';
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#token=revoked`);
  await page.locator('[data-testid="login"]').waitFor();
  await page.getByText('The key in the link was refused.').waitFor();
  await page.context().close();
}, 60_000);

test('the link with the key works if the page is already open', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.token = 'from-qr';
  const page = await fresh();
  const url = await appliance.listen();
  await page.goto(url);
  await page.locator('[data-testid="login"]').waitFor();
  await page.goto(`${url}/#token=from-qr`); // changes the fragment, and loads nothing
  await page.locator(record).waitFor({ timeout: 10_000 });
  expect(page.url()).not.toContain('from-qr');
  await page.context().close();
}, 60_000);

test('asks at the next press for a key that was dropped in another tab', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.token = 'key';
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#token=key`);
  await page.locator(`${record}[data-state="idle"]`).waitFor();
  // The last thing that the page asks at its start: otherwise that would be what notices the missing key.
  await expect.poll(() => appliance.count('GET', /^\/api\/unplugged-devices/)).toBe(1);
  await page.context().clearCookies();
  await page.locator(record).click();
  await page.getByText('this browser no longer has a valid key').waitFor({ timeout: 10_000 });
  await page.locator('[data-testid="login"]').waitFor({ timeout: 10_000 });
  await page.context().close();
}, 60_000);

test('masters are downloaded from where they are: here, or the page of the camera that has them', async () => {
  const far = takeCameraFixture({ device: 'stage-left' });
  const gone = takeCameraFixture({ camera: 'cam1', device: 'balcony' });
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ cameras: [cameraFixture()] });
  appliance.takes = [takeFixture({ id: 'shot', cameras: [takeCameraFixture(), far, gone] })];
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/takes`);
  const rows = page.locator('[data-take="shot"] .take-camera');
  const links = rows.locator('a');
  await links.first().waitFor();
  const targets = await links.evaluateAll((found) => found.map((link) => link.getAttribute('href')));
  expect(targets).toEqual(['/api/takes/shot/masters/cam0?segment=1', 'http://192.168.7.21/#/takes']);
  expect(await rows.last().textContent()).toContain('on balcony, which is away');
  await page.context().close();
}, 60_000);

test('a take is deleted only after a confirmation, and only where its masters are', async () => {
  const far = takeCameraFixture({ device: 'stage-left' });
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ cameras: [cameraFixture()] });
  appliance.takes = [
    takeFixture({ id: 'both', cameras: [takeCameraFixture({ sizeBytes: 3_000_000 }), far] }),
    takeFixture({ id: 'far', cameras: [far] }),
    takeFixture({ id: 'now', state: 'finishing' }),
  ];
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/takes`);
  const take = page.locator('[data-take="both"]');
  await take.getByRole('button', { name: 'Delete' }).click();
  await take.getByText('1 master of this take, 3.0 MB, will be deleted').waitFor();
  await take.getByRole('button', { name: 'Keep it' }).click();
  expect(appliance.count('DELETE', /takes/)).toBe(0);
  expect(await page.getByRole('button', { name: 'Delete' }).count()).toBe(1);
  await take.getByRole('button', { name: 'Delete' }).click();
  await take.getByRole('button', { name: 'Delete' }).click();
  await take.waitFor({ state: 'detached' });
  expect(appliance.count('DELETE', /^\/api\/takes\/both$/)).toBe(1);
  await page.context().close();
}, 60_000);

test('the machine shuts down or resets only after a confirmation', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ device: { ...statusFixture().device, simulation: false } });
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/system`);
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await button('Blink its light').click();
  await button('Restart').click();
  await page.getByText('Its pictures stop').waitFor();
  await button('Let it run').click();
  await button('Reset to factory settings').click();
  await page.getByText('every take that is not on an SSD').waitFor();
  expect(appliance.count('POST', /system\/(restart|factory)/)).toBe(0);
  await button('Reset to factory settings').click();
  await page.getByText('every take that is not on an SSD').waitFor({ state: 'detached' });
  expect(appliance.count('POST', /^\/api\/system\/factory-reset$/)).toBe(1);
  expect(appliance.count('POST', /^\/api\/system\/identify$/)).toBe(1);
  await page.context().close();
}, 60_000);

test('keyboard alone: opens a feed, moves to the next and returns to the start', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ feeds: [feedFixture(), feedFixture({ id: 'cam1', label: 'Second' })] });
  const page = await fresh();
  await page.goto(await appliance.listen());
  await page.locator('[data-feed="cam0"] .tile-link').focus();
  await page.keyboard.press('Enter');
  await page.locator('[data-testid="single"][data-feed="cam0"]').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator('[data-testid="single"][data-feed="cam1"]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('[data-testid="tile"][data-feed="cam1"]').waitFor();
  const focused = () =>
    page.evaluate(() => document.activeElement?.closest('[data-feed]')?.getAttribute('data-feed'));
  await expect.poll(focused).toBe('cam1');
  await page.context().close();
}, 60_000);

test('keys that change a control beside the picture do not change the picture', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ feeds: [feedFixture(), feedFixture({ id: 'cam1', label: 'Second' })] });
  appliance.devices = [deviceFixture({ source: 'cam0', use: 'used' })];
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/feed/cam0`);
  await page.getByText('Picture controls').click();
  await page.locator('[data-control="gain"] input[type="range"]').focus();
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => appliance.count('PUT', /controls$/)).toBe(1);
  expect(new URL(page.url()).hash).toBe('#/feed/cam0');
  await page.context().close();
}, 60_000);

test('adoption: the hub shows the code and adopts with one press, the camera shows the same code', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const camera = {
    id: 'c0ffee',
    name: 'balcony',
    version: '0.1.0',
    address: '192.168.7.30',
    code: '123456',
    since: '2026-11-22T11:30:00.000Z',
  };
  appliance.status = statusFixture({ newCameras: [camera], adoption: { code: '654321', hubName: 'foh' } });
  const page = await fresh();
  await page.goto(await appliance.listen());
  const banner = page.locator('[data-new-camera="c0ffee"]');
  await banner.waitFor();
  expect(await banner.textContent()).toContain('123 456');
  expect(await page.locator('[data-testid="adoption"]').textContent()).toContain('654 321');
  await banner.locator('button').click();
  await banner.waitFor({ state: 'hidden' });
  expect(appliance.adopted).toEqual([{ code: '123456' }]);
  await page.context().close();
}, 60_000);

test('a broker that was found shows its address and is accepted with one press', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const found = { id: 'attic', name: 'attic', host: 'attic.local', url: 'mqtt://192.0.2.7:1883' };
  const link = { state: 'waiting', broker: null, protocol: null, reason: 'found' } as const;
  appliance.status = statusFixture({ mqtt: { ...link, found } });
  const page = await fresh();
  await page.goto(await appliance.listen());
  const banner = page.locator('[data-testid="found-broker"]');
  await banner.waitFor();
  expect(await banner.textContent()).toContain('mqtt://192.0.2.7:1883');
  await banner.getByRole('button', { name: 'Accept' }).click();
  await banner.waitFor({ state: 'hidden' });
  expect(appliance.acceptedBrokers).toEqual([{ id: 'attic' }]);
  await page.context().close();
}, 60_000);

test('a camera of the hub is removed after a confirmation', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  appliance.status = statusFixture({ cameras: [cameraFixture()] });
  const page = await fresh();
  await page.goto(`${await appliance.listen()}/#/cameras`);
  const card = page.locator('[data-camera="a1b2c3"]');
  const remove = card.getByRole('button', { name: 'Remove from this hub' });
  await remove.click();
  await card.getByText('you must adopt it again').waitFor();
  await card.getByRole('button', { name: 'Keep it' }).click();
  expect(appliance.count('DELETE', /adoption$/)).toBe(0);
  await remove.click();
  await remove.click();
  await card.waitFor({ state: 'hidden' });
  expect(appliance.count('DELETE', /^\/api\/cameras\/a1b2c3\/adoption$/)).toBe(1);
  await page.context().close();
}, 60_000);

test('adoption: if the owner has to confirm on the camera, both pages say so, and the camera’s has the button', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const camera = {
    ...{ id: 'c0ffee', name: 'balcony', version: '0.1.0', address: '192.168.7.30', code: '123456' },
    ...{ since: '2026-11-22T11:30:00.000Z', confirm: 'several-hubs' as const },
  };
  const adoption = {
    ...{ code: '654321', hubName: 'greedy', confirm: 'forgot-hub' as const },
    others: [{ code: '111222', hubName: 'foh', confirm: 'forgot-hub' as const }],
  };
  appliance.status = statusFixture({ newCameras: [camera], adoption });
  const page = await fresh();
  await page.goto(await appliance.listen());
  const banner = page.locator('[data-new-camera="c0ffee"]');
  await banner.getByText('Open the camera’s own page').waitFor();
  expect(await banner.locator('button').isDisabled()).toBe(true);
  const own = page.locator('[data-testid="adoption"]').filter({ hasText: '111 222' });
  await own.getByRole('button', { name: 'Yes, this is my hub' }).click();
  await own.waitFor({ state: 'hidden' });
  expect(appliance.confirmed).toEqual([{ code: '111222' }]);
  await page.context().close();
}, 60_000);

test('a browser forgets the key', async () => {
  await using appliance = new FakeAppliance(pages.folder);
  const { device } = statusFixture();
  appliance.status = statusFixture({ device: { ...device, simulation: false } });
  appliance.token = 'key';
  const page = await fresh();
  const url = await appliance.listen();
  await page.goto(`${url}/#token=key`);
  await page.locator(record).waitFor();
  await page.locator('.tab', { hasText: 'System' }).click();
  await page.locator('[data-testid="logout"]').click();
  await page.locator('[data-testid="login"]').waitFor();
  await page.context().close();
}, 60_000);
