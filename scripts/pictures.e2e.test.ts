import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { inspectJpeg } from '../media/index.ts';
import type { Feed, Status } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, processesNaming, startAppliance } from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';
import { feedOf, feedOnline, makeJpeg, openLink, openStream } from './testing/picture-clients.ts';

const clients = 20;
let appliance: ApplianceProcess;
let camera: Awaited<ReturnType<typeof openCamera>>;
let jpeg: Buffer;

const settings = (cameraUrl: string, whepUrl = 'http://127.0.0.1:9/whep/cam0') => `
role = "hub"
[[source]]
id = "cam0"
kind = "test"
width = 640
height = 360
[[source]]
id = "absent"
kind = "v4l2"
device = "usb-not-plugged-in"
[[remote]]
id = "old"
label = "Old camera"
kind = "mjpeg"
url = "${cameraUrl}"
[[remote]]
id = "far"
kind = "whep"
url = "${whepUrl}"
[masters]
codec = "off"
`;

/** A camera that speaks only motion JPEG: the same picture ten times a second. */
async function openCamera(picture: Buffer) {
  const open = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=cut' });
    open.add(response);
    response.on('close', () => open.delete(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const head = `--cut\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`;
  const part = Buffer.concat([Buffer.from(head), picture, Buffer.from('\r\n')]);
  const timer = setInterval(() => {
    for (const response of open) response.write(part);
  }, 100);
  const close = async () => {
    clearInterval(timer);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, [Symbol.asyncDispose]: close };
}

/** Programs of this appliance that decode for pictures. */
async function decoders(): Promise<number> {
  const found = await processesNaming(appliance.data);
  return found.filter(({ command }) => command.startsWith('ffmpeg') && command.includes('-f mjpeg')).length;
}

beforeAll(async () => {
  jpeg = makeJpeg('320x180');
  camera = await openCamera(jpeg);
  appliance = await startAppliance({ config: settings(camera.url) });
  await feedOnline(appliance, 'cam0');
});

afterAll(async () => {
  await appliance?.[Symbol.asyncDispose]();
  await camera?.[Symbol.asyncDispose]();
});

describe('Pictures of a feed', () => {
  it(`cost one decoder for ${clients} clients, and none without clients`, async () => {
    expect(await decoders()).toBe(0);
    const streams = Array.from({ length: clients }, () => openStream(`${appliance.url}/stream/cam0.mjpg`));
    await appliance.until('everybody sees pictures', async () =>
      streams.every(({ seen }) => seen.pictures > 5),
    );
    expect(await decoders()).toBe(1);
    await Promise.all(streams.slice(1).map(({ close }) => close()));
    const before = streams[0]?.seen.pictures ?? 0;
    await appliance.until(
      'the last one sees more',
      async () => (streams[0]?.seen.pictures ?? 0) > before + 20,
    );
    expect(await decoders()).toBe(1);
    await streams[0]?.close();
    await appliance.until('no decoder is left', async () => (await decoders()) === 0);
    const state = (await feedOf(appliance, 'cam0'))?.state;
    expect(state).toBe('online');
  });

  it('arrive one by one, and over a WebSocket', async () => {
    const response = await fetch(`${appliance.url}/stream/cam0.jpg`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const picture = Buffer.from(await response.arrayBuffer());
    expect(inspectJpeg(picture)).toMatchObject({ width: 640, height: 360 });
    const link = openLink(appliance.url, '/ws/feeds/cam0');
    await appliance.until('pictures', async () => link.pictures.length > 5);
    for (const one of link.pictures) expect(inspectJpeg(one).bytes).toBe(one.length);
    link.socket.close();
    await appliance.until('no decoder is left', async () => (await decoders()) === 0);
  });

  it('are refused with the reason if there are none', async () => {
    const unknown = await fetch(`${appliance.url}/stream/nobody.mjpg`);
    expect([unknown.status, (await unknown.json()).code]).toEqual([404, 'FEED_UNKNOWN']);
    const away = await fetch(`${appliance.url}/stream/absent.jpg`);
    expect([away.status, (await away.json()).code]).toEqual([503, 'PICTURE_UNAVAILABLE']);
    expect(away.headers.get('retry-after')).toBe('2');
    expect((await openLink(appliance.url, '/ws/feeds/nobody').refused).status).toBe(404);
    await appliance.until('no decoder is left', async () => (await decoders()) === 0);
  });

  it('do not wait for a slow client', async () => {
    const slow = new WebSocket(`${appliance.url.replace('http', 'ws')}/ws/feeds/old`);
    await once(slow, 'open');
    slow.pause();
    const fast = openLink(appliance.url, '/ws/feeds/old');
    await appliance.until('the other one is served', async () => fast.pictures.length > 30);
    slow.terminate();
    fast.socket.close();
  });
});

describe('Expected feeds', () => {
  it('are listed while they are away, with the reason', async () => {
    expect(await feedOf(appliance, 'absent')).toMatchObject({
      state: 'offline',
      reason: 'usb-not-plugged-in is not plugged in.',
      publisher: null,
    });
    const far = await appliance.until('the pull has failed', async () => {
      const found = await feedOf(appliance, 'far');
      return found?.reason === null ? null : found;
    });
    expect(far).toMatchObject({ state: 'offline', reason: expect.stringContaining('cannot be reached') });
    const { feeds, sources } = await appliance.get<Status>('/api/status');
    expect(feeds.map(({ id }) => id)).toEqual(['cam0', 'absent', 'old', 'far']);
    expect(sources.find(({ id }) => id === 'far')).toMatchObject({ kind: 'whep', state: 'waiting' });
  });

  it('are listed while the media process is away', async () => {
    const media = (await processesNaming(appliance.data)).find(({ command }) =>
      command.includes('media/main.ts'),
    );
    process.kill(media?.pid ?? 0, 'SIGSTOP');
    process.kill(media?.pid ?? 0, 'SIGKILL');
    const ids = (await appliance.get<Feed[]>('/api/feeds')).map(({ id }) => id);
    expect(ids.slice(0, 4)).toEqual(['cam0', 'absent', 'old', 'far']);
    await appliance.until('it was away', async () => (await feedOf(appliance, 'cam0'))?.state !== 'online');
    await feedOnline(appliance, 'cam0');
  });
});

describe('A remote MJPEG camera', () => {
  it('is a feed beside the others, its pictures unchanged', async () => {
    expect(await feedOnline(appliance, 'old')).toMatchObject({
      label: 'Old camera',
      codec: 'mjpeg',
      width: 320,
      height: 180,
      publisher: { kind: 'pull', camera: null },
    });
    const link = openLink(appliance.url, '/ws/feeds/old');
    await appliance.until('pictures', async () => link.pictures.length > 3);
    for (const picture of link.pictures) expect(picture.equals(jpeg)).toBe(true);
    link.socket.close();
    expect(await decoders()).toBe(0);
  });
});

describe('The page', () => {
  it('shows JPEG feeds in the grid beside the others', async () => {
    await using browser = await openBrowser(['--allow-loopback-in-peer-connection']);
    const page = await browser.newPage();
    await page.goto(appliance.url);
    await page.waitForSelector('[data-feed="cam0"][data-state="live"]', { timeout: 60_000 });
    await page.waitForSelector('[data-feed="old"][data-state="live"] img', { timeout: 60_000 });
    await page.waitForSelector('[data-feed="absent"][data-state="offline"]');
    await page.waitForFunction(
      () => (document.querySelector('[data-feed="old"] img') as HTMLImageElement).naturalWidth > 0,
    );
    const size = await page.$eval('[data-feed="old"] img', (image) => {
      const { naturalWidth, naturalHeight } = image as HTMLImageElement;
      return [naturalWidth, naturalHeight];
    });
    expect(size).toEqual([320, 180]);
  });
});

describe('WHEP', () => {
  it.each([
    ['old', 422, 'CODEC_UNSUPPORTED'],
    ['absent', 409, 'NO_PUBLISHER'],
    ['nobody', 409, 'NO_PUBLISHER'],
  ])('of %s is answered by %i %s', async (id, status, code) => {
    const response = await fetch(`${appliance.url}/whep/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: 'v=0',
    });
    expect([response.status, (await response.json()).code]).toEqual([status, code]);
  });
});

describe('Changed settings', () => {
  it('add and remove remotes without a restart', async () => {
    const text = settings(camera.url, `${appliance.url}/whep/cam0`);
    const withoutOld = text.replace(/\[\[remote\]\]\nid = "old"[^[]*/, '');
    const cam0 = await feedOnline(appliance, 'cam0');
    await writeFile(appliance.configFile, withoutOld);
    expect(await feedOnline(appliance, 'far')).toMatchObject({
      codec: cam0.codec,
      width: 640,
      height: 360,
      publisher: { kind: 'pull', camera: null },
    });
    expect(await feedOf(appliance, 'old')).toBeUndefined();
    const { sources } = await appliance.get<Status>('/api/status');
    expect(sources.map(({ id, state }) => [id, state])).toEqual([
      ['cam0', 'running'],
      ['absent', 'waiting'],
      ['far', 'running'],
    ]);
    const picture = await fetch(`${appliance.url}/stream/far.jpg`);
    expect(inspectJpeg(Buffer.from(await picture.arrayBuffer()))).toMatchObject({ width: 640, height: 360 });
  });
});
