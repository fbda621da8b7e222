import { useEffect, useRef } from 'preact/hooks';
import type { PlayerPhase } from '../feed-player.ts';
import { showPictures } from '../picture-link.ts';

interface FeedPicturesProps {
  feed: string;
  label: string;
  /** Whether there is something to connect to. */
  active: boolean;
  onPhase(phase: PlayerPhase): void;
}

/** An image that shows a feed of pictures, and keeps the last one while none comes. */
export const FeedPictures = ({ feed, label, active, onPhase }: FeedPicturesProps) => {
  const ref = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (!active) return;
    const stop = new AbortController();
    const show = (url: string) => {
      if (ref.current !== null) ref.current.src = url;
    };
    void showPictures(feed, { show, phase: (phase) => !stop.signal.aborted && onPhase(phase) }, stop.signal);
    return () => {
      stop.abort();
      onPhase({ kind: 'idle' });
    };
  }, [feed, active]);
  return <img class="pictures" ref={ref} alt={label} />;
};
