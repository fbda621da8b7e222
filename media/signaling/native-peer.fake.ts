import native from 'node-datachannel';
import { parseRtp, type RtpPacket } from '../rtp/rtp-packet.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';

type PeerConnection = InstanceType<typeof native.PeerConnection>;

const CONFIG = { iceServers: [], bindAddress: '127.0.0.1', disableAutoNegotiation: true };
/** Its video track. */
export const VIDEO = { payloadType: 96, ssrc: 1111 } as const;
/** Its audio track. */
export const AUDIO = { payloadType: 111, ssrc: 2222 } as const;

/** A rejected offer, with the server's reason. */
export class OfferRefused extends Error {
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** WHIP and WHEP clients on libdatachannel, an implementation independent of ours, for tests and benchmarks. */
export class NativePeer implements Disposable {
  readonly connection: PeerConnection;
  readonly video: ReturnType<PeerConnection['addTrack']>;
  readonly audio: ReturnType<PeerConnection['addTrack']> | null;
  location = '';
  etag = '';

  constructor(
    direction: 'SendOnly' | 'RecvOnly',
    options: { audio: boolean; profile?: string; codec?: VideoCodec },
  ) {
    this.connection = new native.PeerConnection('peer', CONFIG);
    const video = new native.Video('0', direction);
    const profile = options.profile ?? '42e01f';
    if (options.codec === 'h265') video.addH265Codec(VIDEO.payloadType);
    else
      video.addH264Codec(
        VIDEO.payloadType,
        `profile-level-id=${profile};packetization-mode=1;level-asymmetry-allowed=1`,
      );
    if (direction === 'SendOnly') video.addSSRC(VIDEO.ssrc, 'test', 'stream', 'video');
    this.video = this.connection.addTrack(video);
    this.audio = options.audio ? this.#addAudio(direction) : null;
  }

  /** Posts the offer, as `edit` makes it, and waits until both tracks are open. Gives the answer. Throws OfferRefused. */
  async connect(
    url: string,
    headers: Record<string, string> = {},
    edit: (sdp: string) => string = (sdp) => sdp,
  ): Promise<string> {
    const gathered = Promise.withResolvers<void>();
    this.connection.onGatheringStateChange((state) => {
      if (state === 'complete') gathered.resolve();
    });
    this.connection.setLocalDescription('offer');
    await gathered.promise;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', ...headers },
      body: edit(this.connection.localDescription()?.sdp ?? ''),
    });
    const body = await response.text();
    if (!response.ok) throw new OfferRefused(response.status, body);
    this.location = new URL(response.headers.get('location') ?? '', url).href;
    this.etag = response.headers.get('etag') ?? '';
    const connected = Promise.withResolvers<void>();
    this.connection.onStateChange((state) => {
      if (state === 'connected') connected.resolve();
      if (state === 'failed') connected.reject(new Error('connection failed'));
    });
    this.connection.setRemoteDescription(body, 'answer');
    await connected.promise;
    return body;
  }

  /** Calls `listener` with every RTP packet of a track; feedback and reports are left out. */
  onPacket(kind: 'video' | 'audio', listener: (packet: RtpPacket) => void): void {
    const payloadType = kind === 'video' ? VIDEO.payloadType : AUDIO.payloadType;
    (kind === 'video' ? this.video : this.audio)?.onMessage((message) => {
      const packet = parseRtp(Buffer.from(message));
      if (packet?.payloadType === payloadType) listener(packet);
    });
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }

  #addAudio(direction: 'SendOnly' | 'RecvOnly'): ReturnType<PeerConnection['addTrack']> {
    const audio = new native.Audio('1', direction);
    audio.addOpusCodec(AUDIO.payloadType);
    if (direction === 'SendOnly') audio.addSSRC(AUDIO.ssrc, 'test', 'stream', 'audio');
    return this.connection.addTrack(audio);
  }
}
