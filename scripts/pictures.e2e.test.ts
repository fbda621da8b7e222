import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { inspectJpeg } from '../media/index.ts';
import {
  type Feed,
  type PictureRefusal,
  pictureRefusalSchema,
  type Status,
} from '../supervisor/api/contract.ts';
import {
  type ApplianceProcess,
  freePort,
  processesNaming,
  startAppliance,
} from './testing/appliance-process.ts';
import { openBrowser } from './testing/browser.ts';

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

function makeJpeg(size: string): Buffer {
  const result = spawnSync('ffmpeg', [
    ...['-loglevel', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}`],
    ...['-frames:v', '1', '-f', 'mjpeg', '-'],
  ]);
  if (result.status !== 0) throw new Error(String(result.stderr));
  return result.stdout;
}

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

/** Reads a stream of pictures until it is told to end. */
function openStream(path: string) {
  const abort = new AbortController();
  const seen = { bytes: 0, pictures: 0, ended: false };
  const reading = (async () => {
    const response = await fetch(appliance.url + path, { signal: abort.signal });
    expect(response.headers.get('content-type')).toBe('multipart/x-mixed-replace; boundary=frame');
    for await (const chunk of response.body ?? []) {
      seen.bytes += chunk.length;
      seen.pictures += Buffer.from(chunk).toString('latin1').split('Content-Type: image/jpeg').length - 1;
    }
  })()
    .catch(() => {}) // ended by the abort, or by the appliance; `ended` tells
    .finally(() => {
      seen.ended = true;
    });
  const close = async () => {
    abort.abort();
    await reading;
  };
  return { seen, close };
}

/** A WebSocket with what came over it. */
function openLink(path: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(appliance.url.replace('http', 'ws') + path, { headers });
  const pictures: Buffer[] = [];
  const texts: PictureRefusal[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  const refused = new Promise<{ status: number; body: string }>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
  socket.on('error', () => {}); // what is refused is looked at by its answer
  socket.on('message', (data, binary) => {
    if (binary) pictures.push(data as Buffer);
    else texts.push(pictureRefusalSchema.parse(JSON.parse(String(data))));
  });
  return { socket, pictures, texts, closed, refused, opened: once(socket, 'open') };
}

async function feed(id: string): Promise<Feed | undefined> {
  return (await appliance.get<Feed[]>('/api/feeds')).find((one) => one.id === id);
}

async function online(id: string): Promise<Feed> {
  return await appliance.until(`${id} is online`, async () => {
    const found = await feed(id);
    return found?.state === 'online' ? found : null;
  });
}

beforeAll(async () => {
  jpeg = makeJpeg('320x180');
  camera = await openCamera(jpeg);
  appliance = await startAppliance({ config: settings(camera.url) });
  await online('cam0');
});

afterAll(async () => {
  await appliance?.[Symbol.asyncDispose]();
  await camera?.[Symbol.asyncDispose]();
});

describe('Pictures of a feed', () => {
  it(`cost one decoder for ${clients} clients, and none without clients`, async () => {
    expect(await decoders()).toBe(0);
    const streams = Array.from({ length: clients }, () => openStream('/stream/cam0.mjpg'));
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
    const state = (await feed('cam0'))?.state;
    expect(state).toBe('online');
  });

  it('come one by one, and over a WebSocket', async () => {
    const response = await fetch(`${appliance.url}/stream/cam0.jpg`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    const picture = Buffer.from(await response.arrayBuffer());
    expect(inspectJpeg(picture)).toMatchObject({ width: 640, height: 360 });
    const link = openLink('/ws/feeds/cam0');
    await appliance.until('pictures', async () => link.pictures.length > 5);
    for (const one of link.pictures) expect(inspectJpeg(one).bytes).toBe(one.length);
    link.socket.close();
    await appliance.until('no decoder is left', async () => (await decoders()) === 0);
  });

  it('are refused honestly where there are none', async () => {
    const unknown = await fetch(`${appliance.url}/stream/nobody.mjpg`);
    expect([unknown.status, (await unknown.json()).code]).toEqual([404, 'FEED_UNKNOWN']);
    const away = await fetch(`${appliance.url}/stream/absent.jpg`);
    expect([away.status, (await away.json()).code]).toEqual([503, 'PICTURE_UNAVAILABLE']);
    expect(away.headers.get('retry-after')).toBe('2');
    expect((await openLink('/ws/feeds/nobody').refused).status).toBe(404);
    await appliance.until('no decoder is left', async () => (await decoders()) === 0);
  });

  it('do not wait for a client that does not read', async () => {
    const slow = new WebSocket(`${appliance.url.replace('http', 'ws')}/ws/feeds/old`);
    await once(slow, 'open');
    slow.pause();
    const fast = openLink('/ws/feeds/old');
    await appliance.until('the other one is served', async () => fast.pictures.length > 30);
    slow.terminate();
    fast.socket.close();
  });
});

describe('Feeds that are expected', () => {
  it('are listed while they are away, with the reason', async () => {
    expect(await feed('absent')).toMatchObject({
      state: 'offline',
      reason: 'usb-not-plugged-in is not plugged in.',
      publisher: null,
    });
    const far = await appliance.until('the pull has failed', async () => {
      const found = await feed('far');
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
    await appliance.until('it was away', async () => (await feed('cam0'))?.state !== 'online');
    await online('cam0');
  });
});

describe('A remote camera of motion JPEG', () => {
  it('is a feed beside the others, its pictures as they came', async () => {
    expect(await online('old')).toMatchObject({
      label: 'Old camera',
      codec: 'mjpeg',
      ...{ width: 320, height: 180 },
      publisher: { kind: 'pull', camera: null },
    });
    const link = openLink('/ws/feeds/old');
    await appliance.until('pictures', async () => link.pictures.length > 3);
    for (const picture of link.pictures) expect(picture.equals(jpeg)).toBe(true);
    link.socket.close();
    expect(await decoders()).toBe(0);
  });
});

describe('The page', () => {
  it('shows feeds of pictures in the grid beside the others', async () => {
    await using browser = await openBrowser(['--allow-loopback-in-peer-connection']);
    const page = await browser.newPage();
    await page.goto(appliance.url);
    await page.waitForSelector('[data-feed="cam0"][data-state="live"]', { timeout: 60_000 });
    await page.waitForSelector('[data-feed="old"][data-state="live"]', { timeout: 60_000 });
    await page.waitForSelector('[data-feed="absent"][data-state="offline"]');
    const size = await page.$eval('[data-feed="old"] img', (image) => {
      const { naturalWidth, naturalHeight } = image as HTMLImageElement;
      return [naturalWidth, naturalHeight];
    });
    expect(size).toEqual([320, 180]);
  });
});

describe('An agent that publishes pictures', () => {
  it('has a feed beside the others, and what is wrong with a picture harms no other', async () => {
    const agent = openLink('/ws/feeds/agent?publish');
    await agent.opened;
    agent.socket.send(jpeg);
    expect(await online('agent')).toMatchObject({ codec: 'mjpeg', width: 320, publisher: { kind: 'jpeg' } });
    const viewer = openLink('/ws/feeds/agent');
    await appliance.until('the picture is seen', async () => viewer.pictures.length === 1);
    expect(viewer.pictures[0]?.equals(jpeg)).toBe(true);
    agent.socket.send(jpeg.subarray(0, -1));
    agent.socket.send(Buffer.from('no picture'));
    await appliance.until('it is told', async () => agent.texts.length > 0);
    expect(agent.texts[0]).toMatchObject({
      type: 'refused',
      code: 'JPEG_INVALID',
      message: expect.stringMatching(/cut off/),
    });
    const larger = makeJpeg('640x360');
    agent.socket.send(larger);
    await appliance.until('the next picture is seen', async () => viewer.pictures.length === 2);
    expect(viewer.pictures[1]?.equals(larger)).toBe(true);
    for (let i = 0; i < 60; i++) agent.socket.send(jpeg);
    await appliance.until('the flood is counted', async () =>
      agent.texts.some(({ code }) => code === 'TOO_FAST'),
    );
    expect((await feed('agent'))?.state).toBe('online');
    const second = await openLink('/ws/feeds/agent?publish').refused;
    expect([second.status, JSON.parse(second.body).code]).toEqual([409, 'FEED_BUSY']);
    const taken = await openLink('/ws/feeds/cam0?publish').refused;
    expect([taken.status, JSON.parse(taken.body).code]).toEqual([409, 'FEED_BUSY']);
    agent.socket.send(jpeg);
    agent.socket.close();
    await appliance.until('it is offline', async () => (await feed('agent'))?.state === 'offline');
    viewer.socket.close();
  });

  it('may be the one that comes along: it publishes until its input ends', async () => {
    const source = ['-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10'];
    const ffmpeg = spawn('ffmpeg', [...source, '-f', 'mpjpeg', '-'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const agent = spawn(
      process.execPath,
      ['supervisor/cli/jpeg-agent.ts', '--hub', appliance.url, '--feed', 'shed'],
      { stdio: [ffmpeg.stdout, 'ignore', 'inherit'] },
    );
    try {
      expect(await online('shed')).toMatchObject({ width: 320, height: 240, publisher: { kind: 'jpeg' } });
      await appliance.until('pictures flow', async () => ((await feed('shed'))?.framesTotal ?? 0) > 20);
    } finally {
      ffmpeg.kill('SIGKILL');
    }
    const [code] = await once(agent, 'exit');
    expect(code).toBe(0);
    await appliance.until('it is offline', async () => (await feed('shed'))?.state === 'offline');
  });

  it.each([
    ['text', () => 'a picture', 1003, /binary/],
    ['too large a picture', () => Buffer.alloc(5 * 1024 * 1024), 1009, /4194304 bytes/],
  ])('is closed for %s', async (_what, message, code, reason) => {
    const agent = openLink('/ws/feeds/other?publish');
    await agent.opened;
    agent.socket.send(message());
    expect(await agent.closed).toEqual({ code, reason: expect.stringMatching(reason) });
  });

  it('is closed for nothing but broken pictures', async () => {
    const agent = openLink('/ws/feeds/other?publish');
    await agent.opened;
    const timer = setInterval(() => agent.socket.send(Buffer.from('broken')), 50);
    expect(await agent.closed).toMatchObject({ code: 1007, reason: expect.stringContaining('not a JPEG') });
    clearInterval(timer);
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
  it('bring remotes and take them away, without a restart', async () => {
    const text = settings(camera.url, `${appliance.url}/whep/cam0`);
    const withoutOld = text.replace(/\[\[remote\]\]\nid = "old"[^[]*/, '');
    const cam0 = await online('cam0');
    await writeFile(appliance.configFile, withoutOld);
    expect(await online('far')).toMatchObject({
      codec: cam0.codec,
      ...{ width: 640, height: 360 },
      publisher: { kind: 'pull', camera: null },
    });
    expect(await feed('old')).toBeUndefined();
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

describe('With keys', () => {
  it('the same key takes its place over, another one is refused, a revoked one is closed', async () => {
    const [port, tlsPort] = [await freePort(), await freePort()];
    await using guarded = await startAppliance({
      config: `role = "hub"\n[http]\nport = ${port}\ntls = false\ntls_port = ${tlsPort}\nauth = "required"\nlisten = ["127.0.0.1"]\n[media]\nudp_port = 0\n[devices]\nadopt = "never"\n`,
      command: [process.execPath, 'supervisor/main.ts'],
    });
    await guarded.until('it answers', async () => (await fetch(`${guarded.url}/healthz`)).ok);
    const owner = (await readFile(`${guarded.data}/owner-token`, 'utf8')).trim();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(guarded.url + path, {
        method,
        headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return response.status === 204 ? null : await response.json();
    };
    const key = async (role: string) => await call('POST', '/api/keys', { role, subject: 'agent' });
    const [mine, others, viewer] = [await key('camera'), await key('camera'), await key('viewer')];
    const simulated = appliance;
    appliance = guarded;
    try {
      const connect = (token: string) =>
        openLink('/ws/feeds/shed?publish=1', { authorization: `Bearer ${token}` });
      const first = connect(mine.token);
      await first.opened;
      expect((await connect(others.token).refused).status).toBe(409);
      expect((await connect(viewer.token).refused).status).toBe(403);
      expect((await openLink('/ws/feeds/shed').refused).status).toBe(401);
      const second = connect(mine.token);
      await second.opened;
      expect(await first.closed).toMatchObject({ code: 4002 });
      second.socket.send(jpeg);
      await guarded.until('the feed is there', async () => {
        const feeds: Feed[] = await call('GET', '/api/feeds');
        return feeds.some(({ id, publisher }) => id === 'shed' && publisher?.camera === 'agent');
      });
      const watching = openLink('/ws/feeds/shed', { authorization: `Bearer ${viewer.token}` });
      await watching.opened;
      const headers = { authorization: `Bearer ${viewer.token}` };
      const stream = await fetch(`${guarded.url}/stream/shed.mjpg`, { headers });
      const streamed = stream.arrayBuffer().then(
        () => 'ended',
        () => 'cut',
      );
      await call('DELETE', `/api/keys/${viewer.id}`);
      expect(await watching.closed).toEqual({ code: 4001, reason: 'the key was revoked' });
      expect(await streamed).toBe('cut');
      await call('DELETE', `/api/keys/${mine.id}`);
      expect(await second.closed).toEqual({ code: 4001, reason: 'the key was revoked' });
    } finally {
      appliance = simulated;
    }
  });
});
