import type { LinkState } from '../app-state.ts';
import { formatSpan } from '../format.ts';
import { useNow } from '../use-store.ts';

const Lost = ({ link }: { link: Extract<LinkState, { kind: 'lost' }> }) => {
  const nowMs = useNow(1000, true);
  const inS = link.retryAtMs === null ? null : Math.max(0, Math.ceil((link.retryAtMs - nowMs) / 1000));
  return (
    <div class="banner banner-error" data-testid="connection-lost">
      <strong>
        {/* The seconds are for the eye alone: read aloud each second they would drown everything else. */}
        <span role="alert">Connection lost</span> {formatSpan((nowMs - link.sinceMs) / 1000)} ago.
      </strong>{' '}
      <span>
        {link.reason} {inS === null ? 'Trying now.' : `Next try in ${inS} s.`} What you see may be old.
      </span>
    </div>
  );
};

/** Says that the link to the appliance is lost, or that the page is of another version. */
export const ConnectionBanner = (props: { link: LinkState; pageVersion: string | null; version: string }) => {
  if (props.link.kind === 'lost') return <Lost link={props.link} />;
  if (props.pageVersion === null || props.pageVersion === props.version) return null;
  return (
    <div class="banner banner-note" role="status">
      <span>
        The appliance now runs version {props.version}; this page is from {props.pageVersion}.
      </span>
      <button type="button" class="button" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
};
