/** Turns a feed's video into JPEG pictures, for clients without WebRTC. */

import type { Logger } from 'pino';
import { Backoff } from '../../common/backoff.ts';
import type { Child, ChildHost } from '../../common/child-host.ts';
import { describeError } from '../../common/errors.ts';
import { pause } from '../../common/pause.ts';
import type { VideoCodec } from '../rtp/video-payload.ts';
import { type DecoderSockets, decoderCommand } from './decoder-command.ts';
import { PictureIntake } from './picture-intake.ts';

/** A decoder that runs but gives no picture for this long is restarted. */
const silentMs = 10_000;
const lookEveryMs = 1000;
const stableAfterMs = 5000;

/** What is decoded. */
export interface PictureDecoderOptions {
  /** File-name safe, unique among children: `picture-cam0`. */
  readonly name: string;
  readonly host: ChildHost;
  /** Where the stream comes from, and where this decoder listens for the pictures. */
  readonly sockets: DecoderSockets;
  /** What the feed sends now. A source may have another codec than the one before: the program is started again then. */
  readonly codec: () => VideoCodec;
  readonly onPicture: (jpeg: Buffer) => void;
  readonly logger: Logger;
}

/** Runs one ffmpeg at a time; one that ends is started again. */
export class PictureDecoder {
  readonly #options: PictureDecoderOptions;
  #heardAtMs = 0;

  constructor(options: PictureDecoderOptions) {
    this.#options = options;
  }

  /** Decodes until abort; then the program has ended. Rejects if the socket cannot be opened. */
  async run(signal: AbortSignal): Promise<void> {
    const { sockets, onPicture, logger } = this.#options;
    await using _intake = await new PictureIntake({
      path: sockets.output,
      onPicture: (picture) => {
        this.#heardAtMs = performance.now();
        onPicture(picture);
      },
      logger,
    }).open();
    await this.#keepRunning(signal);
  }

  async #keepRunning(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ firstMs: 100, maxMs: 5000 });
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const reason = await this.#runOnce(signal);
      if (signal.aborted) return;
      if (performance.now() - startedAtMs > stableAfterMs) backoff.reset();
      const retryInMs = backoff.nextMs();
      this.#options.logger.debug({ decoder: this.#options.name, reason, retryInMs }, 'a decoder ended');
      await pause(retryInMs, signal);
    }
  }

  /** One life of the program. Returns why it ended. */
  async #runOnce(signal: AbortSignal): Promise<string> {
    const { host, name, sockets, codec } = this.#options;
    let lastLine = '';
    const begunWith = codec();
    let child: Child;
    try {
      const argv = decoderCommand(sockets, begunWith);
      child = await host.spawn({ name, argv, stopTimeoutMs: 1000 }, ({ text }) => {
        lastLine = text;
      });
    } catch (error) {
      return describeError(error);
    }
    this.#heardAtMs = performance.now();
    const stop = () => void child.stop();
    const look = setInterval(() => {
      if (performance.now() - this.#heardAtMs > silentMs || codec() !== begunWith) stop();
    }, lookEveryMs);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const exit = await child.exited;
    await child.stop();
    clearInterval(look);
    signal.removeEventListener('abort', stop);
    return `ended with ${exit.code ?? exit.signal ?? 'nobody looking'}; last line: ${lastLine}`;
  }
}
