import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Feed } from '../supervisor/contract/index.ts';
import { type ApplianceProcess, freePort, freeUdpPort, startAppliance } from './testing/appliance-process.ts';
import { feedOf, feedOnline, makeJpeg, openLink } from './testing/picture-clients.ts';

const settings = `
role = "hub"
[[source]]
id = "cam0"
kind = "test"
width = 640
height = 360
[masters]
codec = "off"
`;

let appliance: ApplianceProcess;
const jpeg = makeJpeg('320x180');

beforeAll(async () => {
  appliance = await startAppliance({ config: settings });
  await feedOnline(appliance, 'cam0');
});

afterAll(async () => {
  await appliance?.[Symbol.asyncDispose]();
});

describe('An agent that publishes pictures', () => {
  it('has a feed beside the others, and a bad picture affects no other', async () => {
    const agent = openLink(appliance.url, '/ws/feeds/agent?publish');
    await agent.opened;
    agent.socket.send(jpeg);
    expect(await feedOnline(appliance, 'agent')).toMatchObject({
      codec: 'mjpeg',
      width: 320,
      publisher: { kind: 'jpeg' },
    });
    const viewer = openLink(appliance.url, '/ws/feeds/agent');
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
    expect((await feedOf(appliance, 'agent'))?.state).toBe('online');
    const second = await openLink(appliance.url, '/ws/feeds/agent?publish').refused;
    expect([second.status, JSON.parse(second.body).code]).toEqual([409, 'FEED_BUSY']);
    const taken = await openLink(appliance.url, '/ws/feeds/cam0?publish').refused;
    expect([taken.status, JSON.parse(taken.body).code]).toEqual([409, 'FEED_BUSY']);
    agent.socket.send(jpeg);
    agent.socket.close();
    await appliance.until(
      'it is offline',
      async () => (await feedOf(appliance, 'agent'))?.state === 'offline',
    );
    viewer.socket.close();
  });

  it('may be the bundled one: it publishes until its input ends', async () => {
    const source = ['-loglevel', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=10'];
    const ffmpeg = spawn('ffmpeg', [...source, '-f', 'mpjpeg', '-'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const agent = spawn(
      process.execPath,
      ['supervisor/cli/jpeg-agent.ts', '--hub', appliance.url, '--feed', 'shed'],
      { stdio: [ffmpeg.stdout, 'ignore', 'inherit'] },
    );
    try {
      expect(await feedOnline(appliance, 'shed')).toMatchObject({
        width: 320,
        height: 240,
        publisher: { kind: 'jpeg' },
      });
      await appliance.until(
        'pictures flow',
        async () => ((await feedOf(appliance, 'shed'))?.framesTotal ?? 0) > 20,
      );
    } finally {
      ffmpeg.kill('SIGKILL');
    }
    const [code] = await once(agent, 'exit');
    expect(code).toBe(0);
    await appliance.until(
      'it is offline',
      async () => (await feedOf(appliance, 'shed'))?.state === 'offline',
    );
  });

  it.each([
    ['text', () => 'a picture', 1003, /binary/],
    ['too large a picture', () => Buffer.alloc(5 * 1024 * 1024), 1009, /4194304 bytes/],
  ])('is disconnected for %s', async (_what, message, code, reason) => {
    const agent = openLink(appliance.url, '/ws/feeds/other?publish');
    await agent.opened;
    agent.socket.send(message());
    expect(await agent.closed).toEqual({ code, reason: expect.stringMatching(reason) });
  });

  it('is disconnected if all its pictures are broken', async () => {
    const agent = openLink(appliance.url, '/ws/feeds/other?publish');
    await agent.opened;
    const timer = setInterval(() => agent.socket.send(Buffer.from('broken')), 50);
    expect(await agent.closed).toMatchObject({ code: 1007, reason: expect.stringContaining('not a JPEG') });
    clearInterval(timer);
  });
});

describe('With keys', () => {
  it('the same key takes over its place, another one is rejected, a revoked one is disconnected', async () => {
    const [port, tlsPort, udpPort] = [await freePort(), await freePort(), await freeUdpPort()];
    await using guarded = await startAppliance({
      config: `role = "hub"\n[http]\nport = ${port}\ntls = false\ntls_port = ${tlsPort}\nauth = "required"\nlisten = ["127.0.0.1"]\n[media]\nudp_port = ${udpPort}\n[devices]\nadopt = "never"\n`,
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
    const connect = (token: string) =>
      openLink(guarded.url, '/ws/feeds/shed?publish=1', { authorization: `Bearer ${token}` });
    const first = connect(mine.token);
    await first.opened;
    expect((await connect(others.token).refused).status).toBe(409);
    expect((await connect(viewer.token).refused).status).toBe(403);
    expect((await openLink(guarded.url, '/ws/feeds/shed').refused).status).toBe(401);
    const second = connect(mine.token);
    await second.opened;
    expect(await first.closed).toMatchObject({ code: 4002 });
    second.socket.send(jpeg);
    await guarded.until('the feed is there', async () => {
      const feeds: Feed[] = await call('GET', '/api/feeds');
      return feeds.some(({ id, publisher }) => id === 'shed' && publisher?.camera === 'agent');
    });
    const watching = openLink(guarded.url, '/ws/feeds/shed', { authorization: `Bearer ${viewer.token}` });
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
  });
});
