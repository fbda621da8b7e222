import type { Logger } from 'pino';
import { Backoff } from '../../common/backoff.ts';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import { maxPictureBytes } from '../../common/picture-size.ts';
import { PictureError } from './errors.ts';
import { authorizationFor } from './http-password.ts';
import { boundaryOf, MultipartParser } from './multipart.ts';

const silentMs = 10_000;
const retryLimits = { firstMs: 250, maxMs: 3000 };

/** Where the pictures go. */
export interface MjpegTarget {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

/** The state of a pull: connected once its first picture has arrived; `reason` says why it is not. */
export interface MjpegPullState {
  readonly state: 'connecting' | 'connected' | 'failed';
  readonly reason: string | null;
}

/** What is pulled. */
export interface MjpegPullOptions {
  readonly target: MjpegTarget;
  readonly onPicture: (picture: Buffer) => void;
  readonly onState: (state: MjpegPullState) => void;
  readonly logger: Logger;
}

/** Fetches the pictures of a camera that offers only motion JPEG over HTTP, unchanged. */
export class MjpegPull {
  readonly #options: MjpegPullOptions;
  #state: MjpegPullState = { state: 'connecting', reason: null };

  constructor(options: MjpegPullOptions) {
    this.#options = options;
  }

  /** Pulls until abort, and connects again after every failure. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(retryLimits);
    while (!signal.aborted) {
      try {
        await this.#pull(signal, () => backoff.reset());
      } catch (error) {
        if (signal.aborted) break;
        const reason = reasonOf(error);
        if (this.#state.state !== 'failed')
          this.#options.logger.warn({ reason }, 'a stream of pictures ended');
        this.#setState({ state: 'failed', reason });
      }
      await pause(backoff.nextMs(), signal);
    }
  }

  /** One request, from its head to its end. Rejects with the reason of its end. */
  async #pull(signal: AbortSignal, onFirst: () => void): Promise<void> {
    const { target, onPicture } = this.#options;
    const silence = new AbortController();
    const late = setTimeout(() => silence.abort(unavailable('no picture arrives')), silentMs);
    try {
      const response = await open(target, AbortSignal.any([signal, silence.signal]));
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        throw unavailable(refusal(response.status, target));
      }
      const parser = new MultipartParser(boundaryOf(response.headers.get('content-type')), maxPictureBytes);
      for await (const chunk of response.body) {
        for (const picture of parser.push(Buffer.from(chunk))) {
          late.refresh();
          onFirst();
          this.#setState({ state: 'connected', reason: null });
          onPicture(picture);
        }
      }
      throw unavailable('the camera ended its stream');
    } finally {
      clearTimeout(late);
    }
  }

  #setState(state: MjpegPullState): void {
    if (state.state === this.#state.state && state.reason === this.#state.reason) return;
    this.#state = state;
    this.#options.onState(state);
  }
}

function refusal(status: number, { username }: MjpegTarget): string {
  if (status !== 401) return `the camera answered ${status}`;
  return username === undefined
    ? 'the camera wants a user name and a password: set username and password'
    : 'the camera refuses the user name or the password';
}

/** Asks without the password first: a camera that knows Digest never gets to see it. */
async function open({ url, username, password = '' }: MjpegTarget, signal: AbortSignal): Promise<Response> {
  const accept = 'multipart/x-mixed-replace';
  const first = await fetch(url, { headers: { accept }, signal });
  if (first.status !== 401 || username === undefined) return first;
  await first.body?.cancel();
  const { pathname, search } = new URL(url);
  const request = { method: 'GET', uri: `${pathname}${search}` };
  const authorization = authorizationFor(
    first.headers.get('www-authenticate'),
    { username, password },
    request,
  );
  if (authorization === null)
    throw unavailable('the camera wants a kind of sign-in other than Basic and Digest');
  return await fetch(url, { headers: { accept, authorization }, signal });
}

function unavailable(message: string): PictureError {
  return new PictureError('STREAM_UNAVAILABLE', message);
}

function reasonOf(error: unknown): string {
  return error instanceof PictureError
    ? error.message
    : `the camera cannot be reached: ${describeError(error)}`;
}
