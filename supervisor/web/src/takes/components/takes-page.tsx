import type { Status, Take, TakeCamera } from '../../../../contract/index.ts';
import { masterUrl } from '../../app/api-client.ts';
import type { AppController } from '../../app/app-controller.ts';
import { Action, CarefulAction } from '../../app/components/action.tsx';
import { Icon } from '../../app/components/icon.tsx';
import { countOf, formatBytes, formatCounter, formatInstant, formatLeft } from '../../app/format.ts';
import { cameraOfDevice, cameraPageUrl } from '../../cameras/camera-page.ts';
import { cameraLabel, partKey } from '../record-view.ts';

const stateTexts: Readonly<Record<Take['state'], string>> = {
  starting: 'Starting',
  recording: 'Recording',
  finishing: 'Finishing',
  verified: 'Verified',
  failed: 'Failed',
};

/** What the head of the card says about the whole take is not repeated for each camera. */
const saysTheSame = ({ state, verified }: TakeCamera, take: Take): boolean =>
  state === take.state && (verified || state !== 'verified');

/** The masters of a linked camera are on its own disk; its own page offers them for download. */
const Elsewhere = ({ part, status }: { part: TakeCamera; status: Status }) => {
  const device = part.device ?? '';
  const camera = cameraOfDevice(status, part.deviceId ?? device);
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
  if (camera.device !== null) return <Elsewhere part={camera} status={status} />;
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

/** The progress of the work on a camera's masters. */
const Work = ({ camera: { finishing, checking } }: { camera: TakeCamera }) => {
  if (finishing !== undefined) {
    const { done, remainingS } = finishing;
    const left = remainingS === null ? '' : `, ${formatLeft(remainingS)} left`;
    return (
      <span class="take-figures">
        <progress value={done} max={1} aria-label="Compressed and verified" /> {Math.floor(done * 100)} %
        {left}
      </span>
    );
  }
  if (checking === undefined) return null;
  return (
    <span class="take-figures">
      Reading it again: {checking.done} of {countOf(checking.of, 'master')} checked
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
    <Work camera={camera} />
    {camera.reason !== null && <span class="take-reason">{camera.reason}</span>}
  </li>
);

/** Only what lies on this appliance is deleted here; a take that left nothing anywhere is removed from the list. */
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

/** Bits on a disk can go bad; only reading them shows it. */
const CheckTake = ({ take, check }: { take: Take; check(): Promise<void> }) => {
  const hasOwn = take.cameras.some(({ device, segments }) => device === null && segments > 0);
  const isBeingRead = take.cameras.some(({ checking }) => checking !== undefined);
  if (!isOver(take) || !hasOwn || isBeingRead) return null;
  return <Action text="Check again" doing="Asking…" act={check} />;
};

interface TakeCardProps {
  take: Take;
  status: Status;
  remove(): Promise<void>;
  check(): Promise<void>;
}

const TakeCard = ({ take, status, remove, check }: TakeCardProps) => {
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
          <CameraRow key={partKey(camera)} take={take} camera={camera} status={status} />
        ))}
      </ul>
      <div class="take-foot">
        <p class="take-id">{take.id}</p>
        <CheckTake take={take} check={check} />
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

/** All takes, newest first. */
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
        <TakeCard
          key={take.id}
          take={take}
          status={status}
          remove={() => controller.deleteTake(take.id)}
          check={() => controller.verifyTake(take.id)}
        />
      ))}
    </ul>
  </div>
);
