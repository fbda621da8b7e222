import type { Status, Take, TakeCamera } from '../../../api/contract.ts';
import { masterUrl } from '../api-client.ts';
import type { AppController } from '../app-controller.ts';
import { cameraOfDevice, cameraPageUrl } from '../camera-page.ts';
import { countOf, formatBytes, formatCounter, formatInstant } from '../format.ts';
import { cameraLabel } from '../record-view.ts';
import { CarefulAction } from './action.tsx';
import { Icon } from './icon.tsx';

const stateTexts: Readonly<Record<Take['state'], string>> = {
  starting: 'Starting',
  recording: 'Recording',
  finishing: 'Finishing',
  verified: 'Verified',
  failed: 'Failed',
};

/** What the head of the card says of the whole take need not be said again of each camera. */
const saysTheSame = ({ state, verified }: TakeCamera, take: Take): boolean =>
  state === take.state && (verified || state !== 'verified');

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

const isOver = ({ state }: Pick<Take, 'state'>): boolean => state === 'verified' || state === 'failed';

const Segments = ({ take, camera, status }: { take: Take; camera: TakeCamera; status: Status }) => {
  if (!isOver(camera) || camera.segments === 0) return null;
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
    {!saysTheSame(camera, take) && (
      <span class="pill" data-state={camera.state}>
        {camera.verified && <Icon name="check" />}
        {stateTexts[camera.state]}
      </span>
    )}
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

/** Only what lies on this appliance is deleted here; what a take left nowhere is taken off the list. */
const DeleteTake = ({ take, remove }: { take: Take; remove(): Promise<void> }) => {
  if (!isOver(take)) return null;
  const own = take.cameras.filter(({ device, segments }) => device === null && segments > 0);
  const elsewhere = take.cameras.some(({ device, segments }) => device !== null && segments > 0);
  if (own.length === 0 && elsewhere) return null;
  const bytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const what =
    own.length === 0
      ? 'This take has no masters. It is only removed from the list.'
      : `${countOf(own.length, 'master')} of this take, ${formatBytes(bytes)}, will be deleted from this appliance’s disk. This can’t be undone.`;
  const rest = elsewhere ? ' Masters on other cameras stay.' : '';
  return (
    <CarefulAction small danger text="Delete" doing="Deleting…" warning={`${what}${rest}`} act={remove} />
  );
};

interface TakeCardProps {
  take: Take;
  status: Status;
  remove(): Promise<void>;
}

const TakeCard = ({ take, status, remove }: TakeCardProps) => {
  const lengthS =
    take.stoppedAt === null ? null : (Date.parse(take.stoppedAt) - Date.parse(take.startedAt)) / 1000;
  return (
    <li class="card take" data-take={take.id} data-state={take.state}>
      <div class="take-head">
        <h3>{formatInstant(take.startedAt)}</h3>
        <span class="take-length">{lengthS === null ? 'running' : formatCounter(lengthS)}</span>
        <span class="pill" data-state={take.state}>
          {take.state === 'verified' && <Icon name="check" />}
          {stateTexts[take.state]}
        </span>
      </div>
      <ul class="take-cameras">
        {take.cameras.map((camera) => (
          <CameraRow key={`${camera.device}/${camera.camera}`} take={take} camera={camera} status={status} />
        ))}
      </ul>
      <div class="take-foot">
        <p class="take-id">{take.id}</p>
        <DeleteTake take={take} remove={remove} />
      </div>
    </li>
  );
};

interface TakesPageProps {
  takes: readonly Take[] | null;
  status: Status;
  controller: AppController;
}

export const TakesPage = ({ takes, status, controller }: TakesPageProps) => (
  <div class="page" data-testid="takes">
    <h2>Takes</h2>
    {takes === null && <p role="status">Loading the takes…</p>}
    {takes?.length === 0 && (
      <div class="empty">
        <h3>No take yet</h3>
        <p>Press “Record”. Every camera keeps its own lossless master, and the take appears here.</p>
      </div>
    )}
    <ul class="takes">
      {takes?.map((take) => (
        <TakeCard key={take.id} take={take} status={status} remove={() => controller.deleteTake(take.id)} />
      ))}
    </ul>
  </div>
);
