import { useEffect, useState } from 'preact/hooks';
import { type PageRoute, parseHash } from './page-route.ts';

/** The route in the address bar; it follows links and the browser's back button. */
export const useRoute = (): PageRoute => {
  const [hash, setHash] = useState(() => location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return parseHash(hash);
};
