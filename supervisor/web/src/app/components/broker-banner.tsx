import { useState } from 'preact/hooks';
import type { MqttLink } from '../../../../contract/index.ts';
import { BusyButton } from './busy-button.tsx';

type FoundBroker = NonNullable<MqttLink['found']>;

/** A broker that was found on the network: anyone can announce one, so the owner says whether it is the right one. */
export const BrokerBanner = (props: { found: FoundBroker; accept(id: string): Promise<void> }) => {
  const { found } = props;
  const [busy, setBusy] = useState(false);
  const accept = async () => {
    setBusy(true);
    await props.accept(found.id).finally(() => setBusy(false));
  };
  return (
    <div class="banner banner-note" role="status" data-testid="found-broker">
      <span class="banner-text">
        <strong>MQTT broker {found.name} found</strong> at {found.url} ({found.host}). Accept it only if it is
        yours: it gets the password and can control this appliance.
      </span>
      <BusyButton class="button button-main" busy={busy} onClick={() => void accept()}>
        {busy ? 'Connecting…' : 'Accept'}
      </BusyButton>
    </div>
  );
};
