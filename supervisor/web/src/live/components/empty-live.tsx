import type { Status } from '../../../../contract/index.ts';
import { toHash } from '../../app/page-route.ts';

/** No feed: say what to do, as the role demands. */
export const EmptyLive = ({ status }: { status: Status }) => {
  const { role, name } = status.device;
  if (role === 'camera') {
    const { hub } = status;
    return (
      <div class="empty" data-testid="empty">
        <h2>This appliance is a camera</h2>
        {hub?.state === 'connected' && hub.url !== null ? (
          <>
            <p>Its picture is shown by the hub {hub.name ?? ''}.</p>
            <a class="button button-main" href={hub.url}>
              Open the hub's page
            </a>
          </>
        ) : (
          <p>
            It shows its picture here once its source runs. See{' '}
            <a href={toHash({ page: 'cameras' })}>Cameras</a> for what it waits for.
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
        <li>Plug a USB camera into this hub, or</li>
        <li>
          switch on a second appliance in the role “camera” in the same network: it finds {name} by itself, or
        </li>
        <li>
          add a network camera on the page <a href={toHash({ page: 'cameras' })}>Cameras</a>.
        </li>
      </ol>
    </div>
  );
};
