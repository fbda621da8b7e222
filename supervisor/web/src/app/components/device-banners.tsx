import { useState } from 'preact/hooks';
import type { Device } from '../../../../contract/index.ts';
import { bestOfFormats, offeredDevices } from '../../cameras/device-view.ts';
import { BusyButton } from './busy-button.tsx';

const OfferBanner = (props: { device: Device; use(id: string, use: boolean): Promise<void> }) => {
  const { id, label } = props.device;
  const [busy, setBusy] = useState<boolean | null>(null);
  const answer = async (use: boolean) => {
    setBusy(use);
    await props.use(id, use).finally(() => setBusy(null));
  };
  return (
    <div class="banner banner-note" role="status" data-offered={id}>
      <span class="banner-text">
        <strong>{label} is plugged in.</strong> Use it?
        <span class="banner-detail">{bestOfFormats(props.device).join(' · ')}</span>
      </span>
      <span class="banner-actions">
        <BusyButton class="button" busy={busy !== null} onClick={() => void answer(false)}>
          No
        </BusyButton>
        <BusyButton class="button button-main" busy={busy !== null} onClick={() => void answer(true)}>
          {busy === true ? 'Starting…' : 'Use it'}
        </BusyButton>
      </span>
    </div>
  );
};

/** Cameras that were plugged in and wait for a person's choice. */
export const DeviceBanners = (props: {
  devices: readonly Device[] | null;
  use(id: string, use: boolean): Promise<void>;
}) => (
  <>
    {offeredDevices(props.devices).map((device) => (
      <OfferBanner key={device.id} device={device} use={props.use} />
    ))}
  </>
);
