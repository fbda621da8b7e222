import { useState } from 'preact/hooks';
import type { Store } from '../../app/store.ts';
import { useStore } from '../../app/use-store.ts';

/** Why feeds are shown as pictures instead of video, until the user has read it. */
export const PicturesBanner = ({ notice, hidden }: { notice: Store<string | null>; hidden: boolean }) => {
  const text = useStore(notice);
  const [read, setRead] = useState<string | null>(null);
  if (text === null || text === read) return null;
  return (
    <div class="banner banner-note" hidden={hidden} role="status" data-testid="pictures-instead">
      <span class="banner-text">{text}</span>
      <button type="button" class="button" onClick={() => setRead(text)}>
        OK
      </button>
    </div>
  );
};
