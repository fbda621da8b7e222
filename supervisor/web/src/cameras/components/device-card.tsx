import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Device } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { Action, CarefulAction } from '../../app/components/action.tsx';
import { Fact, Pill } from '../../app/components/parts.tsx';
import { toHash } from '../../app/page-route.ts';
import { bestOfFormats, busName, type DeviceView, deviceStateNames, formatName } from '../device-view.ts';
import { DeviceControls } from './device-controls.tsx';

const RenameForm = (props: { view: DeviceView; controller: AppController; done(): void }) => {
  const { view, controller, done } = props;
  const input = useRef<HTMLInputElement>(null);
  // Typing replaces the old name.
  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const label = String(new FormData(event.currentTarget as HTMLFormElement).get('label') ?? '').trim();
    if (label !== '' && label !== view.label) await controller.labelDevice(view.id, label);
    done();
  };
  return (
    <form
      class="rename"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') done();
      }}
    >
      <input
        name="label"
        aria-label="Name of the camera"
        defaultValue={view.label}
        maxLength={64}
        required
        ref={input}
      />
      <button type="submit" class="button button-main">
        Save
      </button>
      <button type="button" class="button" onClick={done}>
        Cancel
      </button>
    </form>
  );
};

const Formats = ({ device }: { device: Device }) => (
  <details class="fold">
    <summary>All sizes and rates</summary>
    <dl>
      {device.formats.map(({ fourcc, sizes }) => (
        <Fact key={fourcc} name={formatName(fourcc)}>
          {sizes.map(({ width, height, fps }) => (
            <span class="format-size" key={`${width}x${height}`}>
              {width}×{height}
              {fps.length > 0 && (
                <span class="muted"> {fps.map((rate) => Number(rate.toFixed(1))).join(', ')} fps</span>
              )}
            </span>
          ))}
        </Fact>
      ))}
    </dl>
  </details>
);

const DeviceFacts = ({ device }: { device: Device }) => {
  const { path, driver, serial } = device;
  const more = [path, driver, serial === null ? null : `serial ${serial}`].filter((part) => part !== null);
  return (
    <>
      <Fact name="Plugged in at">
        {busName(device)}
        <span class="fact-note">{more.join(' · ')}</span>
      </Fact>
      {device.formats.length > 0 && (
        <Fact name="Gives">
          {bestOfFormats(device).map((best) => (
            <span class="format-size" key={best}>
              {best}
            </span>
          ))}
        </Fact>
      )}
    </>
  );
};

const Facts = ({ view: { device, source } }: { view: DeviceView }) => {
  const encoder = source?.encoder ?? null;
  return (
    <dl>
      {device !== null && <DeviceFacts device={device} />}
      {encoder !== null && (
        <Fact name="Encoder">
          {encoder.name}
          <span class="fact-note">{encoder.reason}</span>
        </Fact>
      )}
      {source !== null && source.restarts > 0 && <Fact name="Restarts">{source.restarts}</Fact>}
    </dl>
  );
};

interface DeviceCardProps {
  view: DeviceView;
  /** What the running take loses if the camera is no longer used; empty if nothing. */
  ends: string;
  controller: AppController;
}

/** Asks only if a master would end: otherwise one press brings the camera back. */
const StopUsing = ({ ends, stop }: { ends: string; stop(): Promise<void> }) => {
  const words = { text: 'Stop using it', doing: 'Stopping…', act: stop };
  return ends === '' ? <Action {...words} /> : <CarefulAction {...words} danger warning={ends} />;
};

const Actions = (props: DeviceCardProps & { rename(): void }) => {
  const { view, controller } = props;
  const { id, device, state, source } = view;
  if (state === 'unplugged') {
    return <Action text="Forget" doing="Forgetting…" act={() => controller.forgetDevice(id)} />;
  }
  if (state === 'unusable') return null;
  const use = (yes: boolean) => () => controller.useDevice(id, yes);
  const usable = device?.use === 'offered' || device?.use === 'unused';
  return (
    <>
      {usable && <Action main text="Use this camera" doing="Starting…" act={use(true)} />}
      {device?.use === 'offered' && <Action text="Ignore it" doing="Saving…" act={use(false)} />}
      {source !== null && (
        <a class="button" href={toHash({ page: 'live', feed: source.id })}>
          Show its picture
        </a>
      )}
      {device !== null && device.use !== 'settings' && (
        <button type="button" class="button" onClick={props.rename}>
          Rename
        </button>
      )}
      {device?.use === 'used' && <StopUsing ends={props.ends} stop={use(false)} />}
    </>
  );
};

/** A camera of this machine: what it is, its state, and what can be done with it. */
export const DeviceCard = (props: DeviceCardProps) => {
  const { view, controller } = props;
  const [renaming, setRenaming] = useState(false);
  const { device, label, state, reason, source } = view;
  return (
    <li class="card device" data-device={view.id} data-state={state}>
      <div class="row-head">
        {renaming ? (
          <RenameForm view={view} controller={controller} done={() => setRenaming(false)} />
        ) : (
          <h4>{label}</h4>
        )}
        <Pill state={state}>{deviceStateNames[state]}</Pill>
      </div>
      {device !== null && device.name !== label && <p class="row-note">{device.name}</p>}
      {reason !== null && <p class="row-reason">{reason}</p>}
      <Facts view={view} />
      {source !== null && device?.use !== 'used' && (
        <p class="row-note">
          Set up in rushlight.toml as the source <code>{source.id}</code>.
        </p>
      )}
      {source?.kind === 'test' && (
        <p class="row-note">
          The black and white bars across its top hold frame number and time, for programs that measure
          delays.
        </p>
      )}
      <div class="actions">
        <Actions {...props} rename={() => setRenaming(true)} />
      </div>
      {device !== null && device.controls.length > 0 && (
        <DeviceControls device={device} controller={controller} />
      )}
      {device?.kind === 'libcamera' && state !== 'unusable' && (
        <p class="row-note">
          Set exposure, focus and white balance of a camera module in its [[source]] section. They apply when
          it starts.
        </p>
      )}
      {device !== null && device.formats.length > 0 && <Formats device={device} />}
    </li>
  );
};
