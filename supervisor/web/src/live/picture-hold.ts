import { CatchUp, type CatchUpStart } from './catch-up.ts';

/** A browser that has had a picture for this long and reported none never will. */
const silenceMs = 300;
/** A still that stays this long is named. */
const lateMs = 700;

/** What covers the video. */
export type Held =
  /** Nothing, while the first picture is on its way. */
  | 'blank'
  /** The last picture of the session before. */
  | 'former'
  /** The picture that was shown when the race began. */
  | 'still';

/**
 * Keeps the pictures that a viewer missed off the screen: while the browser decodes them, a canvas above the video shows a still.
 * Does nothing where a browser does not report the RTP times of pictures. The sound is not affected.
 */
export class PictureHold {
  readonly #video: HTMLVideoElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #onLate: (late: boolean) => void;
  #catchUp: CatchUp | null = null;
  #held: Held | null = null;
  /** Pictures are being held back. */
  #holds = false;
  #drawn = false;
  #late = false;
  #request = 0;
  #timers: ReturnType<typeof setTimeout>[] = [];

  /** `canvas` lies above `video` and is laid out like it. `onLate`: a still has lasted long, or no longer does. */
  constructor(video: HTMLVideoElement, canvas: HTMLCanvasElement, onLate: (late: boolean) => void) {
    this.#video = video;
    this.#canvas = canvas;
    this.#onLate = onLate;
    this.#cover(null);
  }

  /** The session is about to end, which may make the video black. Its last picture stays until another session is live. */
  keep(): void {
    if (!this.#canObserve) return;
    if (this.#held === null) this.#draw();
    this.#forget();
    this.#setLate(false);
    this.#cover(this.#drawn ? 'former' : null);
  }

  /** A session begins, in a video that shows nothing. */
  begin(fps: number | null): void {
    if (!this.#observe({ widthBefore: null, fps })) return;
    this.#cover(this.#drawn ? 'former' : 'blank');
    this.#video.addEventListener('loadeddata', this.#onData);
  }

  /** Pictures come again that were not sent while nobody saw them. */
  resume(fps: number | null): void {
    if (this.#held !== null) return;
    this.#drawn = false;
    this.#observe({ widthBefore: null, fps });
  }

  /** Another layer was asked for. The one before is shown until it begins. */
  change(): void {
    if (this.#held !== null) return;
    // Without the rate only a long race is held back: a short one must not delay the sharp picture.
    if (this.#observe({ widthBefore: this.#video.videoWidth, fps: null })) this.#draw();
  }

  /** Shows the video and looks at no more pictures. */
  readonly end = (): void => {
    this.#forget();
    this.#cover(null);
    this.#drawn = false;
    // Frees its memory.
    this.#canvas.width = 0;
  };

  get #canObserve(): boolean {
    return 'requestVideoFrameCallback' in this.#video;
  }

  #observe(start: CatchUpStart): boolean {
    this.#forget();
    if (!this.#canObserve) return false;
    this.#catchUp = new CatchUp(start);
    this.#next();
    return true;
  }

  #next(): void {
    this.#request = this.#video.requestVideoFrameCallback(this.#onPicture);
  }

  readonly #onPicture: VideoFrameRequestCallback = (atMs, { rtpTimestamp, presentedFrames, width }) => {
    if (this.#catchUp === null) return;
    if (rtpTimestamp === undefined) return this.end();
    // The quality also counts the pictures that no callback reports, in browsers that have it for streams.
    const count = this.#video.getVideoPlaybackQuality().totalVideoFrames || presentedFrames;
    const verdict = this.#catchUp.look({ atMs, rtpTimestamp, count, width });
    if (verdict === 'live') return this.end();
    if (verdict === 'follow') this.#draw();
    else if (!this.#holds) this.#hold(this.#catchUp.limitMs);
    this.#next();
  };

  #hold(limitMs: number): void {
    this.#clearTimers();
    this.#holds = true;
    if (!this.#drawn) this.#draw();
    if (this.#held !== 'former') this.#cover('still');
    this.#timers = [setTimeout(this.end, limitMs), setTimeout(() => this.#setLate(true), lateMs)];
  }

  readonly #onData = (): void => {
    if (this.#held === 'blank') {
      // A refresh or two before it is reported.
      this.#draw();
      this.#cover('still');
    }
    // A page that hung reports the picture before its next animation frame.
    const watched = this.#catchUp;
    const look = () => {
      if (this.#catchUp === watched && !this.#holds) this.end();
    };
    if (!this.#holds) this.#timers.push(setTimeout(() => requestAnimationFrame(look), silenceMs));
  };

  #draw(): void {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.#video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || width === 0) return;
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#canvas.getContext('2d')?.drawImage(this.#video, 0, 0);
    this.#drawn = true;
  }

  #cover(held: Held | null): void {
    this.#held = held;
    this.#canvas.hidden = held === null;
    this.#canvas.dataset.held = held ?? '';
    if (held === null) this.#setLate(false);
  }

  #setLate(late: boolean): void {
    if (late === this.#late) return;
    this.#late = late;
    this.#onLate(late);
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }

  #forget(): void {
    this.#clearTimers();
    this.#video.removeEventListener('loadeddata', this.#onData);
    if (this.#catchUp !== null) this.#video.cancelVideoFrameCallback(this.#request);
    this.#catchUp = null;
    this.#holds = false;
  }
}
