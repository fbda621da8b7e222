import type { LinkState } from '../app-state.ts';
import { formatSpan } from '../format.ts';
import { useNow } from '../use-store.ts';

/** Shown before the first status: never a silent spinner, but what the page waits for and since when. */
export const WaitingPanel = ({ link }: { link: LinkState }) => {
  const nowMs = useNow(1000, true);
  if (link.kind !== 'lost') {
    return (
      <main class="panel-page">
        <p class="panel-quiet" role="status">
          Connecting to the appliance…
        </p>
      </main>
    );
  }
  const inS = link.retryAtMs === null ? null : Math.max(0, Math.ceil((link.retryAtMs - nowMs) / 1000));
  return (
    <main class="panel-page">
      <section class="panel" data-testid="unreachable">
        <h1>The appliance isn’t answering</h1>
        <p role="alert">{link.reason}</p>
        <p>
          No answer for {formatSpan((nowMs - link.sinceMs) / 1000)}.{' '}
          {inS === null ? 'Trying now.' : `Next try in ${inS} s.`}
        </p>
        <ul>
          <li>Is it switched on? It takes up to a minute to start.</li>
          <li>Is this device on the same network?</li>
        </ul>
        <button type="button" class="button button-main" onClick={() => location.reload()}>
          Try now
        </button>
      </section>
    </main>
  );
};
