import native from 'node-datachannel';
import type { DeviceApi } from './device-api.ts';
import { RigError } from './errors.ts';
import { H264Counter } from './h264-counter.ts';
import { waitFor } from './wait.ts';

const payloadType = 96;

/** Where the rig reaches the device's media port. */
export interface MediaEndpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * A viewer outside the device, on libdatachannel, which shares no code with the product. The device names its own
 * addresses as candidates; from the rig it is reached through a forwarded port, so the answer's candidates are pointed
 * there. The device then sees a peer-reflexive address, as it does behind any router.
 */
export class WhepViewer implements AsyncDisposable {
  readonly counter = new H264Counter();
  readonly #connection: InstanceType<typeof native.PeerConnection>;
  readonly #api: DeviceApi;
  /** Kept, because a collected one takes its messages with it. */
  #track: InstanceType<typeof native.Track> | null = null;
  #location: string | null = null;
  #token: string | null = null;

  private constructor(api: DeviceApi) {
    this.#api = api;
    this.#connection = new native.PeerConnection('rig', { iceServers: [], disableAutoNegotiation: true });
  }

  /** Views a feed; resolves once the first keyframe has come. */
  static async open(
    api: DeviceApi,
    feed: string,
    token: string,
    media: MediaEndpoint,
    timeoutMs: number,
  ): Promise<WhepViewer> {
    const viewer = new WhepViewer(api);
    try {
      await viewer.#connect(feed, token, media, timeoutMs);
      return viewer;
    } catch (error) {
      await viewer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits for a number of further pictures. */
  async pictures(count: number, timeoutMs: number): Promise<void> {
    const from = this.counter.pictures;
    const state = (): string => {
      const { pictures, lost } = this.counter;
      return `${pictures - from} came, ${lost} packets missing, the connection is ${this.#connection.state()}`;
    };
    const enough = (): boolean => {
      if (this.counter.pictures - from >= count) return true;
      throw new RigError('RIG_TOOL', state());
    };
    await waitFor(`${count} more pictures`, enough, { timeoutMs, pollMs: 100 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const location = this.#location;
    this.#location = null;
    if (location !== null) {
      // The session may be gone with the device; the test reports that, not the clean-up.
      await this.#api.send('DELETE', location, this.#token).catch(() => {});
    }
    this.#track?.close();
    this.#track = null;
    this.#connection.close();
  }

  async #connect(feed: string, token: string, media: MediaEndpoint, timeoutMs: number): Promise<void> {
    const video = new native.Video('0', 'RecvOnly');
    video.addH264Codec(payloadType, 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1');
    this.#track = this.#connection.addTrack(video);
    this.#track.onMessage((message) => this.counter.take(Buffer.from(message)));
    const gathered = Promise.withResolvers<void>();
    this.#connection.onGatheringStateChange((state) => {
      if (state === 'complete') gathered.resolve();
    });
    this.#connection.setLocalDescription('offer');
    await gathered.promise;
    const body = this.#connection.localDescription()?.sdp ?? '';
    const path = `/whep/${encodeURIComponent(feed)}`;
    const answer = await waitFor(
      'WHEP takes the offer',
      async () => {
        const said = await this.#api.send('POST', path, token, {
          body,
          contentType: 'application/sdp',
          timeoutMs,
        });
        if (said.status === 201) return said;
        const problem = `WHEP answered ${said.status}: ${said.body.toString('utf8').slice(0, 300)}`;
        // "Not yet" in the draft: asked again. Anything else is an answer.
        if (said.status === 409 || said.status === 503) throw new RigError('RIG_TIMEOUT', problem);
        return new RigError('RIG_TOOL', problem);
      },
      { timeoutMs },
    );
    if (answer instanceof RigError) throw answer;
    this.#location = new URL(String(answer.headers.location), 'https://device').pathname;
    this.#token = token;
    this.#connection.setRemoteDescription(pointTo(answer.body.toString('utf8'), media), 'answer');
    await waitFor('a keyframe of the feed', () => this.counter.keyframes > 0, { timeoutMs, pollMs: 100 });
  }
}

/** The session description with one candidate only: the given address. Pure. */
export function pointTo(sdp: string, { host, port }: MediaEndpoint): string {
  const candidate = /^a=candidate:(\S+) 1 udp (\d+) \S+ \d+ typ host/im;
  let kept = false;
  const lines = sdp.split(/\r?\n/).flatMap((line) => {
    if (!line.startsWith('a=candidate:')) return [line];
    const match = candidate.exec(line);
    if (match === null || kept) return [];
    kept = true;
    return [`a=candidate:${match[1]} 1 udp ${match[2]} ${host} ${port} typ host`];
  });
  return lines.join('\r\n');
}
