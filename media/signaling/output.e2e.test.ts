import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MediaConfig, mediaConfigSchema } from '../control/protocol.ts';
import { parseRtp } from '../rtp/rtp-packet.ts';
import { AccessUnits } from './access-units.fake.ts';
import { type ForeignManner, ForeignServer } from './foreign-server.fake.ts';
import { eventually, freeRtpPort, type MediaRig, openMediaRig } from './media-rig.fake.ts';
import { AUDIO, NativePeer, VIDEO } from './native-peer.fake.ts';
import { makeRecording, playRecording, startLiveSource } from './recording.fake.ts';
import { TwoDoors } from './two-doors.fake.ts';

type Outputs = MediaConfig['outputs'];

const outputOf = (rig: MediaRig, name = 'other') =>
  rig.service.status().outputs.find(({ output }) => output === name);

const configOf = (rtpPort: number, outputs: Outputs): MediaConfig =>
  mediaConfigSchema.parse({
    udpPort: 0,
    listenAddresses: ['127.0.0.1'],
    ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }],
    pushes: [],
    outputs,
  });

/** A hub with a live feed `cam0`, and a server of somebody else that it sends to. */
async function openScene(manner: ForeignManner = {}) {
  const stack = new AsyncDisposableStack();
  const rtpPort = await freeRtpPort();
  const ffmpeg = startLiveSource(rtpPort);
  stack.defer(() => void ffmpeg.kill('SIGKILL'));
  const far = stack.use(await openMediaRig());
  const server = stack.use(new ForeignServer(far.service, manner));
  const url = `${await server.open()}/whip/live`;
  const hub = stack.use(await openMediaRig({ ingests: [{ feed: 'cam0', rtpPort, kind: 'h264' }] }));
  const send = (outputs: Outputs) => hub.service.configure(configOf(rtpPort, outputs));
  return { hub, far, server, url, send, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const isLive = (rig: MediaRig) => rig.service.feeds.get('live')?.ready ?? false;

describe('A feed that is sent to another server', () => {
  let folder = '';
  let recording = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'output-'));
    recording = join(folder, 'recording.mkv');
    makeRecording(recording, 300);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('arrives there unchanged, access unit by access unit, with its sound', async () => {
    await using far = await openMediaRig();
    await using hub = await openMediaRig({
      outputs: [{ output: 'other', feed: 'cam0', url: `${far.url}/whip/live` }],
    });
    using publisher = new NativePeer('SendOnly', { audio: true });
    await publisher.connect(`${hub.url}/whip/cam0`);
    const sent = new AccessUnits();
    const played = playRecording(recording, 1.5, (kind, packet) => {
      const target = kind === 'video' ? VIDEO : AUDIO;
      if ((packet[1] ?? 0) >= 200 && (packet[1] ?? 0) <= 204) return;
      packet.writeUInt32BE(target.ssrc, 8);
      packet.writeUInt8((packet.readUInt8(1) & 0x80) | target.payloadType, 1);
      const parsed = kind === 'video' ? parseRtp(packet) : null;
      if (parsed !== null) sent.push(parsed);
      (kind === 'video' ? publisher.video : publisher.audio)?.sendMessageBinary(packet);
    });
    await eventually(() => isLive(far), 'the other server has the feed');
    using viewer = new NativePeer('RecvOnly', { audio: true });
    const received = new AccessUnits();
    let sounds = 0;
    viewer.onPacket('video', (packet) => received.push(packet));
    viewer.onPacket('audio', () => sounds++);
    await viewer.connect(`${far.url}/whep/live`);
    await played;
    await new Promise((resolve) => setTimeout(resolve, 500));
    // The first one is a keyframe with its parameter sets, wherever the viewer came in; after it all are alike.
    const units = received.digests.slice(1);
    const start = sent.digests.indexOf(units[0] ?? '');
    expect(start).toBeGreaterThanOrEqual(0);
    expect(units.length).toBeGreaterThan(100);
    expect(units).toEqual(sent.digests.slice(start, start + units.length));
    expect(sounds).toBeGreaterThan(100);
    const [feed] = far.service.feeds.stats(performance.now());
    expect(feed).toMatchObject({ audioCodec: 'opus', width: 640, height: 360, packetsLost: 0 });
  });

  it('reconnects for sound that starts later', async () => {
    await using far = await openMediaRig();
    await using hub = await openMediaRig({
      outputs: [{ output: 'other', feed: 'cam0', url: `${far.url}/whip/live` }],
    });
    let turn = 0;
    const publish = async (audio: boolean) => {
      // The one before is replaced, and its tracks are closed.
      const own = ++turn;
      const publisher = new NativePeer('SendOnly', { audio });
      await publisher.connect(`${hub.url}/whip/cam0`, { authorization: 'Bearer camera' });
      const played = playRecording(recording, 1, (kind, packet) => {
        const target = kind === 'video' ? VIDEO : AUDIO;
        if (own !== turn || ((packet[1] ?? 0) >= 200 && (packet[1] ?? 0) <= 204)) return;
        packet.writeUInt32BE(target.ssrc, 8);
        packet.writeUInt8((packet.readUInt8(1) & 0x80) | target.payloadType, 1);
        (kind === 'video' ? publisher.video : publisher.audio)?.sendMessageBinary(packet);
      });
      return { publisher, played };
    };
    const silent = await publish(false);
    await eventually(() => isLive(far), 'the other server has the picture');
    const codec = () => far.service.feeds.stats(performance.now())[0]?.audioCodec;
    expect(codec()).toBeNull();
    const loud = await publish(true);
    await eventually(() => codec() === 'opus', 'the other server has the sound').finally(() => turn++);
    await eventually(() => outputOf(hub)?.connections === 2, 'by a second session');
    await Promise.all([silent.played, loud.played]);
    silent.publisher[Symbol.dispose]();
    loud.publisher[Symbol.dispose]();
  });

  it('is ended at the server when it is removed, and nothing else is affected', async () => {
    await using scene = await openScene();
    using viewer = new NativePeer('RecvOnly', { audio: false });
    let packets = 0;
    viewer.onPacket('video', () => packets++);
    await eventually(() => scene.hub.service.feeds.get('cam0')?.ready ?? false, 'the feed is there');
    await viewer.connect(`${scene.hub.url}/whep/cam0`);
    await scene.send([{ output: 'other', feed: 'cam0', url: scene.url, token: 'stream-key' }]);
    await eventually(() => isLive(scene.far), 'the server has it');
    expect(outputOf(scene.hub)).toMatchObject({ state: 'connected', reason: null, connections: 1 });
    expect(JSON.stringify(scene.hub.service.status())).not.toMatch(/stream-key|whip\/live/);
    await scene.send([]);
    expect(scene.server.of('DELETE')).toMatchObject([{ authorization: 'Bearer stream-key' }]);
    await eventually(() => !isLive(scene.far), 'the server lost it');
    expect(scene.hub.events.filter(({ event }) => event === 'session-closed')).toEqual([]);
    const before = packets;
    await eventually(() => packets > before + 30, 'the viewer goes on');
  });

  it('follows a redirect to another server, which never sees the token', async () => {
    await using scene = await openScene();
    await using front = new ForeignServer(scene.far.service, {
      trick: ({ method }, response) => {
        if (method === 'POST') response.writeHead(307, { location: scene.url }).end();
        return method === 'POST';
      },
    });
    await scene.send([
      { output: 'other', feed: 'cam0', url: `${await front.open()}/whip/live`, token: 'secret' },
    ]);
    await eventually(() => isLive(scene.far), 'the server has it');
    await scene.send([]);
    expect(front.requests.map(({ authorization }) => authorization)).toEqual(['Bearer secret']);
    expect(scene.server.requests.map(({ method }) => method)).toEqual(['POST', 'DELETE']);
    expect(scene.server.requests.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
  });

  const hostName = (answer: string) =>
    answer.replace(/^(a=candidate:.* )127\.0\.0\.1( .*)$/gm, '$1localhost$2');
  const sixFirst = (answer: string) =>
    answer.replace(/^a=candidate:/m, 'a=candidate:9 1 udp 2130706431 2001:db8::7 9 typ host\r\na=candidate:');
  it.each<[string, ForeignManner]>([
    ['no Location', { headers: () => ({}) }],
    ['a Location relative to the endpoint', { headers: (session) => ({ location: session.slice(6) }) }],
    ['candidates by name', { edit: hostName }],
    ['candidates of IPv6 first', { edit: sixFirst }],
    [
      'ICE servers',
      { headers: (location) => ({ location, link: '<turn:turn.example:3478>; rel="ice-server"' }) },
    ],
  ])('gets along with %s', async (_name, manner) => {
    await using scene = await openScene(manner);
    await scene.send([{ output: 'other', feed: 'cam0', url: scene.url }]);
    await eventually(() => isLive(scene.far), 'the server has it');
    expect(outputOf(scene.hub)?.state).toBe('connected');
  });

  it('works with a server that answers from another address than the one it checks', async () => {
    await using doors = new TwoDoors();
    await doors.open();
    await using scene = await openScene({ edit: (answer) => doors.edit(answer) });
    await scene.send([{ output: 'other', feed: 'cam0', url: scene.url }]);
    await eventually(() => isLive(scene.far), 'the server has it', 8000);
  });

  it('explains a rejection in plain words, waits as long as asked, and recovers by itself', async () => {
    let refuses = true;
    await using scene = await openScene({
      trick: (_request, response) => {
        if (!refuses) return false;
        response.writeHead(503, { 'retry-after': '2', 'content-type': 'application/json' });
        response.end('{"error":"no room for token abc and key 0123456789abcdef"}');
        return true;
      },
    });
    const url = `${scene.url.replace('/whip/live', '/whip/0123456789abcdef')}`;
    await scene.send([{ output: 'other', feed: 'cam0', url, token: 'abc' }]);
    await eventually(() => outputOf(scene.hub)?.state === 'failed', 'it is refused');
    const { reason, retryInMs } = outputOf(scene.hub) ?? {};
    expect(reason).toBe(
      'The server has no capacity now (503). It is tried again automatically. It said: no room for token … and key …',
    );
    expect(retryInMs).toBeGreaterThanOrEqual(2000);
    refuses = false;
    await eventually(() => outputOf(scene.hub)?.state === 'connected', 'it comes by itself');
    expect(scene.server.of('POST')).toHaveLength(2);
  });

  it('affects nothing else if a server accepts and never answers', async () => {
    await using scene = await openScene();
    const hung = createServer(() => {});
    hung.listen(0, '127.0.0.1');
    await once(hung, 'listening');
    const address = hung.address();
    const port = typeof address === 'object' ? address?.port : null;
    const stuck = Array.from({ length: 8 }, (_, i) => ({
      output: `stuck${i}`,
      feed: 'cam0',
      url: `http://127.0.0.1:${port}/whip`,
    }));
    try {
      await scene.send(stuck);
      await eventually(() => outputOf(scene.hub, 'stuck7')?.state === 'connecting', 'they wait');
      await scene.send([...stuck, { output: 'other', feed: 'cam0', url: scene.url }]);
      await eventually(() => isLive(scene.far), 'another output works beside them');
      using viewer = new NativePeer('RecvOnly', { audio: false });
      await viewer.connect(`${scene.hub.url}/whep/cam0`);
      expect(outputOf(scene.hub, 'stuck7')?.state).toBe('connecting');
      await scene.send([{ output: 'other', feed: 'cam0', url: scene.url }]);
      expect(scene.hub.service.status().outputs).toMatchObject([{ output: 'other', connections: 1 }]);
    } finally {
      hung.close();
    }
  });
});
