import { pino } from 'pino';
import type { MediaService } from '../control/media-service.ts';
import type { IceCandidate, PacketDatapath } from '../datapath/datapath.ts';
import { createNodeDatapath } from '../datapath/node/node-datapath.ts';
import { NodeTransport } from '../datapath/node/node-transport.ts';
import { NackGenerator } from '../rtp/nack-generator.ts';
import { parseRtcp, type RtcpPacket } from '../rtp/rtcp.ts';
import { buildCanonicalName, buildNack, buildPictureLoss, buildReceiverReport } from '../rtp/rtcp-build.ts';
import { parseRtp, type RtpPacket } from '../rtp/rtp-packet.ts';
import { SequenceUnwrapper } from '../rtp/sequence.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';
import { parseAnswer } from '../signaling/offer.ts';
import type { LayerName } from './layer.ts';

/** A WHIP or WHEP client whose every packet is made and seen by the test. */
export class RawPeer implements AsyncDisposable {
  readonly packets: RtpPacket[] = [];
  readonly reports: RtcpPacket[] = [];
  readonly transport: NodeTransport;
  readonly #datapath: PacketDatapath;
  sessionId = '';
  answer = '';

  private constructor(datapath: PacketDatapath, transport: NodeTransport) {
    this.#datapath = datapath;
    this.transport = transport;
    transport.events.on('rtp', (datagram) => {
      const packet = parseRtp(datagram);
      if (packet !== null) this.packets.push(packet);
    });
    transport.events.on('rtcp', (compound) => this.reports.push(...parseRtcp(compound)));
  }

  /**
   * `way` may lead elsewhere than to where the answer says, such as through something that loses packets. `offered` are
   * further lines of the offer, about payload type 97.
   */
  static async open(
    service: Pick<MediaService, 'whipOffer' | 'whepOffer'>,
    kind: 'whip' | 'whep',
    feed: string,
    way: (candidate: IceCandidate) => IceCandidate = (candidate) => candidate,
    offered: readonly string[] = [],
    codec: VideoCodec = 'h264',
  ): Promise<RawPeer> {
    // A busy machine, or a test that holds up its way, is not a hub that is gone.
    const datapath = await createNodeDatapath({ logger: pino({ level: 'silent' }), hubSilenceMs: 15_000 });
    const transport = await datapath.openTransport('controlling');
    if (!(transport instanceof NodeTransport)) throw new TypeError('not a transport of JavaScript');
    const peer = new RawPeer(datapath, transport);
    const sdp = offerOf(transport, datapath, kind === 'whip' ? 'sendonly' : 'recvonly', offered, codec);
    const answered =
      kind === 'whip'
        ? await service.whipOffer({ feed, sdp, peer: null, publisherKey: null })
        : await service.whepOffer({ feed, sdp, peer: null });
    peer.sessionId = answered.sessionId;
    peer.answer = answered.answer;
    const answer = parseAnswer(answered.answer);
    const connected = Promise.withResolvers<void>();
    transport.events.on('state', (state) => {
      if (state === 'connected') connected.resolve();
      if (state === 'closed') connected.reject(new Error('the session closed'));
    });
    transport.connect({
      ...answer.ice,
      candidates: answer.candidates.map(way),
      fingerprints: answer.fingerprints,
      dtlsRole: answer.setup === 'active' ? 'server' : 'client',
    });
    await connected.promise;
    return peer;
  }

  /** Publishes one layer of a feed, with the key of its publisher; null where nobody needs one. */
  static publish(
    service: MediaService,
    feed: string,
    layer: LayerName,
    publisherKey: string | null,
  ): Promise<RawPeer> {
    const whipOffer: MediaService['whipOffer'] = (params) =>
      service.whipOffer({ ...params, layer, publisherKey });
    return RawPeer.open({ whipOffer, whepOffer: (params) => service.whepOffer(params) }, 'whip', feed);
  }

  /** Numbers in the order in which they came. */
  get sequences(): number[] {
    return this.packets.map(({ sequence }) => sequence);
  }

  count(kind: RtcpPacket['kind']): number {
    return this.reports.filter((report) => report.kind === kind).length;
  }

  /** Asks for what is missing, or for a keyframe if that is too much, as browsers do, until the result is disposed of. */
  repairs(): Disposable {
    const nacks = new NackGenerator();
    const unwrapper = new SequenceUnwrapper();
    this.transport.events.on('rtp', (datagram) => {
      nacks.arrived(unwrapper.unwrap(datagram.readUInt16BE(2)), performance.now());
    });
    let abandoned = 0;
    const timer = setInterval(() => {
      const due = nacks.due(performance.now()).map((extended) => extended & 0xffff);
      const { ssrc } = this.packets[0] ?? { ssrc: 0 };
      const head = [buildReceiverReport(1, []), buildCanonicalName(1, 'test')];
      if (due.length > 0) this.transport.sendRtcp(Buffer.concat([...head, buildNack(1, ssrc, due)]));
      if (nacks.abandoned > abandoned)
        this.transport.sendRtcp(Buffer.concat([...head, buildPictureLoss(1, ssrc)]));
      abandoned = nacks.abandoned;
    }, 20);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  send(packet: {
    ssrc: number;
    sequence: number;
    timestamp: number;
    marker: boolean;
    payload: Buffer;
    payloadType?: number;
  }): void {
    const { ssrc, timestamp, marker, sequence, payload, payloadType = 96 } = packet;
    this.transport.sendRtp({ ssrc, payloadType, marker, timestamp }, sequence, payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.transport.close();
    await this.#datapath[Symbol.asyncDispose]();
  }
}

const parameters: Readonly<Record<VideoCodec, string>> = {
  h264: 'packetization-mode=1;profile-level-id=42e01f',
  h265: 'level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST',
};

function offerOf(
  transport: NodeTransport,
  datapath: PacketDatapath,
  direction: string,
  offered: readonly string[],
  codec: VideoCodec,
): string {
  const { algorithm, value } = datapath.fingerprint;
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
    ...[
      `m=video 9 UDP/TLS/RTP/SAVPF 96${offered.length > 0 ? ' 97' : ''}`,
      'c=IN IP4 0.0.0.0',
      'a=mid:0',
      `a=${direction}`,
      'a=rtcp-mux',
    ],
    ...[`a=ice-ufrag:${transport.local.ufrag}`, `a=ice-pwd:${transport.local.pwd}`],
    ...[`a=fingerprint:${algorithm} ${value}`, 'a=setup:active', `a=rtpmap:96 ${codec.toUpperCase()}/90000`],
    ...[`a=fmtp:96 ${parameters[codec]}`, 'a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli'],
    ...offered,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
