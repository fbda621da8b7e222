import type { Status, Take, TakeCamera } from '../../../api/contract.ts';
import { masterUrl } from '../api-client.ts';
import { cameraOfDevice, cameraPageUrl } from '../camera-page.ts';
import { countOf, formatBytes, formatCounter, formatInstant } from '../format.ts';
import { cameraLabel } from '../record-view.ts';
import { Icon } from './icon.tsx';

const stateTexts: Readonly<Record<Take['state'], string>> = {
  starting: 'Starting',
  recording: 'Recording',
  finishing: 'Finishing',
  verified: 'Verified',
  failed: 'Failed',
};

/** The masters of a linked camera are on its own disk, and its own page gives them out. */
const Elsewhere = ({ device, status }: { device: string; status: Status }) => {
  const camera = cameraOfDevice(status, device);
  const url = camera === null ? null : cameraPageUrl(camera, { page: 'takes' });
  if (url === null) return <span class="take-figures">on {camera?.name ?? device}, which is away</span>;
  return (
    <a class="button button-small" href={url}>
      Takes of {camera?.name}
    </a>
  );
};

const Segments = ({ take, camera, status }: { take: Take; camera: TakeCamera; status: Status }) => {
  const over = camera.state === 'verified' || camera.state === 'failed';
  if (!over || camera.segments === 0) return null;
  if (camera.device !== null) return <Elsewhere device={camera.device} status={status} />;
  const numbers = Array.from({ length: camera.segments }, (_, index) => index + 1);
  return (
    <span class="segments">
      {numbers.map((segment) => (
        <a
          key={segment}
          class="button button-small"
          href={masterUrl(take.id, camera.camera, segment)}
          download
          aria-label={`Download ${camera.camera}, segment ${segment} of ${camera.segments}`}
        >
          <Icon name="download" />
          {camera.segments === 1 ? 'Master' : `Part ${segment}`}
        </a>
      ))}
    </span>
  );
};

const CameraRow = ({ take, camera, status }: { take: Take; camera: TakeCamera; status: Status }) => (
  <li class="take-camera" data-state={camera.state}>
    <span class="take-camera-name">{cameraLabel(status, camera)}</span>
    <span class="pill" data-state={camera.state}>
      {camera.verified && <Icon name="check" />}
      {stateTexts[camera.state]}
    </span>
    <span class="take-figures">
      {countOf(camera.frames, 'frame')},{' '}
      <span data-bad={camera.droppedFrames > 0}>{camera.droppedFrames} dropped</span>
      {', '}
      {formatBytes(camera.sizeBytes)}
    </span>
    <Segments take={take} camera={camera} status={status} />
    {camera.reason !== null && <span class="take-reason">{camera.reason}</span>}
  </li>
);

const TakeCard = ({ take, status }: { take: Take; status: Status }) => {
  const lengthS =
    take.stoppedAt === null ? null : (Date.parse(take.stoppedAt) - Date.parse(take.startedAt)) / 1000;
  return (
    <li class="card take" data-take={take.id} data-state={take.state}>
      <div class="take-head">
        <h3>{formatInstant(take.startedAt)}</h3>
        <span class="take-length">{lengthS === null ? 'running' : formatCounter(lengthS)}</span>
        <span class="pill" data-state={take.state}>
          {stateTexts[take.state]}
        </span>
      </div>
      <ul class="take-cameras">
        {take.cameras.map((camera) => (
          <CameraRow key={`${camera.device}/${camera.camera}`} take={take} camera={camera} status={status} />
        ))}
      </ul>
      <p class="take-id">{take.id}</p>
    </li>
  );
};

export const TakesPage = ({ takes, status }: { takes: readonly Take[] | null; status: Status }) => (
  <div class="page" data-testid="takes">
    <h2>Takes</h2>
    {takes === null && <p role="status">Asking for the takes…</p>}
    {takes?.length === 0 && (
      <div class="empty">
        <h3>No take yet</h3>
        <p>Press “Record”: every camera keeps its own lossless master, and they are listed here.</p>
      </div>
    )}
    <ul class="takes">
      {takes?.map((take) => (
        <TakeCard key={take.id} take={take} status={status} />
      ))}
    </ul>
  </div>
);
