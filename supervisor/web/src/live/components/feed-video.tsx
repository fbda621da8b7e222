import { useEffect, useRef } from 'preact/hooks';
import type { FeedPlayer } from '../feed-player.ts';
import { PictureHold } from '../picture-hold.ts';

interface FeedVideoProps {
  player: FeedPlayer;
  stream: MediaStream | null;
  /** Pictures of the feed in a second. */
  fps: number | null;
  muted: boolean;
  label: string;
  /** A still instead of the video has lasted long, or no longer does. */
  onLate(late: boolean): void;
}

/** A live stream. It resumes if a browser has paused it, and shows a still while the browser catches up with it. */
export const FeedVideo = ({ player, stream, fps, muted, label, onLate }: FeedVideoProps) => {
  const ref = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const hold = useRef<PictureHold | null>(null);
  const rate = useRef(fps);
  rate.current = fps;
  useEffect(() => {
    if (ref.current === null || canvas.current === null) return;
    const made = new PictureHold(ref.current, canvas.current, onLate);
    hold.current = made;
    const forget = player.turn.subscribe(() => {
      const kind = player.turn.value?.kind;
      if (kind === 'layer') made.change();
      else if (kind === 'resume') made.resume(rate.current);
      else if (kind === 'end') made.keep();
    });
    return () => {
      forget();
      made.end();
      hold.current = null;
    };
  }, [player, onLate]);
  useEffect(() => {
    const video = ref.current;
    if (video === null) return;
    video.srcObject = stream;
    if (stream === null) hold.current?.end();
    else hold.current?.begin(rate.current);
    const play = () => {
      if (video.srcObject === null || document.visibilityState !== 'visible') return;
      video.play().catch(() => {
        // Rejected without a gesture, or replaced by a newer stream: either way the next event tries again.
      });
    };
    play();
    // Phones pause videos in the background, and some refuse to start them before the first touch.
    document.addEventListener('visibilitychange', play);
    document.addEventListener('pointerdown', play);
    return () => {
      document.removeEventListener('visibilitychange', play);
      document.removeEventListener('pointerdown', play);
      video.srcObject = null;
    };
  }, [stream]);
  useEffect(() => {
    // An attribute would count only at the element's creation.
    if (ref.current !== null) ref.current.muted = muted;
  }, [muted]);
  return (
    <>
      <video ref={ref} autoplay muted playsinline disableRemotePlayback aria-label={label} />
      <canvas ref={canvas} class="still" hidden />
    </>
  );
};
