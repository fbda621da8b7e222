import type { CaptureCommand, CaptureTargets, SourceBase } from '../types.ts';
import * as registry from './registry.ts';
import type { SettingsOf, SourceKind } from './source-kind.ts';

export { sourceFields } from './fields.ts';
export type { RpicamSource } from './rpicam/command.ts';
export type { SourceMachine } from './source-kind.ts';
export type { V4l2Format } from './v4l2/command.ts';

type Registry = typeof registry;
type Schema = { [Name in keyof Registry]: Registry[Name]['settings'] }[keyof Registry];

/** What the media plane needs to know of a source, whatever its kind. */
export type SourceSpec = {
  [Name in keyof Registry]: Parameters<Registry[Name]['build']>[0];
}[keyof Registry];

/** The settings of any kind. */
export type SourceSettings = SettingsOf<Schema>;
/** A kind, for code that treats all kinds alike. */
export type AnySourceKind = SourceKind<Schema, SourceSpec>;

const kinds: Readonly<Record<keyof Registry, AnySourceKind>> = { ...registry };

/** Schemas of all kinds, for a union by `kind`. */
export const sourceSettings = Object.values(kinds).map(({ settings }) => settings) as [Schema, ...Schema[]];

/** The kind of a source that runs or may run here. */
export function kindOf({ kind }: Pick<SourceSpec | SourceSettings, 'kind'>): AnySourceKind {
  return kinds[kind];
}

/** The kind of that name; undefined if another machine knows a kind that this one does not. */
export function kindNamed(name: string): AnySourceKind | undefined {
  return Object.hasOwn(kinds, name) ? kinds[name as keyof Registry] : undefined;
}

/** Names of all kinds, as in the settings. */
export const sourceKindNames: readonly string[] = Object.keys(kinds);

/** Builds the pipeline of any source. Pure. @throws SourceSpecError */
export function buildCapture(source: SourceSpec, targets: CaptureTargets): CaptureCommand {
  return kindOf(source).build(source, targets);
}

/** Whether a spec has a bit rate: its live picture may be encoded here. */
export function asksForBitrate<Spec extends SourceBase>(
  spec: Spec,
): spec is Extract<Spec, { readonly bitrateKbps: number }> {
  return 'bitrateKbps' in spec;
}
