import { inspectJpeg, PictureError, withHuffmanTables } from '../../../media/index.ts';
import type { Feed } from '../../contract/index.ts';
import type { FrameRefusal } from '../../contract/ports.ts';
import { FrameHub } from './frame-hub.ts';

/** Pictures a second that are accepted; a few more at once, because networks deliver in bursts. */
const maxFps = 30;
const burst = 10;
/** A feed without a picture for this long is stalled. */
const stalledAfterMs = 5000;
const rateWindowMs = 3000;

/** Who publishes a feed's pictures. */
export interface JpegPublisher {
  readonly kind: 'jpeg' | 'pull' | 'ingest';
  /** The camera, by its key; null for feeds that this appliance pulls or makes itself. */
  readonly camera: string | null;
  readonly since: number;
}

/**
 * A feed of JPEG pictures: checked, counted, and shown unchanged, except that missing tables that every browser needs are
 * added.
 */
export class JpegFeed {
  readonly id: string;
  readonly hub = new FrameHub();
  readonly #label: () => string;
  readonly #now: () => number;
  publisher: JpegPublisher | null = null;
  #size: { readonly width: number; readonly height: number } | null = null;
  #framesTotal = 0;
  readonly #recent: { readonly atMs: number; readonly bytes: number }[] = [];
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #allowance = burst;
  #allowedAtMs = Number.NEGATIVE_INFINITY;

  constructor(id: string, label: () => string, now: () => number = () => performance.now()) {
    this.id = id;
    this.#label = label;
    this.#now = now;
  }

  /** Shows a picture. Returns why, if it cannot be shown; a rejected picture changes nothing. */
  take(picture: Buffer): FrameRefusal | null {
    const nowMs = this.#now();
    if (!this.#allow(nowMs)) {
      return { code: 'TOO_FAST', message: `more than ${maxFps} pictures a second are left out` };
    }
    try {
      const { bytes, width, height } = inspectJpeg(picture);
      this.#size = { width, height };
      this.#framesTotal += 1;
      this.#lastAtMs = nowMs;
      this.#recent.push({ atMs: nowMs, bytes });
      this.#forgetOld(nowMs); // also while no one reads the figures
      this.hub.publish(withHuffmanTables(bytes === picture.length ? picture : picture.subarray(0, bytes)));
      return null;
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      return { code: 'JPEG_INVALID', message: error.message };
    }
  }

  get state(): Feed['state'] {
    if (this.publisher === null) return 'offline';
    return this.#now() - this.#lastAtMs < stalledAfterMs ? 'online' : 'stalled';
  }

  /** As the API shows it. */
  stats(): Feed {
    const { state, publisher } = this;
    const nowMs = this.#now();
    this.#forgetOld(nowMs);
    const perSecond = 1000 / Math.min(rateWindowMs, Math.max(1000, nowMs - (this.#recent[0]?.atMs ?? nowMs)));
    const bytes = this.#recent.reduce((sum, one) => sum + one.bytes, 0);
    return {
      id: this.id,
      label: this.#label(),
      state,
      reason: state === 'stalled' ? 'No picture has come for five seconds.' : null,
      codec: 'mjpeg',
      audioCodec: null,
      width: this.#size?.width ?? null,
      height: this.#size?.height ?? null,
      fps: state === 'offline' ? null : Math.round(this.#recent.length * perSecond * 10) / 10,
      bitrateKbps: Math.round((bytes * perSecond * 8) / 1000),
      framesTotal: this.#framesTotal,
      packetsLost: 0,
      lossRatio: null,
      latencyMs: null,
      keyframeAgeMs: null,
      layers: [],
      publisher:
        publisher === null
          ? null
          : { kind: publisher.kind, camera: publisher.camera, sinceMs: Math.max(0, nowMs - publisher.since) },
      viewers: [],
    };
  }

  #forgetOld(nowMs: number): void {
    const kept = this.#recent.findIndex(({ atMs }) => nowMs - atMs < rateWindowMs);
    this.#recent.splice(0, kept < 0 ? this.#recent.length : kept);
  }

  /** A bucket of allowances that fills at the highest rate. */
  #allow(nowMs: number): boolean {
    const earned = ((nowMs - this.#allowedAtMs) * maxFps) / 1000;
    this.#allowance = Math.min(burst, this.#allowance + earned);
    this.#allowedAtMs = nowMs;
    if (this.#allowance < 1) return false;
    this.#allowance -= 1;
    return true;
  }
}
