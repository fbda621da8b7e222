import type { ConfigView, Output, OutputFlow, Status } from '../../../contract/index.ts';
import { FormEdits, OvertakenError } from '../app/form-edits.ts';
import { formatBitrate, formatSpan } from '../app/format.ts';
import { feedIdOf } from './remote-view.ts';

/** An output as the settings spell it. Its token is never shown. */
export interface OutputEntry {
  readonly id: string;
  readonly label?: string;
  readonly feed: string;
  readonly url: string;
  readonly token?: string;
  readonly tls_fingerprint?: string;
  readonly enabled?: boolean;
}

/** What the form holds. An empty token leaves the one that is set. */
export interface OutputForm {
  readonly label: string;
  readonly feed: string;
  readonly url: string;
  readonly token: string;
  readonly fingerprint: string;
}

/** Stands for all feeds. */
export const everyFeed = '*';

/** Each state in a word. */
export const stateNames: Readonly<Record<Output['state'], string>> = {
  off: 'off',
  waiting: 'waiting',
  connecting: 'connecting',
  live: 'sending',
  failed: 'not sending',
};

/** Outputs in the settings; none if the settings are not shown to this key. */
const outputEntries = (config: ConfigView | null): readonly OutputEntry[] => {
  const value = config?.values.output;
  return Array.isArray(value) ? (value as OutputEntry[]) : [];
};

/** The settings of an output; null if this key may not see them. */
export const entryOf = (config: ConfigView | null, { id }: Pick<Output, 'id'>): OutputEntry | null =>
  outputEntries(config).find((entry) => entry.id === id) ?? null;

const trimmed = (form: OutputForm): OutputForm => ({
  label: form.label.trim(),
  feed: form.feed,
  url: form.url.trim(),
  token: form.token.trim(),
  fingerprint: form.fingerprint.trim(),
});

const fill = (entry: OutputEntry, form: OutputForm): OutputEntry => {
  const { label, feed, url, token, fingerprint } = trimmed(form);
  const { tls_fingerprint: _before, ...rest } = entry;
  return {
    ...rest,
    label,
    feed,
    url,
    ...(token === '' ? {} : { token }),
    ...(fingerprint === '' ? {} : { tls_fingerprint: fingerprint }),
  };
};

/** The change of the settings that adds an output: lists are set as a whole. */
export const withOutput = (config: ConfigView, form: OutputForm) => {
  const entries = outputEntries(config);
  const id = feedIdOf(form.label, new Set(entries.map((entry) => entry.id)));
  return { output: [...entries, fill({ id, feed: '', url: '' }, form)] };
};

/** What the form of an output shows at first; null for a new one. */
export const formOf = (entry: OutputEntry | null): OutputForm => ({
  label: entry?.label ?? entry?.id ?? '',
  feed: entry?.feed ?? '',
  url: entry?.url ?? '',
  token: '',
  fingerprint: entry?.tls_fingerprint ?? '',
});

/** What a user changes in the form of an output. */
export const editsOf = (entry: OutputEntry | null) =>
  new FormEdits(formOf(entry), {
    label: 'name',
    feed: 'feed',
    url: 'WHIP address',
    token: 'token',
    fingerprint: 'certificate fingerprint',
  });

/**
 * The change to the settings that changes an output.
 * @throws OvertakenError if it was removed elsewhere, or if someone else changed the same fields
 */
export const withChangedOutput = (
  config: ConfigView,
  id: string,
  edits: FormEdits<OutputForm>,
  form: OutputForm,
) => {
  const before = entryOf(config, { id });
  if (before === null) throw new OvertakenError('Not saved: someone else removed this output meanwhile.');
  const after = fill(before, edits.onTopOf(formOf(before), trimmed(form)));
  return { output: outputEntries(config).map((entry) => (entry === before ? after : entry)) };
};

/** The change to the settings that switches an output. */
export const withOutputSwitched = (config: ConfigView, id: string, enabled: boolean) => ({
  output: outputEntries(config).map((entry) => (entry.id === id ? { ...entry, enabled } : entry)),
});

/** The change to the settings that removes an output. */
export const withoutOutput = (config: ConfigView, id: string) => ({
  output: outputEntries(config).filter((entry) => entry.id !== id),
});

/** What can be sent, with what is set now, so that no choice changes by itself. */
export const feedChoices = ({ feeds }: Status, now: string | null): { value: string; text: string }[] => {
  const known = feeds.map(({ id, label }) => ({ value: id, text: label === id ? id : `${label} (${id})` }));
  const isMissing = now !== null && now !== everyFeed && !known.some(({ value }) => value === now);
  const missing = isMissing ? [{ value: now, text: `${now} (not there now)` }] : [];
  return [...known, ...missing, { value: everyFeed, text: 'Every feed' }];
};

/** `Stage to https://live.example.com, 5.9 Mbit/s, for 3 min`. */
export const outputNote = ({ feeds }: Status, output: Output, nowMs: number): string => {
  const { feed, server, state, bitrateKbps, since } = output;
  const label = feeds.find(({ id }) => id === feed)?.label ?? feed;
  const parts = [`${feed === everyFeed ? 'Every feed' : label} to ${server}`];
  if (state === 'live') parts.push(formatBitrate(bitrateKbps));
  if (state !== 'off') parts.push(`for ${formatSpan((nowMs - Date.parse(since)) / 1000)}`);
  return parts.join(', ');
};

/** One feed of several: its state, and what goes out or why nothing does. */
export const flowNote = ({ state, bitrateKbps, reason }: OutputFlow): string =>
  state === 'live' ? formatBitrate(bitrateKbps) : (reason ?? stateNames[state]);
