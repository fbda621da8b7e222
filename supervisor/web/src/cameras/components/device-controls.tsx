import { useRef, useState } from 'preact/hooks';
import type { Device, DeviceControl } from '../../../../contract/index.ts';
import type { AppController } from '../../app/app-controller.ts';
import { BusyButton } from '../../app/components/busy-button.tsx';
import { type ControlValue, controlGroups, isChanged, isSlider, stepOf } from '../control-view.ts';

type Send = (values: Record<string, ControlValue>) => Promise<void>;

/**
 * The user's value counts until the camera has answered; then the camera's. One change is sent at a time, and of later ones
 * only the last: a slider gives dozens a second.
 */
const useDraft = (control: DeviceControl, send: Send) => {
  const [draft, setDraft] = useState<ControlValue | null>(null);
  const flow = useRef<{ next: ControlValue | null; busy: boolean }>({ next: null, busy: false });
  const sendAll = async () => {
    const { current } = flow;
    for (let value = current.next; value !== null; value = current.next) {
      current.next = null;
      await send({ [control.id]: value });
    }
  };
  const set = async (value: ControlValue) => {
    setDraft(value);
    flow.current.next = value;
    if (flow.current.busy) return;
    flow.current.busy = true;
    await sendAll().finally(() => {
      flow.current.busy = false;
      setDraft(null);
    });
  };
  return { value: draft ?? control.value, set };
};

interface InputProps {
  id: string;
  control: DeviceControl;
  value: ControlValue | null;
  set(value: ControlValue): Promise<void>;
}

/** A field for a number. What is being typed stays, whatever arrives meanwhile, until it is entered or left. */
const NumberField = (props: { control: DeviceControl; value: number; set(value: number): void }) => {
  const [typed, setTyped] = useState<string | null>(null);
  const { control, value, set } = props;
  return (
    <input
      type="number"
      {...limitsOf(control)}
      value={typed ?? value}
      disabled={control.inactive}
      aria-label={`${control.label}, as a number`}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => {
        if (Number.isFinite(event.currentTarget.valueAsNumber)) set(event.currentTarget.valueAsNumber);
        setTyped(null);
      }}
      onBlur={() => setTyped(null)}
    />
  );
};

const limitsOf = (control: DeviceControl) => ({
  ...(control.min === null ? {} : { min: control.min }),
  ...(control.max === null ? {} : { max: control.max }),
  step: stepOf(control),
});

const NumberInput = ({ id, control, value, set }: InputProps) => {
  const number = Number(value ?? control.min ?? 0);
  return (
    <span class="control-number">
      {isSlider(control) && (
        <input
          type="range"
          id={id}
          {...limitsOf(control)}
          value={number}
          disabled={control.inactive}
          aria-label={control.label}
          onInput={(event) => void set(event.currentTarget.valueAsNumber)}
        />
      )}
      <NumberField control={control} value={number} set={(typed) => void set(typed)} />
    </span>
  );
};

const TextField = ({ id, control, value, set }: InputProps) => {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <input
      type="text"
      id={id}
      value={typed ?? String(value ?? '')}
      disabled={control.inactive}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onChange={(event) => void set(event.currentTarget.value).finally(() => setTyped(null))}
    />
  );
};

const Input = (props: InputProps) => {
  const { id, control, value, set } = props;
  const { kind, inactive } = control;
  if (kind === 'boolean') {
    return (
      <input
        type="checkbox"
        class="switch"
        id={id}
        checked={value === true}
        disabled={inactive}
        onChange={(event) => void set(event.currentTarget.checked)}
      />
    );
  }
  if (kind === 'menu') {
    return (
      <select
        id={id}
        value={String(value ?? '')}
        disabled={inactive}
        onChange={(event) => void set(Number(event.currentTarget.value))}
      >
        {control.menu.map((item) => (
          <option key={item.value} value={String(item.value)}>
            {item.label}
          </option>
        ))}
      </select>
    );
  }
  if (kind === 'button') {
    return (
      <button
        type="button"
        class="button button-small"
        id={id}
        disabled={inactive}
        onClick={() => void set(true)}
      >
        Do it
      </button>
    );
  }
  if (kind === 'string') return <TextField {...props} />;
  return <NumberInput {...props} />;
};

const Control = ({ device, control, send }: { device: Device; control: DeviceControl; send: Send }) => {
  const { value, set } = useDraft(control, send);
  const id = `${device.id}/${control.id}`;
  return (
    <div class="control" data-control={control.id} data-kind={control.kind}>
      <label for={id}>{control.label}</label>
      <Input id={id} control={control} value={value} set={set} />
      {control.inactive ? (
        <span class="control-note">set automatically by the camera</span>
      ) : (
        isChanged(control) && (
          <button
            type="button"
            class="link"
            aria-label={`${control.label} back to ${String(control.default)}`}
            onClick={() => void set(control.default ?? 0)}
          >
            Default
          </button>
        )
      )}
    </div>
  );
};

/** Exposure, focus, white balance and the other controls of a camera; a change is live at once. */
export const DeviceControls = ({ device, controller }: { device: Device; controller: AppController }) => {
  const [busy, setBusy] = useState(false);
  const send: Send = (values) => controller.setControls(device.id, values);
  const reset = async () => {
    setBusy(true);
    await controller.resetControls(device).finally(() => setBusy(false));
  };
  return (
    <details class="fold" data-testid="controls">
      <summary>Picture controls</summary>
      {controlGroups(device.controls).map((group) => (
        <fieldset class="controls" key={group.name}>
          <legend>{group.name}</legend>
          {group.controls.map((control) => (
            <Control key={control.id} device={device} control={control} send={send} />
          ))}
        </fieldset>
      ))}
      <BusyButton
        class="button"
        data-testid="reset-controls"
        busy={busy || !device.controls.some(isChanged)}
        onClick={() => void reset()}
      >
        {busy ? 'Resetting…' : 'Reset all'}
      </BusyButton>
    </details>
  );
};
