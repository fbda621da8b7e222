import { useState } from 'preact/hooks';
import type { ConfirmReason, NewCamera, Status } from '../../../../contract/index.ts';
import { BusyButton } from './busy-button.tsx';

type HubCode = Omit<NonNullable<Status['adoption']>, 'others'>;

/** Six digits are easier to compare in two groups. */
const spaced = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`;

/** Why the owner is asked on the camera as well, in the words of each of the two pages. */
const onHub: Readonly<Record<ConfirmReason, string>> = {
  'several-hubs': 'It found more than one hub.',
  'forgot-hub': 'It was made to forget its hub.',
};
const onCamera: Readonly<Record<ConfirmReason, string>> = {
  'several-hubs': 'There is, or was a few minutes ago, more than one hub on this network.',
  'forgot-hub': 'This camera was made to forget its hub.',
};

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
        {camera.confirm !== undefined && (
          <>
            {' '}
            {onHub[camera.confirm]} Open the camera’s own page, and press “Yes, this is my hub” beside this
            code; then adopt it here.
          </>
        )}
      </span>
      {camera.confirm === undefined ? (
        <BusyButton class="button button-main" busy={busy} onClick={() => void adopt()}>
          {busy ? 'Adopting…' : 'Yes, adopt it'}
        </BusyButton>
      ) : (
        <button type="button" class="button" disabled>
          Waits for confirmation
        </button>
      )}
    </div>
  );
};

const HubCodeBanner = (props: { hub: HubCode; confirm(code: string): Promise<void> }) => {
  const { code, hubName, confirm } = props.hub;
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    await props.confirm(code).finally(() => setBusy(false));
  };
  return (
    <div class="banner banner-note" role="status" data-testid="adoption">
      <span class="banner-text">
        <strong>Hub {hubName} may adopt this camera.</strong> Its page must show the same code:{' '}
        <b class="code">{spaced(code)}</b>
        {confirm !== undefined && (
          <> {onCamera[confirm]} Confirm the hub whose page shows its code; no other one gets this camera.</>
        )}
      </span>
      {confirm !== undefined && (
        <BusyButton class="button button-main" busy={busy} onClick={() => void press()}>
          {busy ? 'Confirming…' : 'Yes, this is my hub'}
        </BusyButton>
      )}
    </div>
  );
};

/** Adoption as seen from both sides: cameras that ask this hub, and the codes of a camera that asks. */
export const AdoptionBanners = (props: {
  status: Status;
  adopt(camera: NewCamera): Promise<void>;
  confirmHub(code: string): Promise<void>;
}) => {
  const { newCameras, adoption } = props.status;
  return (
    <>
      {newCameras.map((camera) => (
        <NewCameraBanner key={`${camera.id} ${camera.code}`} camera={camera} adopt={props.adopt} />
      ))}
      {adoption !== null &&
        [adoption, ...(adoption.others ?? [])].map((hub) => (
          <HubCodeBanner key={hub.code} hub={hub} confirm={props.confirmHub} />
        ))}
    </>
  );
};
