import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import type { TilePlace } from './layer-wish.ts';

/** A tile that leaves the view for a moment only, as by a swipe, need not be paused. */
const hiddenAfterMs = 1000;

/** Reports where a tile is, again on each change and before it is painted there. A hidden tile is reported a little later. */
export const useTilePlace = (
  ref: RefObject<HTMLElement | null>,
  large: boolean,
  onPlace: (place: TilePlace) => void,
): void => {
  useLayoutEffect(() => {
    const tile = ref.current;
    if (tile === null) return;
    let inView = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      clearTimeout(timer);
      const floats =
        document.pictureInPictureElement !== null && tile.contains(document.pictureInPictureElement);
      const visible = floats || (inView && document.visibilityState === 'visible');
      const say = () => onPlace({ visible, large, width: tile.clientWidth });
      if (visible) say();
      else timer = setTimeout(say, hiddenAfterMs);
    };
    const views = new IntersectionObserver((entries) => {
      inView = entries.at(-1)?.isIntersecting ?? true;
      tell();
    });
    const sizes = new ResizeObserver(tell);
    views.observe(tile);
    sizes.observe(tile);
    document.addEventListener('visibilitychange', tell);
    tile.addEventListener('enterpictureinpicture', tell, true);
    tile.addEventListener('leavepictureinpicture', tell, true);
    tell();
    return () => {
      clearTimeout(timer);
      views.disconnect();
      sizes.disconnect();
      document.removeEventListener('visibilitychange', tell);
      tile.removeEventListener('enterpictureinpicture', tell, true);
      tile.removeEventListener('leavepictureinpicture', tell, true);
    };
  }, [ref, large, onPlace]);
};
