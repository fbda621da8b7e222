import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, freeRtpPort } from '../signaling/media-rig.fake.ts';
import { startLiveSource } from '../signaling/recording.fake.ts';
import { MediaClient } from './media-client.ts';
import type { MediaEvent } from './protocol.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const logger = pino({ level: 'silent' });
const config = { udpPort: 0, listenAddresses: ['127.0.0.1'], ingests: [], pushes: [] };

let folder = '';
let socketPath = '';
let children: ChildProcess[] = [];

function startProcess(orphanTimeoutMs = 60_000): ChildProcess {
  const child = spawn(process.execPath, [
    main,
    '--socket',
    socketPath,
    '--orphan-timeout-ms',
    String(orphanTimeoutMs),
  ]);
  child.stdout?.resume();
  child.stderr?.resume();
  children.push(child);
  return child;
}

/** Runs a client for the time of `body`. */
async function withClient(body: (client: MediaClient) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const client = new MediaClient({ socketPath, logger });
  const running = client.run(abort.signal);
  try {
    await body(client);
  } finally {
    abort.abort();
    await running;
  }
}

describe('The media process', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'media-control-'));
    socketPath = join(folder, 'media.sock');
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children = [];
    await rm(folder, { recursive: true, force: true });
  });

  it('answers, rejects malformed requests and keeps the codes of its errors', async () => {
    startProcess();
    await withClient(async (client) => {
      await eventually(() => client.connected, 'the channel is up');
      expect(await client.configure(config)).toEqual([]);
      expect((await client.status()).bound).toEqual([{ address: '127.0.0.1', port: expect.any(Number) }]);
      expect(await client.feeds()).toEqual([]);
      await expect(client.whepOffer({ feed: 'none', sdp: 'v=0', peer: null })).rejects.toMatchObject({
        code: 'NO_PUBLISHER',
        retryAfterS: 2,
      });
      await expect(
        client.whipOffer({ feed: 'cam0', sdp: 'nonsense', peer: null, publisherKey: null }),
      ).rejects.toMatchObject({ code: 'SDP_INVALID' });
      await expect(client.closeSession('0123')).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
      await expect(client.whepOffer({ feed: 'Not A Feed', sdp: 'x', peer: null })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
      await expect(client.request('nothing' as 'feeds', {})).rejects.toMatchObject({
        code: 'METHOD_UNKNOWN',
      });
      expect(await client.feeds()).toEqual([]);
    });
  });

  it('survives a client that sends garbage', async () => {
    startProcess();
    await withClient(async (client) => {
      await eventually(() => client.connected, 'the channel is up');
      const stranger = createConnection(socketPath);
      await once(stranger, 'connect');
      stranger.write('{"id":1}\nnot json\n');
      await once(stranger, 'close');
      expect(await client.feeds()).toEqual([]);
    });
  });

  it('outlives its supervisor, is not disturbed by the next one and reports everything to it', async () => {
    const child = startProcess();
    const rtpPort = await freeRtpPort();
    const wanted = { ...config, ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' as const }] };
    const ffmpeg = startLiveSource(rtpPort, { size: '320x180' });
    try {
      let bound: unknown;
      let frames = 0;
      await withClient(async (client) => {
        await client.configure(wanted);
        await eventually(
          async () => client.connected && (await client.feeds())[0]?.state === 'online',
          'online',
        );
        bound = (await client.status()).bound;
        frames = (await client.feeds())[0]?.framesTotal ?? 0;
      });
      await withClient(async (client) => {
        const events: MediaEvent[] = [];
        client.events.on('event', (event) => events.push(event));
        await client.configure(wanted);
        await client.subscribeMetrics(100);
        await eventually(() => events.some((event) => event.event === 'metrics'), 'metrics arrive');
        expect((await client.status()).bound).toEqual(bound);
        expect(events.filter((event) => event.event === 'feed')).toEqual([]);
        expect((await client.feeds())[0]?.framesTotal).toBeGreaterThan(frames);
        ffmpeg.kill('SIGKILL');
        await eventually(
          () => events.some((event) => event.event === 'feed' && event.state === 'stalled'),
          'the stall is told',
        );
      });
      expect(child.exitCode).toBeNull();
    } finally {
      ffmpeg.kill('SIGKILL');
    }
  });

  it('gets its configuration again after a crash', async () => {
    const rtpPort = await freeRtpPort();
    await withClient(async (client) => {
      expect(
        await client.configure({ ...config, ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] }),
      ).toBeNull();
      await expect(client.feeds()).rejects.toMatchObject({ code: 'MEDIA_UNAVAILABLE' });
      const first = startProcess();
      await eventually(async () => client.connected && (await client.feeds()).length === 1, 'configured');
      first.kill('SIGKILL');
      await eventually(() => !client.connected, 'the crash is noticed');
      startProcess();
      await eventually(
        async () => client.connected && (await client.feeds()).length === 1,
        'configured again',
      );
    });
  });

  it('names what it cannot set up and does the rest', async () => {
    startProcess();
    const taken = await freeRtpPort();
    await withClient(async (client) => {
      await eventually(() => client.connected, 'the channel is up');
      const problems = await client.configure({
        ...config,
        ingests: [
          { feed: 'cam0', rtpPort: taken, kind: 'h264' },
          { feed: 'cam1', rtpPort: taken, kind: 'h264' },
        ],
      });
      expect(problems).toEqual([expect.stringMatching(/ingest cam1.*EADDRINUSE/)]);
      expect((await client.feeds()).map((feed) => feed.feed)).toContain('cam0');
    });
  });

  it('ends by itself when nobody is in control any more, and at once on request', async () => {
    const orphan = startProcess(300);
    expect(await once(orphan, 'exit')).toEqual([0, null]);
    const asked = startProcess();
    await withClient(async (client) => {
      await eventually(() => client.connected, 'the channel is up');
      await client.configure(config);
      asked.kill('SIGTERM');
      expect(await once(asked, 'exit')).toEqual([0, null]);
    });
  });
});
