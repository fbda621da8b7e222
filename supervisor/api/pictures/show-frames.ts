import type { FrameWatch } from '../../contract/ports.ts';

/** A client that accepts nothing for this long is gone, even if its connection does not know it yet. */
const stuckMs = 30_000;

/** Where one client's frames go. */
export interface FrameSink {
  /** Settles once there is room for the next frame. */
  write(frame: Buffer): Promise<void>;
  /** Breaks the connection. */
  destroy(): void;
}

/** Shows a client frame after frame, each once the one before has been accepted. Ends with the signal; never rejects. */
export async function showFrames(watch: FrameWatch, sink: FrameSink, signal: AbortSignal): Promise<void> {
  for (let frame = await watch.next(signal); frame !== null; frame = await watch.next(signal)) {
    const stuck = setTimeout(() => sink.destroy(), stuckMs);
    await settled(sink.write(frame), signal);
    clearTimeout(stuck);
  }
}

/** Settles with the write or with the signal, and leaves no listener on the signal: frames come for days. */
async function settled(writing: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => resolve();
  writing.then(done, done); // a broken connection ends by the signal
  signal.addEventListener('abort', done, { once: true });
  if (signal.aborted) done();
  await promise;
  signal.removeEventListener('abort', done);
}
