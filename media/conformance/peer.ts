/** A complete WebRTC peer on libdatachannel, an independent implementation: for what follows the answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import native from 'node-datachannel';
import { ConformanceError } from './errors.ts';
import type { IceSide } from './offers.ts';
import { PICTURES_PER_SECOND, type Picture, samplePictures } from './sample.ts';
import { type Answer, ask, type Endpoint, SDP } from './server.ts';

type PeerConnection = InstanceType<typeof native.PeerConnection>;
type Track = ReturnType<PeerConnection['addTrack']>;

const VIDEO = { payloadType: 96, ssrc: 0x5261_0001 } as const;
const AUDIO = { payloadType: 111, ssrc: 0x5261_0002 } as const;
const STREAM = 'conformance';
const GATHER_MS = 5_000;
/** 20 ms of silence in Opus. */
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);

/** A WebRTC peer of the suite. */
export class Peer implements Disposable {
  readonly #endpoint: Endpoint;
  readonly #connection: PeerConnection;
  readonly #tracks: { readonly video: Track; readonly audio: Track };
  #timers: NodeJS.Timeout[] = [];
  answer = '';
  sessionUrl: string | null = null;
  etag = '';
  readonly received = { video: 0, audio: 0, lastMs: 0 };

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    const { hostname } = new URL(endpoint.url);
    const onLoopback = /^(localhost|127\.|\[::1\])/.test(hostname);
    this.#connection = new native.PeerConnection('conformance', {
      iceServers: [],
      disableAutoNegotiation: true,
      ...(onLoopback ? { bindAddress: '127.0.0.1' } : {}),
    });
    const direction = endpoint.protocol === 'whip' ? 'SendOnly' : 'RecvOnly';
    const audio = new native.Audio('0', direction);
    audio.addOpusCodec(AUDIO.payloadType);
    const video = new native.Video('1', direction);
    video.addH264Codec(
      VIDEO.payloadType,
      'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1',
    );
    if (direction === 'SendOnly') {
      audio.addSSRC(AUDIO.ssrc, STREAM, STREAM, 'audio');
      video.addSSRC(VIDEO.ssrc, STREAM, STREAM, 'video');
    }
    this.#tracks = { audio: this.#connection.addTrack(audio), video: this.#connection.addTrack(video) };
    for (const kind of ['video', 'audio'] as const) {
      this.#tracks[kind].onMessage((packet) => this.#count(kind, packet));
    }
  }

  get state(): string {
    return this.#connection.state();
  }

  /** What is in the offer. */
  get ice(): IceSide {
    const sdp = this.#connection.localDescription()?.sdp ?? '';
    const value = (name: string): string => new RegExp(`a=${name}:(\\S+)`).exec(sdp)?.[1] ?? '';
    return { ufrag: value('ice-ufrag'), pwd: value('ice-pwd') };
  }

  /** Posts the offer and waits for ICE and DTLS. Rejects with ConformanceError. */
  async connect(withinMs = 10_000): Promise<Answer> {
    const outcome = Promise.withResolvers<'connected' | 'failed'>();
    this.#connection.onStateChange((state) => {
      if (state === 'connected' || state === 'failed') outcome.resolve(state);
    });
    const answer = await ask(this.#endpoint, this.#endpoint.url, {
      method: 'POST',
      headers: { 'content-type': SDP },
      body: await this.#offer(),
    });
    if (answer.status !== 201)
      throw new ConformanceError(
        `the peer's offer was answered ${answer.status}: ${answer.body.slice(0, 200)}`,
      );
    this.answer = answer.body;
    this.etag = answer.headers.get('etag') ?? '';
    const location = answer.headers.get('location');
    this.sessionUrl = location === null ? null : new URL(location, this.#endpoint.url).href;
    this.#connection.setRemoteDescription(answer.body, 'answer');
    const ended = await Promise.race([outcome.promise, sleep(withinMs, 'late' as const, { ref: false })]);
    if (ended === 'failed') throw new ConformanceError('ICE or DTLS failed');
    if (ended === 'late')
      throw new ConformanceError(`ICE and DTLS were not through after ${withinMs / 1000} s`);
    return answer;
  }

  /** Sends picture and sound until the peer is closed. */
  play(): void {
    let pictures = 0;
    let videoSequence = 0;
    let sounds = 0;
    const nextPicture = (): void => {
      const picture: Picture = samplePictures[pictures % samplePictures.length] ?? [];
      const timestamp = (pictures++ * 90_000) / PICTURES_PER_SECOND;
      for (const [i, nal] of picture.entries()) {
        const head = { ...VIDEO, timestamp, sequence: videoSequence++, marker: i === picture.length - 1 };
        this.#send(this.#tracks.video, rtp(head, nal));
      }
    };
    const nextSound = (): void => {
      const head = { ...AUDIO, timestamp: sounds * 960, sequence: sounds, marker: false };
      sounds++;
      this.#send(this.#tracks.audio, rtp(head, SILENCE));
    };
    this.#timers.push(setInterval(nextPicture, 1000 / PICTURES_PER_SECOND), setInterval(nextSound, 20));
  }

  /** Waits until packets of both kinds came, or the time is over. */
  async hears(kinds: readonly ('video' | 'audio')[], withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs;
    const before = { ...this.received };
    while (performance.now() < until) {
      if (kinds.every((kind) => this.received[kind] > before[kind])) return true;
      await sleep(50);
    }
    return false;
  }

  /** Waits until the other side has ended the connection. */
  async isEnded(withinMs: number): Promise<boolean> {
    const until = performance.now() + withinMs;
    while (performance.now() < until) {
      if (['disconnected', 'failed', 'closed'].includes(this.state)) return true;
      await sleep(50);
    }
    return false;
  }

  /** Ends DTLS, and says nothing by HTTP. */
  leave(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  async #offer(): Promise<string> {
    const gathered = Promise.withResolvers<void>();
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') gathered.resolve();
    });
    this.#connection.setLocalDescription('offer');
    await Promise.race([gathered.promise, sleep(GATHER_MS)]);
    return this.#connection.localDescription()?.sdp ?? '';
  }

  #count(kind: 'video' | 'audio', packet: Buffer): void {
    const payloadType = (packet[1] ?? 0) & 0x7f;
    // RTCP, which the track hands over as well.
    if (payloadType >= 64 && payloadType < 96) return;
    this.received[kind]++;
    this.received.lastMs = performance.now();
  }

  #send(track: Track, packet: Buffer): void {
    if (track.isOpen()) track.sendMessageBinary(packet);
  }
}

function rtp(
  head: { payloadType: number; ssrc: number; timestamp: number; sequence: number; marker: boolean },
  payload: Buffer,
): Buffer {
  const packet = Buffer.alloc(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = head.payloadType | (head.marker ? 0x80 : 0);
  packet.writeUInt16BE(head.sequence & 0xffff, 2);
  packet.writeUInt32BE(head.timestamp >>> 0, 4);
  packet.writeUInt32BE(head.ssrc, 8);
  payload.copy(packet, 12);
  return packet;
}
