import { useEffect, useState } from 'preact/hooks';
import type { ConfigView, Device, Status, UnpluggedDevice } from '../../../../contract/index.ts';
import { ApiCallError } from '../../app/api-client.ts';
import type { AppController } from '../../app/app-controller.ts';
import { endOfMaster } from '../../takes/record-view.ts';
import { deviceViews } from '../device-view.ts';
import { type AdoptPolicy, adoptPolicyOf } from '../remote-view.ts';
import { DeviceCard } from './device-card.tsx';
import { LinkedCameras } from './linked-cameras.tsx';
import { Outputs } from './outputs.tsx';
import { RemoteFeeds } from './remote-feeds.tsx';

interface CamerasPageProps {
  status: Status;
  devices: readonly Device[] | null;
  unplugged: readonly UnpluggedDevice[];
  configEdition: number;
  clockOffsetMs: number;
  controller: AppController;
}

type ConfigState = {
  readonly view: ConfigView | null;
  readonly error: string | null;
  readonly known: boolean;
};

/** The settings, as far as the key may see them; read again when they change. */
const useConfig = (controller: AppController, edition: number) => {
  const [config, setConfig] = useState<ConfigState>({ view: null, error: null, known: false });
  useEffect(() => {
    const stop = new AbortController();
    controller.config(stop.signal).then(
      (view) => setConfig({ view, error: null, known: true }),
      (error: unknown) => {
        if (stop.signal.aborted) return;
        if (!(error instanceof ApiCallError)) throw error;
        setConfig({ view: null, error: error.message, known: true });
      },
    );
    return () => stop.abort();
  }, [controller, edition]);
  const onConfig = (view: ConfigView) => setConfig({ view, error: null, known: true });
  return { config, onConfig };
};

const policies: readonly { readonly value: AdoptPolicy; readonly text: string }[] = [
  { value: 'auto', text: 'Use it' },
  { value: 'ask', text: 'Ask first' },
  { value: 'never', text: 'Ignore it' },
];

const Policy = (props: { value: AdoptPolicy; choose(value: AdoptPolicy): Promise<void> }) => {
  /** What was pressed, until the appliance has answered. */
  const [pressed, setPressed] = useState<AdoptPolicy | null>(null);
  const shown = pressed ?? props.value;
  const choose = async (value: AdoptPolicy) => {
    setPressed(value);
    await props.choose(value).finally(() => setPressed(null));
  };
  return (
    <fieldset class="choice" data-testid="adopt-policy">
      <legend>When a camera is plugged in</legend>
      <div class="choice-row">
        {policies.map(({ value, text }) => (
          <label key={value} class="choice-item">
            <input
              type="radio"
              name="adopt"
              value={value}
              checked={shown === value}
              onChange={() => void choose(value)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
};

const Devices = ({ status, devices, unplugged, controller }: CamerasPageProps) => {
  if (devices === null) return <p role="status">Loading the cameras…</p>;
  const views = deviceViews(status, devices, unplugged);
  if (views.length === 0) {
    return (
      <p class="card row-note" data-testid="no-devices">
        No camera is plugged in. Plug one into a USB port, and it appears here within a second.
      </p>
    );
  }
  return (
    <ul class="cards" data-testid="devices">
      {views.map((view) => (
        <DeviceCard
          key={view.id}
          view={view}
          ends={endOfMaster(status, view.source?.id ?? null)}
          controller={controller}
        />
      ))}
    </ul>
  );
};

/** Everything that makes pictures: plugged in here, linked to this hub, or elsewhere on the network. */
export const CamerasPage = (props: CamerasPageProps) => {
  const { status, configEdition, clockOffsetMs, controller } = props;
  const { config, onConfig } = useConfig(controller, configEdition);
  const policy = adoptPolicyOf(config.view);
  const choose = async (adopt: AdoptPolicy) => {
    const view = await controller.changeConfig(() => ({ devices: { adopt } }));
    if (view !== null) onConfig(view);
  };
  return (
    <div class="page" data-testid="cameras">
      <h2>Cameras</h2>
      <section class="group" aria-labelledby="plugged-title">
        <h3 id="plugged-title">Plugged into {status.device.name}</h3>
        {policy !== null && <Policy value={policy} choose={choose} />}
        <Devices {...props} />
      </section>
      <LinkedCameras status={status} controller={controller} />
      {config.error !== null && (
        <p class="row-reason" role="alert">
          Can’t read the settings: {config.error}
        </p>
      )}
      {config.known && config.error === null && (
        <>
          <RemoteFeeds status={status} config={config.view} controller={controller} onConfig={onConfig} />
          <Outputs
            status={status}
            config={config.view}
            clockOffsetMs={clockOffsetMs}
            controller={controller}
            onConfig={onConfig}
          />
        </>
      )}
    </div>
  );
};
