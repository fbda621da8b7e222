import { type ErrorDetails, RushlightError } from '../../../../common/errors.ts';
import { messageOfProblem, parseProblem } from '../app/api-client.ts';
import { type LayerWish, linkOf } from './layer-wish.ts';
import { type ReceiveSample, sampleOf } from './receive-stats.ts';

/** Why a feed cannot be viewed. */
export type WhepErrorCode =
  | 'NO_WEBRTC'
  | 'NO_H264'
  /** The signalling worked, and no packet came through. */
  | 'NO_ROUTE'
  /** Connected, and not one frame was decoded. */
  | 'NO_FRAMES'
  | 'UNREACHABLE'
  | 'UNAUTHORIZED'
  | 'FEED_UNKNOWN'
  | 'NO_PUBLISHER'
  | 'REFUSED'
  | 'ANSWER_INVALID'
  | 'CONNECTION_LOST'
  | 'FRAMES_STOPPED';

/** Why a feed cannot be viewed now. `message` can be shown to the user. */
export class WhepError extends RushlightError {
  readonly code: WhepErrorCode;
  /** How long the server asks to wait before the next try. */
  readonly retryAfterMs: number | null;

  constructor(
    code: WhepErrorCode,
    message: string,
    detail: ErrorDetails & { retryAfterMs?: number | null } = {},
  ) {
    super(message, detail);
    this.code = code;
    this.retryAfterMs = detail.retryAfterMs ?? null;
  }
}

const offerTimeoutMs = 8000;
const layerRelation = 'urn:ietf:params:whep:ext:core:layer';
const noH264 = 'This browser cannot play H.264 video.';

/** Reads Retry-After (RFC 9110, 10.2.3: seconds or a date), limited to a minute; null if it is invalid. */
export const retryAfterMs = (header: string | null, nowMs: number): number | null => {
  if (header === null) return null;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? null : Math.min(60_000, Math.max(0, ms));
};

/** The error for a WHEP endpoint's refusal; `body` is its problem document, if it sent one. */
export const errorOfRefusal = (
  status: number,
  retryAfter: string | null,
  body: string,
  nowMs: number,
): WhepError => {
  const detail = { retryAfterMs: retryAfterMs(retryAfter, nowMs) };
  switch (status) {
    case 401:
    case 403:
      return new WhepError('UNAUTHORIZED', 'This key may not view the feed.', detail);
    case 404:
      return new WhepError('FEED_UNKNOWN', 'The appliance no longer has this feed.', detail);
    case 409:
      return new WhepError('NO_PUBLISHER', 'Nobody publishes this feed yet.', detail);
    case 429:
      return new WhepError('UNREACHABLE', 'The appliance asks for a moment: too many tries.', detail);
    case 502:
    case 503:
    case 504:
      return new WhepError('UNREACHABLE', 'The media service is starting.', detail);
    default: {
      const problem = parseProblem(body);
      if (problem?.code === 'CODEC_UNSUPPORTED') return new WhepError('NO_H264', noH264, detail);
      return new WhepError('REFUSED', messageOfProblem(problem, status), detail);
    }
  }
};

/** Firefox offers H.264 only once it has downloaded its decoder, so each offer is checked. */
const offersH264 = (sdp: string): boolean => /^a=rtpmap:\d+ H264\/90000/im.test(sdp);

/** H.264 first, so that the answer needs no guess; the rest stays as the browser offers it. */
const preferH264 = (transceiver: RTCRtpTransceiver): void => {
  const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
  const isH264 = (codec: RTCRtpCodec) => codec.mimeType.toLowerCase() === 'video/h264';
  const sorted = [...codecs.filter(isH264), ...codecs.filter((codec) => !isH264(codec))];
  if (sorted.length > 0) transceiver.setCodecPreferences(sorted);
};

/** Frames are shown as they arrive: a live picture that waits for smoothness is late. */
const showAtOnce = (receiver: RTCRtpReceiver & { playoutDelayHint?: number | null }): void => {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = 0;
};

interface WhepAnswer {
  readonly sdp: string;
  readonly location: string;
  readonly layers: string | null;
}

/** A viewing session (WHEP, draft-ietf-wish-whep). No candidates are sent: the server learns ours from our checks. */
export class WhepSession {
  readonly stream: MediaStream;
  readonly #peer: RTCPeerConnection;
  readonly #location: string;
  /** URL for choosing a layer; null if the server does not support it. */
  readonly #layers: string | null;
  #closed = false;

  private constructor(peer: RTCPeerConnection, stream: MediaStream, answer: Omit<WhepAnswer, 'sdp'>) {
    this.#peer = peer;
    this.stream = stream;
    this.#location = answer.location;
    this.#layers = answer.layers;
  }

  /** Offers to view `endpoint`. Throws WhepError, and releases what it began when it fails. */
  static async open(endpoint: string, signal: AbortSignal): Promise<WhepSession> {
    if (typeof RTCPeerConnection !== 'function') {
      throw new WhepError('NO_WEBRTC', 'This browser has no WebRTC, or it is switched off.');
    }
    const peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    const stream = new MediaStream();
    let location: string | null = null;
    try {
      peer.addEventListener('track', ({ track, receiver }) => {
        showAtOnce(receiver);
        stream.addTrack(track);
      });
      preferH264(peer.addTransceiver('video', { direction: 'recvonly' }));
      peer.addTransceiver('audio', { direction: 'recvonly' });
      await peer.setLocalDescription();
      const sdp = peer.localDescription?.sdp ?? '';
      if (!offersH264(sdp)) throw new WhepError('NO_H264', noH264);
      const answer = await WhepSession.#offer(endpoint, sdp, signal);
      location = answer.location;
      await peer.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      return new WhepSession(peer, stream, answer);
    } catch (error) {
      peer.close();
      if (location !== null) endOnServer(location);
      if (error instanceof WhepError) throw error;
      throw new WhepError('ANSWER_INVALID', 'The browser could not take the appliance’s answer.', {
        cause: error,
      });
    }
  }

  static async #offer(endpoint: string, sdp: string, signal: AbortSignal): Promise<WhepAnswer> {
    let response: Response;
    try {
      response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/sdp' },
        body: sdp,
        signal: AbortSignal.any([signal, AbortSignal.timeout(offerTimeoutMs)]),
        credentials: 'same-origin',
      });
    } catch (cause) {
      throw new WhepError('UNREACHABLE', 'The appliance does not answer.', { cause });
    }
    if (response.status !== 201) {
      const retryAfter = response.headers.get('retry-after');
      throw errorOfRefusal(response.status, retryAfter, await response.text(), Date.now());
    }
    const location = response.headers.get('location');
    if (location === null) {
      throw new WhepError('ANSWER_INVALID', 'The appliance named no session (Location is missing).');
    }
    const base = response.url || document.baseURI;
    const layers = linkOf(response.headers.get('link'), layerRelation);
    return {
      sdp: await response.text(),
      location: new URL(location, base).href,
      layers: layers === null ? null : new URL(layers, base).href,
    };
  }

  get connection(): RTCPeerConnectionState {
    return this.#peer.connectionState;
  }

  /** Counters now; null before video is received. */
  async sample(): Promise<ReceiveSample | null> {
    const report: ReadonlyMap<string, Record<string, unknown>> = await this.#peer.getStats();
    return sampleOf(report.values(), Date.now());
  }

  /** Requests a layer. False if the server has none or does not answer; it then continues as before. */
  async select(wish: LayerWish, signal: AbortSignal): Promise<boolean> {
    if (this.#layers === null) return false;
    try {
      const response = await fetch(this.#layers, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ mediaId: '0', ...wish }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(offerTimeoutMs)]),
        credentials: 'same-origin',
      });
      return response.ok;
    } catch {
      // The session itself shows whether the appliance is still there.
      return false;
    }
  }

  /** Ends the session here and on the server. Works beyond the end of the page. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#peer.close();
    for (const track of this.stream.getTracks()) track.stop();
    endOnServer(this.#location);
  }
}

const endOnServer = (location: string): void => {
  fetch(location, { method: 'DELETE', keepalive: true, credentials: 'same-origin' }).catch(() => {
    // The server ends a session by itself when its viewer is gone; no one is left to report to.
  });
};
