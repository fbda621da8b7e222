import type { LinkedCamera, SourceStatus, Status } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { CarefulAction } from '../../app/components/action.tsx';
import { Fact, Pill } from '../../app/components/parts.tsx';
import { formatInstant, formatOffset, formatSpan } from '../../app/format.ts';
import { cameraPageUrl } from '../camera-page.ts';

const SourceRow = ({ source }: { source: SourceStatus }) => (
  <li class="row" data-source={source.id} data-state={source.state}>
    <div class="row-head">
      <strong>{source.label}</strong>
      <Pill state={source.state}>{source.state === 'running' ? 'live' : source.state}</Pill>
    </div>
    {source.reason !== null && <p class="row-reason">{source.reason}</p>}
    {source.encoder !== null && (
      <p class="row-note">
        {source.encoder.name}: {source.encoder.reason}
      </p>
    )}
    {source.restarts > 0 && <p class="row-note">Restarted {source.restarts} times.</p>}
  </li>
);

const Address = ({ camera }: { camera: LinkedCamera }) => {
  const url = cameraPageUrl(camera, { page: 'live', feed: null });
  return url === null ? camera.address : <a href={url}>{camera.address}</a>;
};

const Facts = ({ camera }: { camera: LinkedCamera }) => (
  <dl>
    <Fact name="Address">
      <Address camera={camera} />
    </Fact>
    <Fact name="Version">{camera.version}</Fact>
    {camera.online && (
      <>
        <Fact name="Recorder">
          {camera.recording}
          {camera.remainingS !== null && `, room for ${formatSpan(camera.remainingS)}`}
        </Fact>
        <Fact name="Clock">{formatOffset(camera.clockOffsetMs, camera.clockUncertaintyMs)}</Fact>
      </>
    )}
  </dl>
);

const CameraCard = ({ camera, controller }: { camera: LinkedCamera; controller: AppController }) => (
  <li class="card device" data-camera={camera.id} data-state={camera.online ? 'online' : 'offline'}>
    <div class="row-head">
      <h4>{camera.name}</h4>
      <Pill state={camera.online ? 'running' : 'offline'}>
        {camera.online ? 'connected' : 'not connected'}
      </Pill>
    </div>
    {!camera.online && (
      <p class="row-reason">Last seen {formatInstant(camera.lastSeenAt)}. Check its power and its network.</p>
    )}
    <Facts camera={camera} />
    {/* What an absent camera last said of its sources is no longer known to be true. */}
    {camera.online && (
      <ul class="rows">
        {camera.sources.map((source) => (
          <SourceRow key={source.id} source={source} />
        ))}
      </ul>
    )}
    <div class="actions">
      <CarefulAction
        danger
        text="Remove from this hub"
        doing="Removing…"
        warning={`${camera.name} loses its key at once, even during a take. To use it again you must adopt it again.`}
        act={() => controller.unadopt(camera.id)}
      />
    </div>
  </li>
);

/** Cameras that this hub has adopted. */
export const LinkedCameras = ({ status, controller }: { status: Status; controller: AppController }) => {
  if (status.device.role !== 'hub') return null;
  return (
    <section class="group" aria-labelledby="linked-title">
      <h3 id="linked-title">Cameras of this hub</h3>
      {status.cameras.length === 0 && (
        <p class="card row-note">
          No camera has connected yet. Switch one on in this network: it appears here and asks to be adopted.
        </p>
      )}
      <ul class="cards">
        {status.cameras.map((camera) => (
          <CameraCard key={camera.id} camera={camera} controller={controller} />
        ))}
      </ul>
    </section>
  );
};
