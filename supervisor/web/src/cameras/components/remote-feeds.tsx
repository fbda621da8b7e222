import { useState } from 'preact/hooks';
import type { ConfigView, SourceStatus, Status } from '../../../../contract/index.ts';
import { CarefulAction } from '../../app/components/action.tsx';
import { BusyButton } from '../../app/components/busy-button.tsx';
import { Pill } from '../../app/components/parts.tsx';
import { endOfMaster } from '../../takes/record-view.ts';
import {
  addressParts,
  type RemoteKind,
  remoteKinds,
  remoteKindsOf,
  remoteSources,
  remoteUrl,
  withoutRemote,
  withRemote,
} from '../remote-view.ts';
import { OwnersPart } from './owners-part.tsx';
import { type ChangeProps, useChange } from './use-change.ts';

interface RemoteFeedsProps extends ChangeProps {
  status: Status;
  /** Null if the key may not see the settings. */
  config: ConfigView | null;
}

const stateNames: Readonly<Record<SourceStatus['state'], string>> = {
  starting: 'connecting',
  running: 'live',
  stalled: 'stalled',
  waiting: 'not reached',
  stopped: 'stopped',
};

const RemoteRow = (props: RemoteFeedsProps & { source: SourceStatus }) => {
  const { source, status, config } = props;
  const { change } = useChange(props);
  const url = remoteUrl(config, source);
  return (
    <li class="row" data-remote={source.id} data-state={source.state}>
      <div class="row-head">
        <strong>{source.label}</strong>
        <Pill state={source.state}>{stateNames[source.state]}</Pill>
      </div>
      {source.reason !== null && <p class="row-reason">{source.reason}</p>}
      <p class="row-note">
        {remoteKinds.find(({ kind }) => kind === source.kind)?.name}
        {url !== null && `, ${url}`}
      </p>
      {config !== null && (
        <div class="actions">
          <CarefulAction
            danger
            text="Remove"
            label={`Remove ${source.label}`}
            doing="Removing…"
            warning={`${endOfMaster(status, source.id)}Its picture goes, and its address is forgotten.`}
            act={() => change((now) => withoutRemote(now, source))}
          />
        </div>
      )}
    </li>
  );
};

const AddForm = (props: RemoteFeedsProps) => {
  const { status } = props;
  const { busy, change } = useChange(props);
  const [kind, setKind] = useState<RemoteKind>('rtsp');
  const chosen = remoteKinds.find((one) => one.kind === kind);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const address = addressParts(text('url'));
    const remote = {
      kind,
      label: text('label'),
      url: address.url,
      username: text('username') || address.username,
      password: text('password') || address.password,
    };
    if (await change((now) => withRemote(now, status, remote))) form.reset();
  };
  return (
    <details class="fold" data-testid="add-remote">
      <summary>Add a feed</summary>
      <form class="form" onSubmit={submit}>
        <label>
          What it is
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as RemoteKind)}>
            {remoteKindsOf(status).map((one) => (
              <option key={one.kind} value={one.kind}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Name
          <input
            name="label"
            required
            maxLength={64}
            pattern=".*\S.*"
            title="A name that you can read"
            autocomplete="off"
            placeholder="Balcony"
          />
        </label>
        <label>
          Address
          <input
            name="url"
            inputMode="url"
            required
            pattern={`\\s*${chosen?.schemes}://.+`}
            title={`An address like ${chosen?.example}`}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            placeholder={chosen?.example}
          />
        </label>
        {chosen?.hasLogin && (
          <>
            <label>
              User name
              <input
                name="username"
                maxLength={255}
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                placeholder="If the camera asks for one"
              />
            </label>
            <label>
              Password
              <input
                name="password"
                type="password"
                maxLength={255}
                pattern="\S*"
                title="A password without spaces"
                autocomplete="off"
                placeholder="If the camera asks for one"
              />
            </label>
          </>
        )}
        <BusyButton type="submit" class="button button-main" busy={busy}>
          {busy ? 'Adding…' : 'Add'}
        </BusyButton>
      </form>
    </details>
  );
};

/** Feeds whose picture is made by another device on the network, beside the cameras of this machine. */
export const RemoteFeeds = (props: RemoteFeedsProps) => {
  const sources = remoteSources(props.status);
  const { config, status } = props;
  return (
    <section class="group" aria-labelledby="remote-title" data-testid="remotes">
      <h3 id="remote-title">From elsewhere in the network</h3>
      <div class="card">
        {sources.length === 0 && (
          <p class="row-note">
            None.{' '}
            {status.device.role === 'hub' ? 'Network cameras and feeds of other hubs' : 'Network cameras'} you
            add here are shown with the others.
          </p>
        )}
        <ul class="rows">
          {sources.map((source) => (
            <RemoteRow key={source.id} {...props} source={source} />
          ))}
        </ul>
        <OwnersPart config={config}>
          <AddForm {...props} />
        </OwnersPart>
      </div>
    </section>
  );
};
