/** A media service over a plane of choice, with a pipeline whose every packet is made by the test. */
import { createSocket } from 'node:dgram';
import { pino } from 'pino';
import { MediaService } from '../control/media-service.ts';
import { type MediaConfig, mediaConfigSchema } from '../control/protocol.ts';
import { loadNative } from '../datapath/native/native-binding.ts';
import { buildRtp } from '../rtp/rtp-packet.ts';
import { freeRtpPort } from '../signaling/media-rig.fake.ts';
import type { MediaPlane } from './media-plane.ts';
import { createNativePlane } from './native-plane.ts';
import { createNodePlane } from './node-plane.ts';

/** A sequence parameter set: 1920x1080. */
export const SPS = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');
/** Its picture parameter set. */
export const PPS = Buffer.from('68ce3c80', 'hex');

/** The two planes. */
export type PlaneKind = 'native' | 'JavaScript';

/** Makes a plane. */
export async function openPlane(kind: PlaneKind): Promise<MediaPlane> {
  const options = { logger: pino({ level: process.env.TEST_LOG ?? 'silent' }) };
  if (kind === 'JavaScript') return await createNodePlane(options);
  const native = loadNative();
  if (!('addon' in native)) throw new Error(`no native datapath: ${native.reason}`);
  return createNativePlane(native.addon, options);
}

/** A picture's payloads: parameter sets before keyframes, slices that tell their number. */
export function picture(number: number, keyframe: boolean, packets = 2, bytes = 200): Buffer[] {
  const slices = Array.from({ length: packets }, (_, i) => {
    const slice = Buffer.alloc(bytes, i);
    slice.writeUInt8(keyframe ? 0x65 : 0x41, 0);
    slice.writeUInt32BE(number, 1);
    return slice;
  });
  return keyframe ? [SPS, PPS, ...slices] : slices;
}

/** Numbers and sends what a pipeline or a publisher sends. */
export class Stream {
  readonly send: (packet: StreamPacket) => void;
  ssrc = 4711;
  sequence = 1000;
  timestamp = 90_000;

  constructor(send: (packet: StreamPacket) => void) {
    this.send = send;
  }

  /** Sends one picture; `lose` names packets of it, by index, that are only numbered. Gives all its packets. */
  picture(payloads: readonly Buffer[], lose: readonly number[] = []): StreamPacket[] {
    const packets = payloads.map((payload, i) => ({
      ssrc: this.ssrc,
      sequence: this.sequence++,
      timestamp: this.timestamp >>> 0,
      marker: i === payloads.length - 1,
      payload,
    }));
    packets.forEach((packet, i) => {
      if (!lose.includes(i)) this.send(packet);
    });
    this.timestamp += 3000;
    return packets;
  }
}

/** A packet of the test. */
export interface StreamPacket {
  readonly ssrc: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** The service and the means to send to it. */
export interface PlaneRig extends AsyncDisposable {
  readonly service: MediaService;
  readonly plane: MediaPlane;
  /** Sends to the ingest of feed `cam0`, which is there where `ingest` was wanted. */
  readonly pipeline: Stream;
  /** Sends any datagram to the ingest. */
  readonly sendRaw: (datagram: Buffer) => void;
}

/** Opens one. */
export async function openPlaneRig(
  kind: PlaneKind,
  options: { readonly ingest: boolean } & Partial<MediaConfig>,
): Promise<PlaneRig> {
  const { ingest, ...config } = options;
  const plane = await openPlane(kind);
  const logger = pino({ level: 'silent' });
  const service = new MediaService({ datapath: plane, logger, onEvent: () => {} });
  const rtpPort = await freeRtpPort();
  const { problems } = await service.configure(
    mediaConfigSchema.parse({
      udpPort: 0,
      listenAddresses: ['127.0.0.1'],
      ingests: ingest ? [{ feed: 'cam0', rtpPort, kind: 'h264' }] : [],
      pushes: [],
      ...config,
    }),
  );
  if (problems.length > 0) throw new Error(problems.join('; '));
  const socket = createSocket('udp4');
  const sendRaw = (datagram: Buffer): void => socket.send(datagram, rtpPort, '127.0.0.1');
  return {
    service,
    plane,
    sendRaw,
    pipeline: new Stream((packet) =>
      sendRaw(buildRtp({ ...packet, payloadType: 96, sequence: packet.sequence & 0xffff })),
    ),
    async [Symbol.asyncDispose]() {
      socket.close();
      await service[Symbol.asyncDispose]();
      await plane[Symbol.asyncDispose]();
    },
  };
}
