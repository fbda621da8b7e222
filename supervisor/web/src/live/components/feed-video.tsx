import { useEffect, useRef } from 'preact/hooks';

/** A video element that shows a live stream, and resumes if a browser has paused it. */
export const FeedVideo = (props: { stream: MediaStream | null; muted: boolean; label: string }) => {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const video = ref.current;
    if (video === null) return;
    video.srcObject = props.stream;
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
  }, [props.stream]);
  useEffect(() => {
    // An attribute would count only at the element's creation.
    if (ref.current !== null) ref.current.muted = props.muted;
  }, [props.muted]);
  return <video ref={ref} autoplay muted playsinline disableRemotePlayback aria-label={props.label} />;
};
