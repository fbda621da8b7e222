/** A stream of RTP packets that looks like H.264 to an SFU: parameter sets, one keyframe a second, filler. */
import type { Socket } from 'node:dgram';
import { buildRtp } from '../rtp/rtp-packet.ts';

/** libx264's parameter sets for 1280x720 constrained baseline. */
const SPS = Buffer.from('6742c01fda014016ec0440000003004000000f03c60ca8', 'hex');
const PPS = Buffer.from('68ce3c80', 'hex');
const FRAMES_PER_SECOND = 30;
const PAYLOAD_BYTES = 1188;

export class SyntheticSource implements Disposable {
  readonly #socket: Socket;
  readonly #port: number;
  readonly #packetsPerFrame: number;
  #timer: NodeJS.Timeout | null = null;
  #frame = 0;
  #sequence = 0;
  #startMs = 0;

  constructor(socket: Socket, port: number, packetsPerSecond: number) {
    this.#socket = socket;
    this.#port = port;
    this.#packetsPerFrame = Math.max(1, Math.round(packetsPerSecond / FRAMES_PER_SECOND));
  }

  start(): void {
    this.#startMs = performance.now();
    this.#timer = setInterval(() => this.#catchUp(), 5);
  }

  get packets(): number {
    return this.#sequence;
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #catchUp(): void {
    const due = ((performance.now() - this.#startMs) * FRAMES_PER_SECOND) / 1000;
    while (this.#frame < due) this.#sendFrame();
  }

  #sendFrame(): void {
    const keyframe = this.#frame % FRAMES_PER_SECOND === 0;
    if (keyframe) for (const set of [SPS, PPS]) this.#send(set, false);
    const type = keyframe ? 5 : 1;
    for (let i = 0; i < this.#packetsPerFrame; i++) {
      const last = i === this.#packetsPerFrame - 1;
      const payload = Buffer.alloc(PAYLOAD_BYTES, this.#frame & 0xff);
      payload[0] = 0x7c;
      payload[1] = (i === 0 ? 0x80 : 0) | (last ? 0x40 : 0) | type;
      this.#send(payload, last);
    }
    this.#frame++;
  }

  #send(payload: Buffer, marker: boolean): void {
    const packet = buildRtp({
      marker,
      payloadType: 96,
      sequence: this.#sequence++ & 0xffff,
      timestamp: (this.#frame * 3000) >>> 0,
      ssrc: 4711,
      payload,
    });
    this.#socket.send(packet, this.#port, '127.0.0.1');
  }
}
