import { useState } from 'preact/hooks';
import type { NewCamera, Status } from '../../../../contract/index.ts';

/** Six digits are easier to compare in two groups. */
const spaced = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`;

const NewCameraBanner = (props: { camera: NewCamera; adopt(camera: NewCamera): Promise<void> }) => {
  const { camera } = props;
  const [busy, setBusy] = useState(false);
  const adopt = async () => {
    setBusy(true);
    await props.adopt(camera).finally(() => setBusy(false));
  };
  return (
    <div class="banner banner-note" role="status" data-new-camera={camera.id}>
      <span class="banner-text">
        <strong>New camera {camera.name}</strong> at {camera.address}. Does it show{' '}
        <b class="code">{spaced(camera.code)}</b>?
      </span>
      <button type="button" class="button button-main" disabled={busy} onClick={() => void adopt()}>
        {busy ? 'Adopting…' : 'Yes, adopt it'}
      </button>
    </div>
  );
};

/** Adoption as seen from both sides: cameras that ask this hub, and the code of a camera that asks. */
export const AdoptionBanners = (props: { status: Status; adopt(camera: NewCamera): Promise<void> }) => {
  const { newCameras, adoption } = props.status;
  return (
    <>
      {newCameras.map((camera) => (
        <NewCameraBanner key={`${camera.id} ${camera.code}`} camera={camera} adopt={props.adopt} />
      ))}
      {adoption !== null &&
        [adoption, ...(adoption.others ?? [])].map(({ code, hubName }) => (
          <div class="banner banner-note" role="status" data-testid="adoption" key={code}>
            <span class="banner-text">
              <strong>Hub {hubName} may adopt this camera.</strong> Its page must show the same code:{' '}
              <b class="code">{spaced(code)}</b>
            </span>
          </div>
        ))}
    </>
  );
};
