import { useState } from 'preact/hooks';
import type { ConfigView, Output, Status } from '../../../../contract/index.ts';
import { CarefulAction } from '../../app/components/action.tsx';
import { BusyButton } from '../../app/components/busy-button.tsx';
import { Pill } from '../../app/components/parts.tsx';
import type { FormEdits } from '../../app/form-edits.ts';
import {
  editsOf,
  entryOf,
  everyFeed,
  feedChoices,
  flowNote,
  type OutputEntry,
  type OutputForm,
  outputNote,
  stateNames,
  withChangedOutput,
  withOutput,
  withOutputSwitched,
  withoutOutput,
} from '../output-view.ts';
import { OwnersPart } from './owners-part.tsx';
import { type ChangeProps, useChange } from './use-change.ts';

interface OutputsProps extends ChangeProps {
  status: Status;
  /** Null if the key may not see the settings. */
  config: ConfigView | null;
  clockOffsetMs: number;
}

/** Pills know these states under the names that other things have. */
const pillStates: Readonly<Record<Output['state'], string>> = {
  off: 'off',
  waiting: 'waiting',
  connecting: 'connecting',
  live: 'running',
  failed: 'failed',
};

const readForm = (form: HTMLFormElement): OutputForm => {
  const fields = new FormData(form);
  const text = (name: string) => String(fields.get(name) ?? '');
  return {
    label: text('label'),
    feed: text('feed'),
    url: text('url'),
    token: text('token'),
    fingerprint: text('fingerprint'),
  };
};

const Fields = ({ status, entry }: { status: Status; entry: OutputEntry | null }) => {
  const [feed, setFeed] = useState(entry?.feed ?? status.feeds[0]?.id ?? everyFeed);
  const hasToken = entry?.token !== undefined;
  return (
    <>
      <label>
        Name
        <input
          name="label"
          required
          maxLength={64}
          autocomplete="off"
          placeholder="Livestream"
          defaultValue={entry === null ? '' : (entry.label ?? entry.id)}
        />
      </label>
      <label>
        Feed
        <select name="feed" value={feed} onChange={(event) => setFeed(event.currentTarget.value)}>
          {feedChoices(status, entry?.feed ?? null).map(({ value, text }) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        WHIP address
        <input
          name="url"
          type="url"
          required
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="https://live.example.com/whip/stage"
          defaultValue={entry?.url ?? ''}
        />
      </label>
      {feed === everyFeed && (
        <p class="row-note">
          Write <code>{'{feed}'}</code> where the id of each feed belongs.
        </p>
      )}
      <label>
        Token
        <input
          name="token"
          type="password"
          maxLength={4096}
          autocomplete="off"
          placeholder={hasToken ? 'Set; leave empty to keep it' : 'If the server asks for one'}
        />
      </label>
      <label>
        Certificate fingerprint
        <input
          name="fingerprint"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          placeholder="SHA-256, for self-signed certificates"
          defaultValue={entry?.tls_fingerprint ?? ''}
        />
      </label>
    </>
  );
};

interface FormProps {
  status: Status;
  entry: OutputEntry | null;
  text: { readonly summary: string; readonly submit: string; readonly busy: string };
  busy: boolean;
  testId?: string;
  /** Returns whether it was accepted. */
  save(form: OutputForm, edits: FormEdits<OutputForm>): Promise<boolean>;
}

const OpenForm = ({ status, entry, text, busy, save, close }: FormProps & { close(): void }) => {
  // What was there when the form was opened, so that the page knows what its user changed.
  const [opened] = useState(() => ({ entry, edits: editsOf(entry) }));
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (await save(readForm(event.currentTarget as HTMLFormElement), opened.edits)) close();
  };
  return (
    <form class="form" onSubmit={submit}>
      <Fields status={status} entry={opened.entry} />
      <BusyButton type="submit" class="button button-main" busy={busy}>
        {busy ? text.busy : text.submit}
      </BusyButton>
    </form>
  );
};

/** A form that exists while it is open. */
const FoldedForm = (props: FormProps) => {
  const { text, testId } = props;
  const [isOpen, setOpen] = useState(false);
  return (
    <details
      class="fold"
      open={isOpen}
      data-testid={testId}
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary>{text.summary}</summary>
      {isOpen && <OpenForm {...props} close={() => setOpen(false)} />}
    </details>
  );
};

const OutputRow = (props: OutputsProps & { output: Output }) => {
  const { status, output, config, clockOffsetMs } = props;
  const { busy, change } = useChange(props);
  const { id, label, state, reason, flows } = output;
  const entry = entryOf(config, output);
  return (
    <li class="row" data-output={id} data-state={state}>
      <div class="row-head">
        <strong>{label}</strong>
        <Pill state={pillStates[state]}>{stateNames[state]}</Pill>
      </div>
      {reason !== null && <p class={state === 'failed' ? 'row-reason' : 'row-note'}>{reason}</p>}
      <p class="row-note">{outputNote(status, output, Date.now() + clockOffsetMs)}</p>
      {flows.length > 1 && (
        <ul class="flows">
          {flows.map((flow) => (
            <li key={flow.feed} class="row-note" data-state={flow.state}>
              <b>{flow.feed}</b>: {flowNote(flow)}
            </li>
          ))}
        </ul>
      )}
      {entry !== null && (
        <>
          <div class="actions">
            <BusyButton
              class="button"
              busy={busy}
              aria-label={`${state === 'off' ? 'Send' : 'Stop sending'} ${label}`}
              onClick={() => void change((now) => withOutputSwitched(now, id, state === 'off'))}
            >
              {state === 'off' ? 'Send' : 'Stop sending'}
            </BusyButton>
            <CarefulAction
              danger
              text="Remove"
              label={`Remove ${label}`}
              doing="Removing…"
              warning="Sending ends, and its address and token are forgotten."
              act={() => change((now) => withoutOutput(now, id))}
            />
          </div>
          <FoldedForm
            status={status}
            entry={entry}
            text={{ summary: 'Change', submit: 'Save', busy: 'Saving…' }}
            busy={busy}
            save={(form, edits) => change((now) => withChangedOutput(now, id, edits, form))}
          />
        </>
      )}
    </li>
  );
};

const AddForm = (props: OutputsProps) => {
  const { busy, change } = useChange(props);
  return (
    <FoldedForm
      status={props.status}
      entry={null}
      text={{ summary: 'Send a feed to a server', submit: 'Add', busy: 'Adding…' }}
      busy={busy}
      testId="add-output"
      save={(form) => change((now) => withOutput(now, form))}
    />
  );
};

/** Feeds that are sent on to other servers: where to, and their state. */
export const Outputs = (props: OutputsProps) => {
  const { status, config } = props;
  return (
    <section class="group" aria-labelledby="outputs-title" data-testid="outputs">
      <h3 id="outputs-title">To other servers</h3>
      <div class="card">
        {status.outputs.length === 0 && (
          <p class="row-note">
            None. You can send a feed on to another hub, MediaMTX or a streaming service by WHIP, unchanged.
          </p>
        )}
        <ul class="rows">
          {status.outputs.map((output) => (
            <OutputRow key={output.id} {...props} output={output} />
          ))}
        </ul>
        <OwnersPart config={config}>
          <AddForm {...props} />
        </OwnersPart>
      </div>
    </section>
  );
};
