import { useState } from 'preact/hooks';
import type { Status } from '../../../../contract/index.ts';
import { isRoomLow } from '../../app/alerts.ts';
import type { AppController } from '../../app/app-controller.ts';
import { BusyButton } from '../../app/components/busy-button.tsx';
import { countOf, formatCounter, formatFps, formatLeft, formatSpan } from '../../app/format.ts';
import { toHash } from '../../app/page-route.ts';
import { useNow } from '../../app/use-store.ts';
import { type RecordCamera, type RecordView, recordViewOf } from '../record-view.ts';
import { armedForMs, disarmed, isArmed, press } from '../stop-arming.ts';

const cameraStateNames: Readonly<Record<RecordCamera['state'], string>> = {
  idle: 'ready',
  offline: 'not ready',
  starting: 'starting',
  recording: 'recording',
  finishing: 'finishing',
  verified: 'verified',
  failed: 'failed',
};

/** A camera that sends, but not as requested, is not called ready. */
const isUnready = ({ state, reason }: RecordCamera): boolean => state === 'idle' && reason !== null;

/** Beside “1 camera ready” a chip that says the same about the one camera adds nothing. */
const tellsNothing = ({ state, reason }: RecordCamera): boolean => state === 'idle' && reason === null;

const Chip = ({ camera, stale }: { camera: RecordCamera; stale: boolean }) => {
  const dropped = camera.droppedFrames ?? 0;
  const counted = camera.frames !== null && camera.state !== 'starting';
  // Beside a reason there is little room: what is missing matters more than what is there.
  const lost = dropped > 0 ? `${dropped} dropped` : null;
  const all = counted ? `${countOf(camera.frames ?? 0, 'frame')}, ${dropped} dropped` : null;
  const figures = camera.reason === null ? all : lost;
  const rate = camera.state === 'idle' && camera.fps !== null ? formatFps(camera.fps) : null;
  const note = [camera.reason, figures, rate].filter((part) => part !== null).join(' · ');
  const state = isUnready(camera) ? 'offline' : camera.state;
  return (
    <li class="chip" data-state={stale ? 'unknown' : state} data-dropped={dropped > 0} title={note}>
      <span class="chip-dot" />
      <span class="chip-head">
        <span class="chip-name">{camera.label}</span> {stale && 'was '}
        {cameraStateNames[state]}
      </span>
      {note !== '' && <span class="chip-note">{note}</span>}
    </li>
  );
};

interface ButtonProps {
  view: RecordView;
  stale: boolean;
  controller: AppController;
}

type ButtonState = 'idle' | 'recording' | 'armed';

const buttonTexts: Readonly<Record<ButtonState, string>> = {
  idle: 'Record',
  recording: 'Stop',
  armed: 'Press again to stop',
};

/** One press too many must not start the next take by accident. */
const restAfterStopMs = 1000;

const RecordButton = ({ view, stale, controller }: ButtonProps) => {
  const [arming, setArming] = useState(disarmed);
  const [busy, setBusy] = useState<string | null>(null);
  useNow(200, isArmed(arming, Date.now()));
  const take = view.stoppable;
  const start = async () => {
    setBusy('Starting…');
    await controller.startTake().finally(() => setBusy(null));
  };
  const stop = async (id: string) => {
    const pressed = press(arming, Date.now());
    setArming(pressed.arming);
    if (!pressed.stops) return;
    setBusy('Stopping…');
    await controller.stopTake(id).finally(() => setTimeout(() => setBusy(null), restAfterStopMs));
  };
  const state: ButtonState = take === null ? 'idle' : isArmed(arming, Date.now()) ? 'armed' : 'recording';
  const none = take === null && view.cameras.every((camera) => camera.state === 'offline');
  return (
    <BusyButton
      class="record-button"
      data-testid="record"
      data-state={state}
      busy={busy !== null}
      disabled={busy === null && (none || (stale && take === null))}
      title={take === null ? undefined : `Stopping takes two presses within ${armedForMs / 1000} s`}
      onClick={() => void (take === null ? start() : stop(take.id))}
    >
      <span class="record-mark" />
      {busy ?? buttonTexts[state]}
    </BusyButton>
  );
};

const Counter = (props: { startedAt: string; clockOffsetMs: number; stale: boolean }) => {
  const nowMs = useNow(250, !props.stale);
  const seconds = (nowMs + props.clockOffsetMs - Date.parse(props.startedAt)) / 1000;
  return (
    <span class="counter" data-testid="elapsed" role="timer" aria-label="Time recorded">
      {formatCounter(seconds)}
    </span>
  );
};

const Finishing = ({ done, remainingS }: { done: number; remainingS: number | null }) => (
  <p class="record-finishing" data-testid="finishing">
    <progress value={done} max={1} aria-label="Masters compressed and verified" />
    <span>
      {Math.floor(done * 100)} %{remainingS !== null && `, ${formatLeft(remainingS)} left`}
    </span>
  </p>
);

/** The record button, and the truth about the take. */
export const RecordBar = (props: {
  status: Status;
  stale: boolean;
  clockOffsetMs: number;
  controller: AppController;
}) => {
  const view = recordViewOf(props.status);
  const { stoppable, remaining, last, finishing } = view;
  const only = view.cameras.length === 1 ? (view.cameras[0] ?? null) : null;
  return (
    <footer class="record-bar" data-state={view.phase} data-trouble={view.trouble} data-testid="record-bar">
      <div class="record-main">
        <RecordButton view={view} stale={props.stale} controller={props.controller} />
        <div class="record-text">
          <p class="record-line">
            {stoppable !== null && (
              <Counter
                startedAt={stoppable.startedAt}
                clockOffsetMs={props.clockOffsetMs}
                stale={props.stale}
              />
            )}
            <span role="status" data-testid="record-summary">
              {props.stale ? `Last known: ${view.summary}` : view.summary}
            </span>
          </p>
          {finishing !== null && <Finishing {...finishing} />}
          <p class="record-note">
            {only !== null && tellsNothing(only) && only.fps !== null && <span>{formatFps(only.fps)}</span>}
            {remaining !== null && (
              <span
                class="remaining"
                data-low={isRoomLow({ remainingS: remaining.seconds, take: props.status.recording.take })}
              >
                Room for at least {formatSpan(remaining.seconds)}
                {remaining.where !== null && ` on ${remaining.where}`}
              </span>
            )}
            {last !== null && (
              <a
                class="last-take"
                href={toHash({ page: 'takes' })}
                data-bad={last.bad}
                data-testid="last-take"
              >
                {last.text}
              </a>
            )}
          </p>
        </div>
      </div>
      {(only === null || !tellsNothing(only)) && view.cameras.length > 0 && (
        <ul class="chips" aria-label="Cameras in the take">
          {view.cameras.map((camera) => (
            <Chip key={camera.key} camera={camera} stale={props.stale} />
          ))}
        </ul>
      )}
    </footer>
  );
};
