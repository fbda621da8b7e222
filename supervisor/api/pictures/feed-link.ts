import type { RawData, WebSocket } from 'ws';
import { feedLinkClose, maxPictureBytes, type PictureRefusal } from '../../contract/index.ts';
import type { FrameRefusal, FrameWatch, JpegPublication } from '../../contract/ports.ts';
import { showFrames } from './show-frames.ts';

const tellEveryMs = 1000;
/** After this many broken pictures in a row no good one is expected. */
const maxBrokenInARow = 25;

/** `WS /ws/feeds/:feed`: shows a client the feed, one binary message a picture. */
export function showOnLink(socket: WebSocket, watch: FrameWatch): void {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const sink = {
    write: (frame: Buffer) =>
      new Promise<void>((resolve) => {
        // A broken socket is followed by "close"; nothing to do here.
        socket.send(frame, { binary: true, compress: false }, () => resolve());
      }),
    destroy: () => socket.terminate(),
  };
  void showFrames(watch, sink, gone.signal).then(() => watch[Symbol.dispose]());
}

/** `WS /ws/feeds/:feed?publish`: accepts pictures. A problem with one picture is reported and does not affect the others. */
export function publishOnLink(socket: WebSocket, publication: JpegPublication): void {
  const refusals = new RefusalTeller(socket);
  let brokenInARow = 0;
  socket.on('message', (data, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    if (!isBinary) return socket.close(feedLinkClose.textMessage, 'pictures are binary messages');
    const frame = bytesOf(data);
    if (frame.length > maxPictureBytes) {
      return socket.close(feedLinkClose.pictureTooLarge, `a picture may have ${maxPictureBytes} bytes`);
    }
    const refusal = publication.frame(frame);
    if (refusal !== null) refusals.tell(refusal);
    brokenInARow = refusal?.code === 'JPEG_INVALID' ? brokenInARow + 1 : 0;
    if (brokenInARow >= maxBrokenInARow) {
      socket.close(feedLinkClose.brokenPictures, `${maxBrokenInARow} pictures in a row: ${refusal?.message}`);
    }
  });
  publication.onEnd((reason) => socket.close(feedLinkClose.takenOver, reason));
  socket.once('close', () => {
    refusals[Symbol.dispose]();
    publication[Symbol.dispose]();
  });
}

/** Reports rejected pictures once a second, with their number: a flood is counted, not repeated. */
class RefusalTeller implements Disposable {
  readonly #socket: WebSocket;
  #timer: NodeJS.Timeout | null = null;
  #last: FrameRefusal | null = null;
  #count = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  tell(refusal: FrameRefusal): void {
    this.#last = refusal;
    this.#count += 1;
    if (this.#timer === null) this.#send();
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #send(): void {
    if (this.#last === null) return;
    const message: PictureRefusal = { type: 'refused', ...this.#last, count: this.#count };
    this.#socket.send(JSON.stringify(message));
    this.#last = null;
    this.#count = 0;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#send();
    }, tellEveryMs);
  }
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
