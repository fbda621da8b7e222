import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { IceCandidate } from '../datapath/datapath.ts';
import { eventually } from '../signaling/media-rig.fake.ts';
import { openPlaneRig, type PlaneRig, picture, Stream } from './plane-rig.fake.ts';
import { RawPeer } from './raw-peer.fake.ts';
import { framed, StreamWay } from './stream-way.fake.ts';

/** Where the hub takes TCP connections, as an answer says. */
function tcpOf(answer: string): IceCandidate {
  const line = /^a=candidate:\S+ 1 tcp \d+ (\S+) (\d+) typ host tcptype passive\r$/m.exec(answer);
  if (line?.[1] === undefined) throw new Error('the answer has no TCP candidate');
  return { address: line[1], port: Number(line[2]) };
}

/** The same where nobody views yet: TCP has the number of the UDP port. */
function listenerOf(rig: PlaneRig): IceCandidate {
  const [udp] = rig.plane.bound;
  if (udp === undefined) throw new Error('not bound');
  return udp;
}

/** Sends pictures as a pipeline does, with a keyframe every `gop`, until the result is disposed of. */
function play(stream: Stream, options: { gop: number; packets?: number; bytes?: number }): Disposable {
  let number = 0;
  const timer = setInterval(() => {
    stream.picture(picture(number, number++ % options.gop === 0, options.packets ?? 2, options.bytes ?? 200));
  }, 20);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** A port that was free a moment ago, for UDP and TCP. */
async function freePort(): Promise<number> {
  for (;;) {
    const [server, socket] = [createServer(), createSocket('udp4')];
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    server.close();
    socket.close();
    if (isFree) return port;
  }
}

async function openRig(ingest = true): Promise<PlaneRig> {
  const udpPort = await freePort();
  return await openPlaneRig('native', { ingest, udpPort, tcpPort: 0 });
}

async function online(rig: PlaneRig): Promise<void> {
  await eventually(() => rig.service.feeds.get('cam0')?.ready === true, 'the feed is online');
}

function highestPicture(peer: RawPeer): number {
  const slices = peer.packets.filter(({ payload }) => payload.length > 100);
  return Math.max(-1, ...slices.map(({ payload }) => payload.readUInt32BE(1)));
}

/** Connections that are still open. */
async function opened(hub: IceCandidate, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(hub.port, hub.address));
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => {
        // Reset by the hub, which `close` says, too.
      });
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    }),
  );
  return sockets;
}

it('An answer offers TCP after all of UDP, where the datapath has it', async () => {
  await using rig = await openPlaneRig('native', {
    ...{ ingest: true, udpPort: await freePort(), tcpPort: 0 },
    listenAddresses: ['127.0.0.1', '127.0.0.2', '::1'],
  });
  using _ = play(rig.pipeline, { gop: 5 });
  await online(rig);
  await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
  const offered = [
    ...viewer.answer.matchAll(/^a=candidate:\S+ 1 (udp|tcp) (\d+) (\S+) (\d+) (typ host.*)\r$/gm),
  ];
  expect(offered.map(([, protocol]) => protocol)).toEqual(['udp', 'udp', 'udp', 'tcp', 'tcp', 'tcp']);
  expect(offered.slice(3).map(([, , , address]) => address)).toEqual(['127.0.0.1', '127.0.0.2', '::1']);
  expect(new Set(offered.slice(3).map((line) => line[5]))).toEqual(new Set(['typ host tcptype passive']));
  const priorities = offered.map(([, , priority]) => Number(priority));
  expect(priorities).toEqual(priorities.toSorted((a, b) => b - a));
  expect(new Set(priorities).size).toBe(6);
});

it('The datapath in JavaScript offers no TCP', async () => {
  await using rig = await openPlaneRig('JavaScript', { ingest: true, tcpPort: 0 });
  using _ = play(rig.pipeline, { gop: 5 });
  await online(rig);
  await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0');
  expect(viewer.answer).toMatch(/^a=candidate:\S+ 1 udp /m);
  expect(viewer.answer).not.toMatch(/^a=candidate:\S+ 1 tcp /m);
});

it('A viewer plays by TCP alone, and its connection ends with its session', async () => {
  await using rig = await openRig();
  using _ = play(rig.pipeline, { gop: 25 });
  await online(rig);
  using way = await StreamWay.open(listenerOf(rig));
  await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', () => way.entry);
  expect(tcpOf(viewer.answer)).toEqual(listenerOf(rig));
  await eventually(() => highestPicture(viewer) > 50, 'pictures come');
  await eventually(() => viewer.count('sender-report') > 0, 'reports come');
  const numbers = viewer.sequences.toSorted((a, b) => a - b);
  expect(numbers.length).toBe((numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1);
  rig.service.closeSession({ sessionId: viewer.sessionId });
  await eventually(() => way.closed, 'the connection ends');
});

it('A publisher sends by TCP alone', async () => {
  await using rig = await openRig(false);
  using way = await StreamWay.open(listenerOf(rig));
  await using publisher = await RawPeer.open(rig.service, 'whip', 'cam0', () => way.entry);
  using _ = play(new Stream((packet) => publisher.send(packet)), { gop: 5 });
  await online(rig);
  await eventually(() => publisher.count('remb') > 0, 'reports come');
});

it('A viewer whose connection takes nothing for a while holds nobody back, and goes on at a keyframe', async () => {
  await using rig = await openRig();
  // 4 Mbit/s: a second or two fills every buffer on the way.
  using _ = play(rig.pipeline, { gop: 25, packets: 8, bytes: 1200 });
  await online(rig);
  using way = await StreamWay.open(listenerOf(rig));
  await using slow = await RawPeer.open(rig.service, 'whep', 'cam0', () => way.entry);
  await using other = await RawPeer.open(rig.service, 'whep', 'cam0');
  await eventually(() => highestPicture(slow) > 10 && highestPicture(other) > 10, 'both play');
  way.socket.pause();
  const from = highestPicture(other);
  const skipped = () =>
    rig.service.feeds.stats(performance.now())[0]?.viewers.map(({ skippedFrames }) => skippedFrames) ?? [];
  await eventually(() => Math.max(...skipped()) > 25, 'what it cannot get is left out', 12_000);
  expect(Math.min(...skipped())).toBe(0);
  await eventually(() => highestPicture(other) > from + 25, 'the other one goes on');
  const live = highestPicture(other);
  way.socket.resume();
  await eventually(() => highestPicture(slow) > live, 'the slow one is live again');
});

it('Connections that say nothing, or no check, are cut; so are those that frame what no datagram is', async () => {
  await using rig = await openRig();
  const hub = listenerOf(rig);
  const [silent, media, long, stranger] = await opened(hub, 4);
  if (!silent || !media || !long || !stranger) throw new Error('not connected');
  media.write(framed(Buffer.alloc(100, 0x80)));
  long.write(Buffer.from([0xff, 0xff]));
  const check = Buffer.concat([Buffer.from('000100002112a442', 'hex'), Buffer.alloc(12, 7)]);
  stranger.write(framed(check));
  await eventually(() => media.closed && long.closed, 'what is wrong is cut at once', 2000);
  expect([silent.closed, stranger.closed]).toEqual([false, false]);
  await eventually(() => silent.closed && stranger.closed, 'who proves nothing is cut', 8000);
});

it('One stranger gets few connections, and takes no place of somebody who proved who it is', async () => {
  await using rig = await openRig();
  using _ = play(rig.pipeline, { gop: 25 });
  await online(rig);
  const hub = listenerOf(rig);
  using way = await StreamWay.open(hub);
  await using viewer = await RawPeer.open(rig.service, 'whep', 'cam0', () => way.entry);
  const sockets = await opened(hub, 40);
  await eventually(() => sockets.filter((socket) => !socket.closed).length <= 16, 'the others are cut', 3000);
  expect(sockets.filter((socket) => !socket.closed)).toHaveLength(16);
  const seen = highestPicture(viewer);
  await eventually(() => highestPicture(viewer) > seen + 20, 'the viewer goes on');
  for (const socket of sockets) socket.destroy();
});
