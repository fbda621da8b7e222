import type { Status } from '../../../../contract/index.ts';
import { toHash } from '../../app/page-route.ts';

/** No feed: says what to do, depending on the role. */
export const EmptyLive = ({ status }: { status: Status }) => {
  const { role, name } = status.device;
  if (role === 'camera') {
    const { hub } = status;
    return (
      <div class="empty" data-testid="empty">
        <h2>This appliance is a camera</h2>
        {hub?.state === 'connected' && hub.url !== null ? (
          <>
            <p>The hub {hub.name ?? ''} shows its picture.</p>
            <a class="button button-main" href={hub.url}>
              Open the hub's page
            </a>
          </>
        ) : (
          <p>
            Its picture appears here once its source runs. <a href={toHash({ page: 'cameras' })}>Cameras</a>{' '}
            shows what it is waiting for.
          </p>
        )}
      </div>
    );
  }
  if (status.sources.length > 0) {
    return (
      <div class="empty" data-testid="empty">
        <h2>No picture yet</h2>
        <ul>
          {status.sources.map((source) => (
            <li key={source.id}>
              {source.label}: {source.state}
              {source.reason !== null && `, ${source.reason}`}
            </li>
          ))}
        </ul>
      </div>
    );
  }
  return (
    <div class="empty" data-testid="empty">
      <h2>No camera yet</h2>
      <ol>
        <li>Plug a USB camera into this hub,</li>
        <li>or switch on a Rushlight camera on the same network. It finds {name} by itself,</li>
        <li>
          or add a network camera on the page <a href={toHash({ page: 'cameras' })}>Cameras</a>.
        </li>
      </ol>
    </div>
  );
};
