import type { FrameWatch } from './frame-hub.ts';

/** A client that takes nothing for so long is gone, though its connection may not know it yet. */
const stuckMs = 30_000;

/** Where one client's frames go. */
export interface FrameSink {
  /** Settles once there is room for the next frame. */
  write(frame: Buffer): Promise<void>;
  /** Breaks the connection. */
  destroy(): void;
}

/** Shows a client frame after frame, each when the one before has been taken. Ends with the signal; never rejects. */
export async function showFrames(watch: FrameWatch, sink: FrameSink, signal: AbortSignal): Promise<void> {
  for (let frame = await watch.next(signal); frame !== null; frame = await watch.next(signal)) {
    const stuck = setTimeout(() => sink.destroy(), stuckMs);
    await Promise.race([sink.write(frame), aborted(signal)]);
    clearTimeout(stuck);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
